"""One step and its readout, against torch and against a loop over numbers."""

import math

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ShapeError
from seqlib.nn.recurrent import readout, rnn_step
from seqlib.trace import recording


def test_step_equals_torch_cell(draw):
    """One step is torch.nn.RNNCell with its two biases added (float64: a few roundings apart)."""
    theirs = torch.nn.RNNCell(3, 4, dtype=torch.float64)
    x, h = draw(5, 3), draw(5, 4)
    bias = theirs.bias_ih + theirs.bias_hh

    ours = rnn_step(x, h, theirs.weight_hh, theirs.weight_ih, bias)

    assert_close(ours, theirs(x, h), rtol=0, atol=1e-14)


def test_step_and_readout_equal_loops_over_numbers(draw):
    """Both equations, written once more without a matrix."""
    x, h, W, U, b, V, c = draw(2), draw(3), draw(3, 3), draw(3, 2), draw(3), draw(4, 3), draw(4)

    new = rnn_step(x, h, W, U, b)
    scores = readout(new, V, c)

    for i in range(3):
        a = sum(W[i, j] * h[j] for j in range(3)) + sum(U[i, j] * x[j] for j in range(2)) + b[i]
        assert new[i].item() == pytest.approx(math.tanh(a), abs=1e-14)
    for i in range(4):
        assert scores[i].item() == pytest.approx(float(sum(V[i, j] * new[j] for j in range(3)) + c[i]), abs=1e-14)


def test_leading_axes_are_free(draw):
    """A step over a batch is the steps of its members."""
    x, h, W, U, b = draw(2, 5, 3), draw(2, 5, 4), draw(4, 4), draw(4, 3), draw(4)

    together = rnn_step(x, h, W, U, b)

    assert_close(together[1, 2], rnn_step(x[1, 2], h[1, 2], W, U, b), rtol=0, atol=1e-14)


def test_a_step_is_recorded(draw):
    """A recording holds x, a, h and o of the step."""
    x, h, W, U, b, V, c = draw(1, 2), draw(1, 3), draw(3, 3), draw(3, 2), draw(3), draw(4, 3), draw(4)

    with recording() as frames:
        scores = readout(rnn_step(x, h, W, U, b), V, c)

    assert set(frames.names) == {"x", "a", "h", "o"}
    assert_close(frames["h"], frames["a"].tanh(), rtol=0, atol=0)
    assert_close(frames["o"][0], scores, rtol=0, atol=0)


def test_gradcheck(draw):
    """The derivative of step and readout agrees with finite differences."""
    inputs = [draw(*shape).requires_grad_() for shape in ((2, 2), (2, 3), (3, 3), (3, 2), (3,), (2, 3), (2,))]

    assert torch.autograd.gradcheck(lambda x, h, W, U, b, V, c: readout(rnn_step(x, h, W, U, b), V, c), inputs)


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named(draw):
    """A transposed U is said to be one."""
    with pytest.raises(ShapeError) as caught:
        rnn_step(draw(5, 2), draw(5, 3), draw(3, 3), draw(2, 3), draw(3))

    assert str(caught.value) == (
        "U has shape (2, 3), which is not [h i]: h is 3 in h.\nHint: pass U with shape (3, 2); U.mT has it."
    )

    with pytest.raises(ShapeError) as caught:
        readout(draw(5, 3), draw(4, 2), draw(4))

    assert str(caught.value) == (
        "V has shape (4, 2), which is not [o h]: h is 3 in h.\nHint: pass V with shape (4, 3)."
    )
