"""The course's own lectures as exported slides: every slide of each, on two sizes of screen."""

import pytest

from seqlib.catalogue import read_lectures
from seqlib.export.lecture import export_lecture
from tests.ui.conftest import ROOT
from tests.ui.slides import SCREENS, judge

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = ".on-slide:not(.later), .slide-counter, .slide-section"
STEPPER = ".on-slide .seqlib-stepper"
MOST_PRESSES = 500


@pytest.fixture(scope="module", params=[lecture.file for lecture in read_lectures(ROOT)])
def exported(request, tmp_path_factory):
    """Each lecture as one file, run once."""
    return export_lecture(ROOT / "lectures" / request.param, tmp_path_factory.mktemp("page") / "a.html", slides=True)


@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_every_slide_fits_and_a_remote_walks_it(exported, open_page, size):
    """PageDown alone shows all slides, a stepper to its end before the next one, and each can be read as a whole."""
    page = open_page(offline=True, reduced_motion="reduce", viewport={"width": size[0], "height": size[1]})
    page.goto(f"{exported.path.as_uri()}#slide-1")
    page.wait_for_selector(".presenting", state="attached")
    wrong, left = {}, []

    for _ in range(MOST_PRESSES):
        shown = page.locator(".slide-counter").inner_text()
        parts = page.locator(SHOWN).count()
        if (shown, parts) not in wrong:
            wrong[shown, parts] = judge(page, SHOWN)
        steps = page.locator(STEPPER).evaluate_all("all => all.map((one) => one.dataset.step)")
        counts = page.locator(f"{STEPPER} .sq-counter").all_inner_texts()
        page.keyboard.press("PageDown")
        if page.locator(".slide-counter").inner_text() != shown:
            left += [(shown, int(step) + 1, int(of.split("/")[1])) for step, of in zip(steps, counts, strict=True)]
        elif len(set(shown.split(" / "))) == 1 and page.locator(".on-slide.later").count() == 0:
            break

    number, of = map(int, shown.split(" / "))
    assert {slide: faults for slide, faults in wrong.items() if faults} == {}
    assert number == of == len({slide for slide, _ in wrong})
    assert left
    assert all(step == steps for _, step, steps in left)
    assert page.errors == []
    page.context.close()


def test_every_slide_has_notes(exported, open_page):
    """n shows what the presenter is told, on every slide."""
    page = open_page(offline=True, reduced_motion="reduce", viewport={"width": 1280, "height": 720})
    page.goto(f"{exported.path.as_uri()}#slide-1")
    page.wait_for_selector(".presenting", state="attached")
    page.keyboard.press("n")
    bare = []

    for _ in range(MOST_PRESSES):
        shown = page.locator(".slide-counter").inner_text()
        if not page.locator('.on-slide[data-slide="notes"]').first.is_visible():
            bare.append(shown)
        if len(set(shown.split(" / "))) == 1:
            break
        page.locator(STEPPER).evaluate_all("all => all.forEach((one) => one.remove())")
        page.keyboard.press("PageDown")

    assert bare == []
    page.context.close()
