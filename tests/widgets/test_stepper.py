"""The state of every stepper in Python: steps, texts, questions, and what a saved notebook keeps."""

import pytest
import torch

from seqlib.errors import WidgetError
from seqlib.widgets import Stepper


def make(**more):
    return Stepper({"h": torch.zeros(3, 1)}, ["one", "two", "three"], title="Counting", **more)


def test_the_step_stays_inside():
    """Python may set any step; it lands on one that there is."""
    stepper = make(step=99)

    assert stepper.step == 2
    stepper.step = -4
    assert stepper.step == 0


def test_python_observes_the_step():
    """A step taken by the reader reaches the kernel's observers."""
    stepper, seen = make(), []
    stepper.observe(lambda change: seen.append(change["new"]), "step")

    stepper.set_state({"step": 2})

    assert seen == [2]


def test_a_saved_notebook_has_every_step_as_text():
    """The bundle's plain text holds the title and all steps, whatever front end shows it."""
    bundle, _ = make()._repr_mimebundle_()

    assert bundle["text/plain"] == "Counting (3 steps)\n  1  one\n  2  two\n  3  three"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_questions_reach_the_browser_as_json():
    """A bare string is a question without choices."""
    stepper = make(predict={1: "What now?", 2: {"question": "And now?", "choices": ["a", "b"]}})

    assert stepper.questions == {"1": {"question": "What now?"}, "2": {"question": "And now?", "choices": ["a", "b"]}}
    assert stepper.guesses == {}


@pytest.mark.parametrize("step", [0, 3])
def test_a_question_hides_a_step_that_there_is(step):
    """The first step is shown before anything can be asked, and beyond the last there is nothing to hide."""
    with pytest.raises(WidgetError) as caught:
        make(predict={step: "?"})

    assert caught.value.what == f"a prediction is asked at step {step}, and the steps that can be hidden are 1 to 2."


def test_a_stepper_without_steps_is_refused():
    """An empty recording is said, not drawn."""
    with pytest.raises(WidgetError) as caught:
        Stepper({}, [], title="Nothing")

    assert caught.value.what == "'Nothing' has no step to show."
    assert caught.value.hint == "record at least one step before drawing it."


def test_the_state_is_what_a_page_needs():
    """What the browser reads is synced, and nothing else of ours is."""
    ours = {"frames", "meta", "labels", "texts", "title", "questions", "guesses", "step"}

    assert ours <= set(make().keys)
    assert {key for key in make().keys if not key.startswith("_")} - ours == {"layout", "tabbable", "tooltip"}
