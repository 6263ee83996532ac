"""The course in a real JupyterLab and a real browser."""

import json

import pytest

from tests.ui.conftest import LECTURE, TOKEN

pytestmark = pytest.mark.lab

STEPPER = ".seqlib-stepper"
RUN_ALL = """async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const current = () => window.jupyterapp?.shell.currentWidget?.context?.sessionContext;
  while (!current()) await pause(50);
  await window.jupyterapp.restored;
  await current().ready;
  while (current().session?.kernel?.status !== "idle") await pause(50);
  return window.jupyterapp.commands.execute("notebook:run-all-cells");
}"""


@pytest.fixture(scope="module")
def lecture(lab, open_page):
    """The lecture, opened as a notebook and run."""
    page = open_page(reduced_motion="reduce")
    page.goto(f"{lab}/lab/tree/{LECTURE.as_posix()}?reset&token={TOKEN}")
    page.evaluate(RUN_ALL)
    page.wait_for_selector(STEPPER)
    yield page
    page.context.close()


@pytest.fixture
def stepper(lecture):
    """The lecture's stepper at its first step, with the keyboard in it."""
    found = lecture.locator(STEPPER).first
    found.scroll_into_view_if_needed()
    for _ in range(20):  # Lab may take the focus away while it still lays the notebook out
        found.locator(".sq-stage").focus()
        lecture.keyboard.press("Home")
        if found.get_attribute("data-step") == "0":
            break
        lecture.wait_for_timeout(100)
    return found


def test_server_gives_home_page_and_lecture(fetch):
    """The server answers with the home page and the lecture, from a folder with a space in it, in the C locale."""
    home = json.loads(fetch("/api/contents/COURSE.md?type=file"))
    lecture = json.loads(fetch(f"/api/contents/{LECTURE.as_posix()}?type=notebook"))

    assert "[A small lecture](lectures/02_small.py)" in home["content"]
    assert lecture["content"]["cells"][0]["source"].startswith("# Does it step?")


def test_settings_of_the_course_reach_lab(fetch):
    """A `.py` opens as a notebook, Markdown rendered, and nothing asks for news."""
    viewers = json.loads(fetch("/lab/api/settings/@jupyterlab/docmanager-extension:plugin"))["schema"]["properties"]
    news = json.loads(fetch("/lab/api/settings/@jupyterlab/apputils-extension:notification"))["schema"]["properties"]

    assert viewers["defaultViewers"]["default"] == {"markdown": "Markdown Preview", "python": "Jupytext Notebook"}
    assert (news["fetchNews"]["default"], news["checkForUpdates"]["default"]) == ("false", False)


@pytest.mark.browser
def test_home_page_opens_and_leads_to_the_lecture(lab, open_page):
    """The first thing on the screen is the rendered home page; a click on a lecture opens a notebook, no pop-up."""
    page = open_page()
    page.goto(f"{lab}/?token={TOKEN}")

    page.locator(".jp-RenderedMarkdown").get_by_text("A small lecture").click()

    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    assert page.locator(".jp-NotebookPanel h1").first.inner_text().startswith("Does it step?")
    assert page.locator(".jp-toast-button, .Toastify__toast").count() == 0
    page.context.close()


@pytest.mark.browser
def test_keys_step_and_the_step_is_spoken(lecture, stepper):
    """Arrow keys step inside Lab, and the live region says each step."""
    said = stepper.get_by_role("status")
    before = said.inner_text()

    lecture.keyboard.press("ArrowRight")
    lecture.keyboard.press("ArrowRight")

    assert stepper.get_attribute("data-step") == "2"
    assert said.inner_text() != before
    assert lecture.locator(".jp-Notebook").first.evaluate("node => node.contains(document.activeElement)")


@pytest.mark.browser
def test_the_mouse_steps_and_asks_for_numbers(lecture, stepper):
    """Buttons step, and pointing at a cell shows its equation with the numbers in it."""
    stepper.get_by_role("button", name="Forward").click()
    assert stepper.get_attribute("data-step") == "1"

    cell = stepper.locator(".sq-slot.sq-now").first.bounding_box()
    lecture.mouse.move(cell["x"] + cell["width"] / 2, cell["y"] + 10)

    assert "tanh" in stepper.locator(".sq-equation").inner_text()


@pytest.mark.browser
def test_prediction_hides_until_it_is_revealed(lecture, stepper):
    """A question stands before its step; the next key reveals what was asked, and steps only after that."""
    for _ in range(3):
        lecture.keyboard.press("ArrowRight")
    assert "Which way will it go?" in stepper.get_by_role("status").inner_text()

    lecture.keyboard.press("ArrowRight")

    assert stepper.get_attribute("data-step") == "3"
    assert "Which way will it go?" not in stepper.get_by_role("status").inner_text()


@pytest.mark.browser
def test_full_screen_and_back(lecture, stepper):
    """f fills the screen, Escape gives the page back."""
    lecture.keyboard.press("f")
    lecture.wait_for_function(f"document.querySelector('{STEPPER}').getBoundingClientRect().width >= innerWidth - 1")

    lecture.keyboard.press("Escape")

    lecture.wait_for_function(f"document.querySelector('{STEPPER}').getBoundingClientRect().width < innerWidth - 100")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_nothing_bars_anybody(lecture, stepper, violations, theme):
    """axe-core finds no violation inside the stepper, in either theme."""
    lecture.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    light = str(theme.endswith("Light")).lower()
    lecture.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
    lecture.wait_for_timeout(1000)

    assert violations(lecture, STEPPER) == []


@pytest.mark.browser
def test_remote_walks_stepper_and_slides(lecture, stepper):
    """Presented in Lab, PageDown goes through the steps and then to the next slide, without a click."""
    run = "name => window.jupyterapp.commands.execute(name, {direction: 'up', alternate: 'back'})"
    lecture.evaluate(run, "deck:start")
    for _ in range(8):
        lecture.evaluate(run, "deck:go")

    for _ in range(20):
        lecture.keyboard.press("PageDown")
        lecture.wait_for_timeout(150)

    assert stepper.get_attribute("data-step") == "7"
    shown = lecture.locator(".jp-deck-mod-onscreen").all_inner_texts()
    lecture.evaluate(run, "deck:stop")
    assert "The last one" in "".join(shown)


@pytest.mark.browser
def test_saving_leaves_the_lecture_as_it_was(lecture, stepper, course):
    """Run and saved, the text of the lecture is the same byte for byte: no output, id or version gets into it."""
    path = course / LECTURE
    before = path.read_bytes(), path.stat().st_mtime_ns

    lecture.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    for _ in range(50):
        if path.stat().st_mtime_ns != before[1]:
            break
        lecture.wait_for_timeout(100)
    assert path.stat().st_mtime_ns != before[1]
    assert path.read_bytes() == before[0]


@pytest.mark.browser
def test_no_error_on_the_page(lecture, stepper):
    """Opening, running and stepping logs no error of the page."""
    lecture.keyboard.press("End")

    assert lecture.errors == []
