"""The gradient written by hand, against autograd."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from seqlib.errors import ShapeError
from seqlib.nn.recurrent import Parameters, bptt
from seqlib.nn.recurrent.parameters import uniform_parameters

small = st.integers(1, 5)


def _problem(batch=3, steps=6, inputs=2, hidden=4, outputs=5, seed=0):
    rng = torch.Generator().manual_seed(seed)
    parameters = uniform_parameters(inputs, hidden, outputs, rng, torch.float64)
    x = torch.randn(batch, steps, inputs, generator=rng, dtype=torch.float64)
    h0 = torch.randn(batch, hidden, generator=rng, dtype=torch.float64)
    return parameters, x, torch.randint(outputs, (batch, steps), generator=rng), h0


@settings(max_examples=40, deadline=None)
@given(small, st.integers(1, 12), small, small, st.integers(2, 5), st.integers(0, 2**31))
def test_equal_to_autograd(batch, steps, inputs, hidden, outputs, seed):
    """All five parameters, every input and the first state get autograd's gradient, to 1e-10 in float64."""
    parameters, x, targets, h0 = _problem(batch, steps, inputs, hidden, outputs, seed)
    leaves = [tensor.clone().requires_grad_() for tensor in (*parameters, x, h0)]
    loss = bptt.forward(Parameters(*leaves[:5]), leaves[5], targets, leaves[6]).loss
    expected = torch.autograd.grad(loss, leaves)

    found = bptt.backward(parameters, x, targets, bptt.forward(parameters, x, targets, h0))

    for ours, theirs in zip((*found.total, found.inputs, found.states[:, 0]), expected, strict=True):
        assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_loss_is_torchs_cross_entropy():
    """The loss is the sum over the steps of the mean over the batch, as torch counts it."""
    parameters, x, targets, h0 = _problem()

    run = bptt.forward(parameters, x, targets, h0)

    expected = torch.nn.functional.cross_entropy(run.logits.flatten(0, 1), targets.flatten(), reduction="sum") / len(x)
    assert_close(run.loss, expected, rtol=1e-14, atol=0)


def test_a_piece_is_the_gradient_of_one_use():
    """With a copy of W, U and b for each step, autograd gives each copy the piece of its step."""
    parameters, x, targets, h0 = _problem()
    steps = x.shape[1]
    run = bptt.forward(parameters, x, targets, h0)
    copies = [[p.clone().requires_grad_() for p in parameters] for _ in range(steps)]
    h, loss = h0, torch.zeros((), dtype=torch.float64)
    for t, (W, U, b, V, c) in enumerate(copies):
        h = torch.tanh(h @ W.mT + x[:, t] @ U.mT + b)
        loss = loss + torch.nn.functional.cross_entropy(h @ V.mT + c, targets[:, t])
    loss.backward()

    found = bptt.backward(parameters, x, targets, run)

    for position, (piece, whole) in enumerate(zip(found.pieces, found.total, strict=True)):
        expected = torch.stack([copies[t][position].grad for t in range(steps)])
        assert_close(piece, expected, rtol=1e-12, atol=1e-12)
        assert_close(piece.sum(0), whole, rtol=0, atol=0)


def test_pairs_of_loss_and_use_add_up_both_ways():
    """Summed over losses the pairs are the pieces; a row is the gradient of one step's loss; no loss reaches ahead."""
    parameters, x, targets, h0 = _problem()
    leaf = parameters.W.clone().requires_grad_()
    run = bptt.forward(parameters._replace(W=leaf), x, targets, h0)
    rows = [torch.autograd.grad(loss, leaf, retain_graph=True)[0] for loss in run.losses]

    pairs = bptt.losses_to_uses(parameters, x, targets, bptt.forward(parameters, x, targets, h0))

    assert_close(pairs.sum(1), torch.stack(rows), rtol=1e-12, atol=1e-12)
    pieces = bptt.backward(parameters, x, targets, bptt.forward(parameters, x, targets, h0)).pieces
    assert_close(pairs.sum(0), pieces.W, rtol=1e-12, atol=1e-12)
    ahead = torch.ones(pairs.shape[:2], dtype=torch.bool).triu(1)
    assert not pairs[ahead].any()


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named():
    """One target for each step, no more and no fewer."""
    parameters, x, targets, _ = _problem()

    with pytest.raises(ShapeError) as caught:
        bptt.forward(parameters, x, targets[:, 1:])

    assert str(caught.value) == (
        "targets has shape (3, 5), which is not [b t]: t is 6 in h.\nHint: pass targets with shape (3, 6)."
    )
