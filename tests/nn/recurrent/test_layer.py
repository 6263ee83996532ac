"""The unrolled layer: the cell in a loop, blind to the future and to padding."""

from contextlib import nullcontext

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ShapeError
from seqlib.nn.recurrent import rnn, rnn_step
from seqlib.trace import recording


@pytest.fixture
def weights(draw):
    """W, U and b for 3 inputs and 4 hidden units."""
    return draw(4, 4), draw(4, 3), draw(4)


def test_layer_is_the_cell_in_a_loop(draw, weights):
    """Same states, same frames, whether the cell is called by hand or unrolled."""
    x, h = draw(2, 5, 3), draw(2, 4)

    with recording() as ours:
        states = rnn(x, *weights, h)
    with recording() as loop:
        for t in range(5):
            h = rnn_step(x[:, t], h, *weights)

    assert_close(states[:, -1], h, rtol=0, atol=1e-14)
    for name in ("x", "a", "h"):
        assert_close(ours[name], loop[name], rtol=0, atol=1e-14)


@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 3])])
def test_recording_changes_nothing(draw, weights, lengths):
    """States and gradients are the same bits whether a step keeps its a for a recording or overwrites it."""
    results = []
    for context in (recording(), nullcontext()):
        leaves = [w.clone().requires_grad_() for w in weights]
        x = torch.linspace(-2, 2, 30, dtype=torch.float64).reshape(2, 5, 3).requires_grad_()
        with context as frames:
            states = rnn(x, *leaves, lengths=lengths)
        if frames is not None:
            assert_close(frames["a"][0].tanh(), frames["h"][0], rtol=0, atol=0)
        results.append((states, *torch.autograd.grad(states.square().sum(), [x, *leaves])))

    assert_close(results[0], results[1], rtol=0, atol=0)


def test_future_cannot_leak(draw, weights):
    """Changing an input leaves every earlier state bit for bit the same, and changes its own."""
    x = draw(2, 6, 3)
    before = rnn(x, *weights)
    x[:, 3] += 1.0

    after = rnn(x, *weights)

    assert_close(after[:, :3], before[:, :3], rtol=0, atol=0)
    assert (after[:, 3] != before[:, 3]).any()


def test_reverse_is_the_layer_on_the_reversed_sequence(draw, weights):
    """Reading backward is reading a flipped sequence and flipping the answer."""
    x, h0 = draw(2, 5, 3), draw(2, 4)

    backward = rnn(x, *weights, h0, reverse=True)

    assert_close(backward, rnn(x.flip(1), *weights, h0).flip(1), rtol=0, atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
def test_padding_does_not_matter(draw, weights, reverse):
    """A sequence batched with longer ones gets the states that it gets alone, and no gradient from a NaN behind it."""
    x, lengths = draw(3, 6, 3), torch.tensor([2, 6, 4])
    alone = [rnn(x[i : i + 1, :n], *weights, reverse=reverse)[0] for i, n in enumerate(lengths.tolist())]
    x[0, 2:] = torch.nan
    x[2, 4:] = torch.inf
    U = weights[1].requires_grad_()

    together = rnn(x, weights[0], U, weights[2], lengths=lengths, reverse=reverse)
    together.sum().backward()

    assert U.grad is not None
    assert U.grad.isfinite().all()
    for states, expected, length in zip(together.detach(), alone, lengths.tolist(), strict=True):
        assert_close(states[:length], expected, rtol=0, atol=1e-14)
        assert not states[length:].any()


def test_state_is_held_in_padding(draw, weights):
    """The recorded state of a sequence that has ended stays as it was."""
    with recording() as frames:
        rnn(draw(2, 5, 3), *weights, lengths=torch.tensor([2, 5]))

    assert_close(frames["h"][2:, 0], frames["h"][1, 0].expand(3, 4), rtol=0, atol=0)


def test_gradients_of_all_taps_are_autograds(draw, weights):
    """The recorded gradient of x, a and h at each step is the one autograd gives for a copy added there."""
    x = draw(1, 3, 3).requires_grad_()
    with recording(backward=True) as frames:
        rnn(x, *weights)[:, -1].sum().backward()

    assert x.grad is not None
    assert_close(frames.gradients("x")[:, 0], x.grad[0], rtol=0, atol=1e-14)
    slope = 1 - frames["h"] ** 2
    assert_close(frames.gradients("a"), slope * frames.gradients("h"), rtol=0, atol=1e-14)
    assert_close(frames.gradients("h")[-1], torch.ones(1, 4, dtype=torch.float64), rtol=0, atol=0)


def test_prefix_renames_the_taps(draw, weights):
    """Layers of a deep network are told apart by a prefix."""
    with recording() as frames:
        rnn(draw(1, 2, 3), *weights, prefix="layer1.")

    assert frames.names == ["layer1.x", "layer1.a", "layer1.h"]


def test_gradcheck(draw, weights):
    """Through lengths and both directions the derivative agrees with finite differences."""
    x, h0 = draw(2, 4, 3).requires_grad_(), draw(2, 4).requires_grad_()
    tensors = [tensor.requires_grad_() for tensor in weights]

    for reverse in (False, True):
        assert torch.autograd.gradcheck(
            lambda x, h0, W, U, b, back=reverse: rnn(x, W, U, b, h0, torch.tensor([2, 4]), back), [x, h0, *tensors]
        )


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x": torch.zeros(5, 3)},
            "x has shape (5, 3), which is not [b t i]: it has 2 axes, not 3.\nHint: pass x with shape (b, t, i).",
        ),
        (
            {"h0": torch.zeros(2, 5)},
            "h0 has shape (2, 5), which is not [b h]: h is 4 in W.\nHint: pass h0 with shape (2, 4).",
        ),
        (
            {"lengths": torch.tensor([5, 6])},
            "lengths[1] is 6, but x has 5 steps.\nHint: pass lengths between 1 and 5.",
        ),
        (
            {"lengths": torch.tensor([0, 5])},
            "lengths[0] is 0, but x has 5 steps.\nHint: pass lengths between 1 and 5.",
        ),
        (
            {"x": torch.zeros(2, 0, 3)},
            "x has shape (2, 0, 3): a sequence without steps.\nHint: pass a sequence of one step or more.",
        ),
    ],
)
def test_bad_input_is_named(changes, message):
    """The whole message for each thing that does not fit."""
    good = {"x": torch.zeros(2, 5, 3), "W": torch.zeros(4, 4), "U": torch.zeros(4, 3), "b": torch.zeros(4)}

    with pytest.raises(ShapeError) as caught:
        rnn(**good | changes)

    assert str(caught.value) == message
