"""An exported lecture in a real browser, with the network off."""

import pytest

from seqlib.export.lecture import export_lecture
from tests.ui.conftest import LECTURE

pytestmark = pytest.mark.browser

STEPPER = ".seqlib-stepper"
LIMIT_BYTES = 1_500_000
SCREENS = [(1280, 720), (1920, 1080)]


@pytest.fixture(scope="module")
def exported(course, tmp_path_factory):
    """The lecture as one file, with slides."""
    return export_lecture(course / LECTURE, tmp_path_factory.mktemp("page") / "small.html", slides=True)


@pytest.fixture(scope="module")
def page(exported, open_page):
    """The file, opened with the network off."""
    opened = open_page(offline=True, reduced_motion="reduce")
    opened.goto(exported.path.as_uri())
    opened.wait_for_selector(STEPPER)
    yield opened
    opened.context.close()


@pytest.fixture
def slides(exported, open_page):
    """The slide view on a screen of a given size, at the first slide."""
    pages = []

    def show(width: int, height: int):
        opened = open_page(offline=True, reduced_motion="reduce", viewport={"width": width, "height": height})
        pages.append(opened)
        opened.goto(exported.path.as_uri() + "#slide-1")
        opened.wait_for_selector(STEPPER, state="attached")
        opened.wait_for_selector(".presenting", state="attached")
        return opened

    yield show
    for opened in pages:
        opened.context.close()


def test_page_asks_for_nothing(page, exported):
    """The only request is for the file itself; modules come out of it, and it is small."""
    asked = [url for url in page.requests if not url.startswith(("blob:", "data:"))]

    assert asked == [exported.path.as_uri()]
    assert exported.size_bytes < LIMIT_BYTES
    assert exported.problems == []
    assert page.errors == []


def test_stepper_steps_without_a_kernel(page):
    """Keys step, the step is said, and pointing shows numbers, from the frames inside the file."""
    stepper = page.locator(STEPPER).first
    stepper.locator(".sq-stage").focus()
    page.keyboard.press("Home")
    before = stepper.get_by_role("status").inner_text()

    page.keyboard.press("ArrowRight")

    assert stepper.get_attribute("data-step") == "1"
    assert stepper.get_by_role("status").inner_text() != before
    cell = stepper.locator(".sq-slot.sq-now").first.bounding_box()
    page.mouse.move(cell["x"] + cell["width"] / 2, cell["y"] + 10)
    assert "tanh" in stepper.locator(".sq-equation").inner_text()


def test_formulas_are_drawn_by_the_browser(page):
    """Every formula is MathML with a size, and no dollar sign is left in the text."""
    heights = page.eval_on_selector_all("math", "all => all.map(one => one.getBoundingClientRect().height)")

    assert len(heights) == 5
    assert min(heights) > 8
    assert "$" not in page.locator(".cell.markdown").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody(page, violations, scheme):
    """axe-core finds no violation on the whole page, in either scheme."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(300)

    assert violations(page, "html") == []


def test_reader_chooses_the_colours(page):
    """The button turns the page dark and back, steppers included."""
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 28)"

    page.get_by_role("button", name="Light colours").click()

    assert page.evaluate("document.body.dataset.jpThemeLight") == "true"


OVER = """(() => { const main = document.getElementById('lecture');
  return [main.scrollHeight - main.clientHeight, main.scrollWidth - main.clientWidth]; })()"""


@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_every_slide_fits(slides, size):
    """No slide is larger than the screen, and none is set smaller than half of the designed size."""
    page = slides(*size)
    count = int(page.locator(".slide-counter").inner_text().split("/")[1])

    for number in range(1, count + 1):
        page.evaluate(f"location.hash = '#slide-{number}'; location.reload()")
        page.wait_for_selector(".presenting", state="attached")
        page.wait_for_selector(STEPPER, state="attached")
        over = page.evaluate(OVER)
        for _ in range(30):  # a stepper is drawn when it comes into sight, and the slide is fitted again then
            page.wait_for_timeout(100)
            over, before = page.evaluate(OVER), over
            if max(over) <= 1 and over == before:
                break
        assert max(over) <= 1, f"slide {number} is {over} larger than {size}"
        assert float(page.evaluate("document.getElementById('lecture').style.zoom")) >= size[0] / 1280 / 2


def test_remote_walks_the_stepper_then_the_slides(slides):
    """PageDown goes through every step of a stepper before the next slide, and PageUp all the way back."""
    page = slides(1280, 720)
    stepper, counter = page.locator(STEPPER).first, page.locator(".slide-counter")
    seen = []

    for _ in range(14):
        seen.append((counter.inner_text()[0], stepper.get_attribute("data-step")))
        page.keyboard.press("PageDown")
    for _ in range(14):
        page.keyboard.press("PageUp")

    # step 3 comes twice: its prediction is asked first, and then revealed
    steps = [("1", "0"), *(("2", step) for step in "01233456"), ("2", "7")]
    assert seen == [*steps, ("3", "7"), ("3", "7"), ("4", "7"), ("4", "7")]
    assert counter.inner_text()[0] == "1"
    assert page.errors == []


def test_notes_are_for_the_presenter(slides):
    """Presenter's notes are hidden until n is pressed."""
    page = slides(1280, 720)
    page.keyboard.press("PageDown")
    notes = page.locator('[data-slide="notes"]').first
    assert not notes.is_visible()

    page.keyboard.press("n")

    assert notes.is_visible()
