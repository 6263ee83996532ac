"""Clipping by the norm of all tensors together."""

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import TrainError
from seqlib.nn.recurrent import clip_by_norm


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100.0])
def test_equal_to_torch(draw, max_norm):
    """Same norm and same gradients as torch's, which adds 1e-6 to the norm before it divides."""
    gradients = [draw(3, 4), draw(5), draw(())]
    weights = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    theirs = torch.nn.utils.clip_grad_norm_(weights, max_norm)

    clipped, norm = clip_by_norm(gradients, max_norm)

    assert_close(norm, theirs, rtol=1e-14, atol=0)
    for ours, weight in zip(clipped, weights, strict=True):
        assert_close(ours, weight.grad, rtol=1e-6, atol=0)


def test_length_is_cut_and_direction_kept(draw):
    """Too long: exactly the limit, same direction, and the given tensors stay as they were."""
    gradients = [draw(3), draw(2, 2)]
    before = [g.clone() for g in gradients]

    clipped, norm = clip_by_norm(gradients, 0.5)

    assert torch.cat([g.flatten() for g in clipped]).norm().item() == pytest.approx(0.5, abs=1e-15)
    for ours, given in zip(clipped, before, strict=True):
        assert_close(ours * norm / 0.5, given, rtol=1e-14, atol=1e-15)
    for given, kept in zip(gradients, before, strict=True):
        assert torch.equal(given, kept)


def test_short_gradients_pass_unchanged(draw):
    """Short, zero and absent gradients keep every bit."""
    short = draw(3) * 1e-3

    assert torch.equal(clip_by_norm([short], 1.0)[0][0], short)
    assert torch.equal(clip_by_norm([torch.zeros(2)], 1.0)[0][0], torch.zeros(2))
    assert clip_by_norm([], 1.0) == ([], torch.zeros(()))


@pytest.mark.parametrize(
    ("tensor", "limit", "message"),
    [
        (1.0, 0.0, "max_norm is 0.0, not above zero.\nHint: pass the longest gradient that you allow, say 1.0."),
        (
            float("nan"),
            1.0,
            "the gradient has the norm nan, and no factor makes that finite.\n"
            "Hint: clip from the first step on, or lower the learning rate.",
        ),
    ],
)
def test_bad_input_is_named(tensor, limit, message):
    """A limit that is none, and a gradient that is lost already."""
    with pytest.raises(TrainError) as caught:
        clip_by_norm([torch.tensor(tensor)], limit)

    assert str(caught.value) == message
