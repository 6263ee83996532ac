"""The course's own lectures in a real JupyterLab and a real browser."""

import pytest

from seqlib.catalogue import read_lectures
from tests.ui.conftest import ROOT, TOKEN
from tests.ui.slides import SCREENS, judge
from tests.ui.test_lab import RUN_ALL, STEPPER

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.slow]
LAST_STEPPER_S = 200
SHOWN = ".jp-deck-mod-onscreen.jp-deck-mod-visible, .sq-footer"
ON_SLIDE = f".jp-deck-mod-onscreen {STEPPER}"
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
MOST_PRESSES = 600


@pytest.mark.parametrize("file", [lecture.file for lecture in read_lectures(ROOT)])
def test_lecture_runs_and_steps(lab, open_page, course, file):
    """Every cell runs without an error, every stepper of the text is there and steps, and a save changes nothing."""
    text = (ROOT / "lectures" / file).read_text("utf-8")
    page = open_page(reduced_motion="reduce")
    page.goto(f"{lab}/lab/tree/real/{file}?reset&token={TOKEN}")

    page.set_default_timeout(LAST_STEPPER_S * 1000)
    page.evaluate(RUN_ALL)

    outputs = page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
             .map((cell) => (cell.outputs ?? [])
               .map((output) => output.ename ?? Object.keys(output.data ?? {}).join()))"""
    )
    errors = [output for cell in outputs for output in cell if output.endswith(("Error", "Exception"))]
    steppers = sum("widget-view" in output for cell in outputs for output in cell)
    first = page.locator(STEPPER).first
    first.scroll_into_view_if_needed()
    first.locator(".sq-stage").focus()
    page.keyboard.press("ArrowRight")
    step = first.get_attribute("data-step")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(2000)

    assert errors == []
    assert steppers >= text.count("Stepper(")
    assert step == "1"
    assert (course / "real" / file).read_text("utf-8") == text
    assert page.errors == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", [lecture.file for lecture in read_lectures(ROOT)])
def test_every_slide_fits_and_a_remote_walks_it(lab, open_page, file):
    """Presented in Lab on two sizes of screen, each slide can be read as a whole, and PageDown alone walks them all."""
    page = open_page(reduced_motion="reduce", viewport={"width": 1280, "height": 720})
    page.goto(f"{lab}/lab/tree/real/{file}?reset&token={TOKEN}")
    page.set_default_timeout(LAST_STEPPER_S * 1000)
    page.evaluate(RUN_ALL)

    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(f"{ACTIVE} = 0")
        page.evaluate("window.jupyterapp.commands.execute('deck:start')")
        page.wait_for_function("/^1 /.test(document.querySelector('.sq-footer span')?.textContent)")
        page.locator(STEPPER).evaluate_all("all => all.forEach((one) => one.querySelector('.sq-button').click())")
        wrong, left = _walk(page)
        page.evaluate("window.jupyterapp.commands.execute('deck:stop')")

        assert {slide: faults for slide, faults in wrong.items() if faults} == {}
        assert len({slide for slide, _ in wrong}) == int(next(iter(wrong))[0].split("/")[1])
        assert left
        assert all(step == steps for _, step, steps in left)


def _walk(page):
    wrong, left = {}, []
    for _ in range(MOST_PRESSES):
        shown, cell = page.locator(".sq-footer span").inner_text(), page.evaluate(ACTIVE)
        if (shown, cell) not in wrong:
            wrong[shown, cell] = judge(page, SHOWN)
        steps = page.locator(ON_SLIDE).evaluate_all("all => all.map((one) => one.dataset.step)")
        counts = page.locator(f"{ON_SLIDE} .sq-counter").all_inner_texts()
        page.keyboard.press("PageDown")
        page.wait_for_timeout(50)
        after = page.locator(ON_SLIDE).evaluate_all("all => all.map((one) => one.dataset.step)")
        if page.evaluate(ACTIVE) != cell:
            left += [(shown, int(step) + 1, int(of.split("/")[1])) for step, of in zip(steps, counts, strict=True)]
            page.wait_for_timeout(200)  # the slide is fitted in the next frames
        elif after == steps and len(set(shown.split(" / "))) == 1:
            break
    return wrong, left
