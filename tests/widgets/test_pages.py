"""Steppers on a page without a kernel, in the system's Chromium: keys, speech, predictions, themes, no violation."""

import pytest

from seqlib.widgets import RecurrentStepper

pytestmark = pytest.mark.browser
STEP = "document.querySelector('.seqlib-stepper').dataset.step"


@pytest.fixture
def axe():
    """The accessibility checker, with the rules of WCAG 2.1 AA and of good practice."""
    playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e .[dev]")
    return playwright.Axe()


def press(page, *keys, times=1):
    for _ in range(times):
        for key in keys:
            page.keyboard.press(key)


def test_keys_step_without_a_kernel(show, small):
    """Arrows, Home and End change the step, the sentence and the synced state; bursts send one message."""
    page = show(small)
    page.locator(".sq-stage").focus()

    press(page, "ArrowRight", times=4)

    assert page.evaluate(STEP) == "4"
    assert page.evaluate("models[0].get('step')") == 4
    assert page.locator(".sq-said").inner_text().startswith("t = 2: the state becomes h2 = (")
    page.wait_for_function("models[0].saved === 1")
    press(page, "End")
    assert page.evaluate(STEP) == str(len(small.texts) - 1)
    press(page, "Home")
    assert page.evaluate(STEP) == "0"


LATE = """() => {
  const stage = document.querySelector(".sq-stage");
  const press = () => stage.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  for (let times = 0; times < 5; times += 1) press();
  const [model] = models;
  model.set("step", 1);
  model.set("guesses", {});
  return [document.querySelector(".seqlib-stepper").dataset.step, model.get("step"), Object.keys(model.get("guesses"))];
}"""


def test_late_answers_of_the_kernel_take_nothing_back(show, record):
    """What comes while newer steps and predictions are not sent yet is older than they are; afterwards it counts."""
    page = show(RecurrentStepper(record(), predict={4: "Larger than h_1?"}))

    assert page.evaluate(LATE) == ["4", 4, ["4"]]  # the fifth key reveals

    page.wait_for_function("models[0].saved === 1")
    page.evaluate("models[0].set('step', 1)")
    assert page.evaluate(STEP) == "1"


def test_the_mouse_steps_too(show, small):
    """Each button of the transport and the slider go where they say."""
    page = show(small)
    for name, step in [("Forward", "1"), ("Last step", "23"), ("Back", "22"), ("First step", "0")]:
        page.get_by_role("button", name=name).click()

        assert page.evaluate(STEP) == step
    page.get_by_role("slider").fill("7")
    assert page.evaluate(STEP) == "7"


def test_play_runs_to_the_end_and_stops(show, small):
    """Space plays; while it plays the screen reader is not flooded; at the end it pauses itself."""
    page = show(small)
    page.get_by_role("combobox", name="Speed").select_option("4")
    page.locator(".sq-stage").focus()
    press(page, "ArrowRight", times=21)

    press(page, "Space")

    assert page.locator(".sq-said").get_attribute("aria-live") == "off"
    page.wait_for_function(f"{STEP} === '23'")
    page.get_by_role("button", name="Play").wait_for()
    assert page.locator(".sq-said").get_attribute("aria-live") == "polite"


def test_a_remote_walks_to_the_end_and_then_reaches_the_slide(show, small):
    """PageDown is the stepper's until its last step, then the page's; letters never reach the page."""
    page = show(small)
    page.evaluate("window.heard = []; addEventListener('keydown', (event) => heard.push(event.key))")
    page.locator(".sq-stage").focus()

    press(page, "PageDown", times=len(small.texts) - 1)

    assert page.evaluate("heard") == []
    press(page, "PageDown", "x")
    assert page.evaluate("heard") == ["PageDown"]


def test_a_remote_needs_no_focus_while_slides_are_shown(show, small):
    """With a host that presents, PageDown steps the stepper on the screen although the focus is elsewhere."""
    page = show(small)
    press(page, "PageDown")
    assert page.evaluate(STEP) == "0"

    page.evaluate("document.body.dataset.jpDeckMode = 'presenting'")
    press(page, "PageDown", times=2)

    assert page.evaluate(STEP) == "2"


def test_escape_gives_the_focus_back(show, small):
    """From the cells to the steps, from the steps to whatever holds the stepper."""
    page = show(small)
    page.evaluate("document.getElementById('place0').setAttribute('tabindex', '-1')")
    page.locator(".sq-stage").focus()

    press(page, "Enter", "Escape")
    assert page.evaluate("document.activeElement.className") == "sq-stage"
    press(page, "Escape")

    assert page.evaluate("document.activeElement.id") == "place0"


def test_the_equation_of_a_cell_comes_by_keyboard_and_by_hover(show, small):
    """Enter goes into the cells, arrows move, the numbers are shown and spoken; the mouse shows the same."""
    page = show(small)
    page.locator(".sq-stage").focus()
    press(page, "ArrowRight", "Enter", "ArrowDown")

    by_key = page.locator(".sq-equation").inner_text()

    assert by_key.startswith("h1[1] = tanh(W[1]·h0 + U[1]·x1 + b[1])")
    assert "tanh" in page.locator(".sq-speech").inner_text()
    press(page, "Escape")
    assert page.locator(".sq-equation").inner_text() != by_key
    page.locator(".sq-number").nth(1).hover(force=True)
    assert page.locator(".sq-equation").inner_text() == by_key


