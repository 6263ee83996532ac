"""The stepper of the unrolled network: what it reads from a recording, and what it says."""

import pytest
import torch

from seqlib.errors import WidgetError
from seqlib.trace import Recording, record_calls, recording
from seqlib.widgets import RecurrentStepper
from seqlib.widgets.frames import unpack


def arrays_of(stepper):
    return unpack(stepper.meta, stepper.frames)


def run(step, times=4):
    """A student's way to run a cell: a plain function, called in a loop."""
    rng = torch.Generator().manual_seed(1)
    W, U, b = torch.randn(3, 3, generator=rng), torch.randn(3, 2, generator=rng), torch.zeros(3)
    h = torch.zeros(3)
    for x in torch.randn(times, 2, generator=rng):
        h = step(x, h, W, U, b)
    return h


def right(x, h, W, U, b):
    return torch.tanh(W @ h + U @ x + b)


def transposed(x, h, W, U, b):
    return torch.tanh(W.T @ h + U @ x + b)


def recorded(step):
    with recording() as frames:
        run(record_calls(step, "rnn_step"))
    return frames


def test_steps_go_forward_and_then_backward(record):
    """Input, state and output of each step in turn, then one step back for each state."""
    stepper = RecurrentStepper(record(times=3))
    plan = stepper.labels["plan"]

    assert [each["parts"] for each in plan[:3]] == [["x"], ["h"], ["o"]]
    assert [each["t"] for each in plan[9:]] == [2, 1, 0]
    assert len(stepper.texts) == len(plan) == 12


def test_without_gradients_there_is_no_backward_pass(record):
    """What was not recorded is not shown."""
    stepper = RecurrentStepper(record(times=3, backward=False))

    assert {each["pass"] for each in stepper.labels["plan"]} == {"forward"}


def test_a_long_run_takes_a_time_step_at_once(long):
    """Two hundred steps are not taken in three parts each."""
    assert len(long.texts) == 400
    assert long.labels["plan"][0] == {"t": 0, "parts": ["x", "h", "o"], "pass": "forward"}


def test_texts_give_numbers_norms_and_ratios(record):
    """Each sentence says what the picture shows, with the numbers of the recording."""
    frames = record(times=3)
    stepper = RecurrentStepper(frames, tokens="abc")
    grads = frames.gradients("h")
    size, later = float(grads[1].norm()), float(grads[2].norm())

    assert stepper.texts[0].startswith("t = 1: the input “a” arrives, x_1 = (")
    assert stepper.texts[-2].replace("−", "-") == (
        f"Backward, t = 2: the gradient of the loss by h_2 has length {size:.3g}, {size / later:.3g} times that of h_3."
    )


def test_tokens_that_would_not_be_seen_are_shown(record):
    """A blank and a line break get a sign, and an underscore starts no subscript."""
    stepper = RecurrentStepper(record(times=4), tokens=[" ", "\n", "a_b", "two words"])

    assert stepper.labels["tokens"] == ["␣", "↵", "a＿b", "two words"]
    assert "“↵” arrives" in stepper.texts[3]


def test_the_browser_gets_the_recorded_values(record):
    """States, gradients and weights arrive under the symbols of the lecture."""
    frames = record(times=3)
    arrays = arrays_of(RecurrentStepper(frames))

    assert torch.equal(arrays["h"], frames["h"])
    assert torch.equal(arrays["h.grad"], frames.gradients("h"))
    assert torch.equal(arrays["W"], torch.tensor(frames.labels["W"]))


def test_a_value_that_the_loss_ignores_has_a_zero_gradient(record):
    """Only the last output meets the loss: the others are drawn with zeros, not left out."""
    arrays = arrays_of(RecurrentStepper(record(times=3)))

    assert torch.equal(arrays["o.grad"][:2], torch.zeros(2, 3))
    assert arrays["o.grad"][2].abs().sum() > 0


def test_one_sequence_of_a_batch_is_drawn(rng):
    """Frames of shape "b h", and whole outputs of shape "b t o", are cut to the chosen sequence."""
    h, o = torch.randn(5, 2, 3, generator=rng), torch.randn(2, 5, 4, generator=rng)
    frames = Recording.from_arrays({"h": h, "o": o[None]})

    arrays = arrays_of(RecurrentStepper(frames, sequence=1))

    assert torch.equal(arrays["h"], h[:, 1])
    assert torch.equal(arrays["o"], o[1])


def test_a_function_without_taps_is_drawn_from_its_calls():
    """The result is the state, the arguments are input and weights, the first h is the state before."""
    arrays = arrays_of(RecurrentStepper(recorded(right)))

    assert arrays["h"].shape == (4, 3)
    assert torch.equal(arrays["h0"], torch.zeros(3))
    assert arrays["W"].shape == (3, 3)
    assert torch.allclose(arrays["h"][1], right(arrays["x"][1], arrays["h"][0], *(arrays[name] for name in "WUb")))


def test_the_first_difference_is_gone_to():
    """A transposed W agrees at the first step, where the state is zero, and parts at the second."""
    stepper = RecurrentStepper(recorded(transposed), reference=recorded(right))

    assert stepper.labels["plan"][stepper.step] == {"t": 1, "parts": ["h"], "pass": "forward"}
    assert stepper.texts[stepper.step].startswith("Here the recording first parts from the reference: h_2[0] is ")
    assert not arrays_of(stepper)["h.differs"][0].any()


def test_agreement_is_said():
    """A run that equals its reference says so at its first step."""
    stepper = RecurrentStepper(recorded(right), reference=recorded(right))

    assert stepper.step == 0
    assert stepper.texts[0].startswith("Every recorded value agrees with the reference. t = 1: the input arrives")


def test_a_missing_step_differs(record):
    """Steps that the reference does not have are outlined."""
    stepper = RecurrentStepper(record(times=4), reference=record(times=3, backward=False))

    assert arrays_of(stepper)["h.differs"][3].all()


def test_not_a_number_is_a_difference(record):
    """NaN parts from every number, and agrees with NaN."""
    broken = record()
    broken.of("h")[1].value[0] = torch.nan

    assert "h_2[0] is nan" in RecurrentStepper(broken, reference=record()).texts[4]
    assert RecurrentStepper(broken, reference=broken).step == 0


def test_a_recording_without_a_state_is_refused():
    """The error lists what there is and how to name it."""
    with pytest.raises(WidgetError) as caught:
        RecurrentStepper(Recording.from_arrays({"q": torch.zeros(2, 3)}))

    assert caught.value.what == "the recording has no state to draw: it has q."
    assert caught.value.hint == 'tap the state as "h", or say what it is called: names={"h": "my_step.result"}.'


def test_sizes_that_differ_from_the_reference_are_refused(record):
    """Cells can be held against each other only where there are as many."""
    with pytest.raises(WidgetError) as caught:
        RecurrentStepper(record(hidden=4), reference=record(hidden=5))

    assert caught.value.what == "h has 4 entries a step and the reference has 5."


def test_runs_that_are_mixed_are_refused(rng):
    """A value with another number of steps, or a shape that changes, is no single run."""
    mixed = Recording.from_arrays({"h": torch.zeros(3, 2), "x": torch.zeros(4, 2)})
    changing = Recording()
    for size in (2, 3):
        changing.append("h", torch.zeros(size))

    with pytest.raises(WidgetError, match="x has 4 steps and h has 3"):
        RecurrentStepper(mixed)
    with pytest.raises(WidgetError, match="h changes its shape from step to step"):
        RecurrentStepper(changing)
