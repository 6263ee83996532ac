"""The course's own lectures in a real JupyterLab and a real browser."""

import pytest

from seqlib.catalogue import read_lectures
from tests.ui.conftest import ROOT, TOKEN
from tests.ui.test_lab import RUN_ALL, STEPPER

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.slow]
LAST_STEPPER_S = 200


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