def test_a_prediction_hides_the_step_until_it_is_made(show, record):
    """The picture stays one step behind, question marks stand in the coming cells, a choice reveals and is kept."""
    asked = {4: {"question": "Larger than h_1?", "choices": ["yes", "no"]}}
    page = show(RecurrentStepper(record(), predict=asked))
    page.locator(".sq-stage").focus()
    before = page.locator(".sq-number:not(.sq-none)").count()
    press(page, "ArrowRight", times=4)

    hidden = page.locator(".sq-number:not(.sq-none)").count()
    page.get_by_role("button", name="yes").click()

    assert page.evaluate("models[0].get('guesses')") == {"4": "yes"}
    assert page.locator(".sq-number:not(.sq-none)").count() == hidden + 4 > before
    assert page.locator(".sq-said").inner_text().startswith("You said: yes.")
    press(page, "ArrowRight")
    assert page.evaluate(STEP) == "5"


def test_a_parting_is_announced_outlined_and_gone_to(show, parting):
    """The stepper opens where the recording parts from its reference."""
    page = show(parting)

    assert page.evaluate(STEP) == str(parting.step)
    assert page.locator(".sq-said").inner_text().startswith("Here the recording first parts from the reference: h3[1]")
    assert page.locator(".sq-mark:not(.sq-none)").count() == 1
    assert "the reference has" in page.locator(".sq-equation").inner_text()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 720, False), (1920, 1080, True), (420, 800, True)])
def test_no_accessibility_violation(show, axe, small, long, trellis, parting, width, height, dark):
    """axe-core finds nothing, in light and dark, narrow and wide, with a prediction open or cells entered."""
    page = show(small, long, trellis, parting, width=width, height=height, dark=dark)
    page.locator(".sq-stage").first.focus()
    press(page, "ArrowRight", "ArrowRight", "Enter")

    found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})

    violations = found.response["violations"]
    assert [(each["id"], each["nodes"][0]["failureSummary"]) for each in violations] == []


@pytest.mark.parametrize("width", [420, 1280])
def test_nothing_is_cut_off(show, small, long, trellis, width):
    """Every drawing fits its stage, the page never scrolls sideways, and a slide holds the whole stepper."""
    page = show(small, long, trellis, width=width)

    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    cut = page.evaluate("[...document.querySelectorAll('.sq-stage')].map((s) => s.scrollWidth - s.clientWidth)")
    heights = page.evaluate("[...document.querySelectorAll('.seqlib-stepper')].map((s) => s.offsetHeight)")

    assert over <= 0
    assert cut == [0, 0, 0]
    assert width < 1280 or max(heights) <= 660


def test_full_screen_is_larger_and_ends(show, small):
    """The letter f fills the screen with larger type, and again gives the page back."""
    page = show(small, width=1920, height=1080)
    page.locator(".sq-stage").focus()
    before = page.locator(".sq-drawing").bounding_box()["height"]

    press(page, "f")
    page.wait_for_function("document.querySelector('.seqlib-stepper').offsetHeight >= 1070")
    during = page.locator(".sq-drawing").bounding_box()["height"]
    press(page, "f")
    page.wait_for_function("document.querySelector('.seqlib-stepper').offsetHeight < 1000")

    assert during > 1.4 * before


def test_many_cells_are_painted_on_a_canvas(show, record):
    """Above a thousand visible cells the canvas takes over, and shows colours."""
    page = show(RecurrentStepper(record(12, 64, 64, 64), grain="step"))
    page.locator(".sq-stage").focus()
    assert page.locator("canvas").is_hidden()

    press(page, "ArrowRight", times=11)

    assert page.locator("canvas").is_visible()
    painted = (
        "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert page.locator("canvas").evaluate(painted) > 50


def test_the_theme_of_the_host_is_followed(show, small):
    """Lab's variables and its theme attribute win over the system's preference, also when they change."""
    page = show(small, style="body { --jp-layout-color0: #fff; --jp-ui-font-color1: #111 }")
    page.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")
    page.locator(".sq-cell").first.wait_for()
    light = page.locator(".sq-cell").first.get_attribute("fill")

    page.evaluate("document.body.style.setProperty('--jp-layout-color0', '#111')")
    page.evaluate("document.body.style.setProperty('--jp-ui-font-color1', '#eee')")
    page.evaluate("document.body.setAttribute('data-jp-theme-light', 'false')")

    page.wait_for_function("(was) => document.querySelector('.sq-cell').getAttribute('fill') !== was", arg=light)


def test_taking_it_down_leaves_nothing(show, small):
    """The function that `render` returns removes the drawing and stops listening."""
    page = show(small)

    page.evaluate("ends[0]()")
    page.evaluate("models[0].set('step', 3)")

    assert page.locator(".seqlib-stepper").count() == 0
    assert page.evaluate("Object.values(models[0].heard).flat().length") == 0
