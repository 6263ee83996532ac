"""Jacobians of steps and their products, against autograd and closed forms."""

import math

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ShapeError
from seqlib.nn.recurrent import (
    gradient_norms,
    jacobian_products,
    rnn,
    rnn_step,
    singular_values,
    spectral_radius,
    step_jacobians,
)
from seqlib.trace import recording


def test_a_step_jacobian_is_autograds(draw):
    """Row by row, diag(1 - h^2) W is what autograd says of one step."""
    x, h, W, U, b = draw(2), draw(3), draw(3, 3), draw(3, 2), draw(3)

    ours = step_jacobians(rnn_step(x, h, W, U, b)[None], W)

    theirs = torch.autograd.functional.jacobian(lambda h: rnn_step(x, h, W, U, b), h)
    assert_close(ours[0], theirs, rtol=0, atol=1e-13)


def test_a_batch_of_sequences_has_a_batch_of_jacobians(draw):
    """Leading axes are free."""
    h, W = draw(2, 5, 3).tanh(), draw(3, 3)

    together = step_jacobians(h, W)

    assert_close(together[1], step_jacobians(h[1], W), rtol=0, atol=0)


def test_products_are_the_jacobian_of_the_whole_run(draw):
    """Entry t is the derivative of state t by the first state, through all steps between."""
    x, h0, W, U, b = draw(1, 5, 2), draw(1, 3), draw(3, 3), draw(3, 2), draw(3)

    products = jacobian_products(step_jacobians(rnn(x, W, U, b, h0)[0], W))

    theirs = torch.autograd.functional.jacobian(lambda h: rnn(x, W, U, b, h)[0], h0)[:, :, 0]
    assert_close(products, theirs, rtol=0, atol=1e-12)


def test_gradient_norms_are_those_of_a_recording(draw):
    """Carried back by Jacobians, the gradient has at each state the norm that autograd's has."""
    x, W, U, b = draw(1, 6, 2), draw(3, 3), draw(3, 2), draw(3)
    h0 = draw(1, 3).requires_grad_()
    gradient = draw(3)
    with recording(backward=True) as frames:
        states = rnn(x, W, U, b, h0)
        (states[0, -1] @ gradient).backward()

    norms = gradient_norms(step_jacobians(states[0].detach(), W), gradient)

    assert h0.grad is not None
    theirs = torch.cat([h0.grad, frames.gradients("h")[:, 0]]).norm(dim=-1)
    assert_close(norms, theirs, rtol=1e-12, atol=1e-13)


def test_a_symmetric_matrix_grows_by_its_spectral_radius(draw):
    """Far back, the log norm falls or grows by the log spectral radius a step."""
    root = draw(8, 8)
    W = root + root.mT
    for radius in (0.8, 1.0, 1.2):
        scaled = W * radius / spectral_radius(W)

        norms = gradient_norms(scaled.expand(400, 8, 8), draw(8))

        slope = (norms[0].log() - norms[100].log()).item() / 100
        assert slope == pytest.approx(math.log(radius), abs=1e-3)


def test_a_product_can_vanish_although_each_factor_stretches():
    """A largest singular value above 1 does not suffice to explode: two shears by 3 give nothing, or 9."""
    right = torch.tensor([[0.0, 3.0], [0.0, 0.0]], dtype=torch.float64)

    assert singular_values(right)[0] == 3
    assert spectral_radius(right) == 0
    assert not jacobian_products(right.expand(2, 2, 2))[1].any()
    assert jacobian_products(torch.stack([right, right.mT]))[1].max() == 9


def test_products_stretch_no_more_than_their_factors(draw):
    """The largest singular value of a product is at most the product of the largest ones."""
    steps = draw(6, 4, 4)

    products = singular_values(jacobian_products(steps))[:, 0]

    assert (products <= singular_values(steps)[:, 0].cumprod(0) * (1 + 1e-12)).all()


def test_spectral_radius_of_a_rotation():
    """Complex eigenvalues count by their absolute value: a turn by any angle, doubled, has radius 2."""
    turn = torch.tensor([[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]], dtype=torch.float64)

    assert spectral_radius(2 * turn) == pytest.approx(2, abs=1e-14)


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named(draw):
    """Matrices must be square, and the gradient as long as the state."""
    with pytest.raises(ShapeError) as caught:
        gradient_norms(draw(5, 3, 3), draw(2))
    assert str(caught.value) == (
        "gradient has shape (2,), which is not [h]: h is 3 in steps.\nHint: pass gradient with shape (3,)."
    )

    with pytest.raises(ShapeError) as caught:
        jacobian_products(draw(5, 3, 4))
    assert str(caught.value) == (
        "steps has shape (5, 3, 4), which is not [t h h]: h is 3 in steps.\nHint: pass steps with shape (5, 3, 3)."
    )
