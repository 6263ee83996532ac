"""How a small change of an early state reaches a late one: Jacobians of single steps, and their products."""

import torch

from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Tensor

__all__ = ["gradient_norms", "jacobian_products", "singular_values", "spectral_radius", "step_jacobians"]


def step_jacobians(h: Float[Tensor, "*b t h"], W: Float[Tensor, "h h"]) -> Float[Tensor, "*b t h h"]:
    r"""Differentiate each state by the one before it.

    $$\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2) \, W$$

    Args:
        h: The state after each step, as `rnn` returns it.
        W: How the state acts on the next state.

    Returns:
        One matrix for each step: row, the entry of the later state; column, of the earlier one.

    Raises:
        ShapeError: The sizes do not fit together.

    Source: Pascanu, Mikolov and Bengio 2013, section 2, equation 5, for a state after its tanh.

    >>> step_jacobians(torch.tensor([[0.0], [0.5]]), W=torch.tensor([[2.0]])).flatten()
    tensor([2.0000, 1.5000])
    """
    require_sizes(h=(h, "... t h"), W=(W, "h h"))
    return (1 - h**2)[..., None] * W


def jacobian_products(steps: Float[Tensor, "t h h"]) -> Float[Tensor, "t h h"]:
    r"""Multiply the Jacobians of the steps up, so that entry t differentiates its state by the one before the first.

    $$\frac{\partial h_t}{\partial h_0} = \frac{\partial h_t}{\partial h_{t-1}} \cdots
      \frac{\partial h_1}{\partial h_0}$$

    >>> jacobian_products(torch.tensor([2.0, 3.0, 0.5])[:, None, None]).flatten()
    tensor([2., 6., 3.])
    """
    require_sizes(steps=(steps, "t h h"))
    product = torch.eye(steps.shape[-1], dtype=steps.dtype, device=steps.device)
    products = []
    for step in steps:
        product = step @ product
        products.append(product)
    return torch.stack(products)


def gradient_norms(steps: Float[Tensor, "t h h"], gradient: Float[Tensor, "h"]) -> Float[Tensor, "t+1"]:
    r"""Carry the gradient of the last state back through the steps, and measure it at each state.

    Args:
        steps: The Jacobian of each step.
        gradient: The gradient of a loss with respect to the last state.

    Returns:
        The Euclidean norm of the gradient at each state, from the one before the first step to the last.

    Raises:
        ShapeError: The sizes do not fit together.

    >>> gradient_norms(torch.tensor([2.0, 3.0, 0.5])[:, None, None], torch.ones(1))
    tensor([3.0000, 1.5000, 0.5000, 1.0000])
    """
    require_sizes(steps=(steps, "t h h"), gradient=(gradient, "h"))
    norms = [gradient.norm()]
    for step in steps.flip(0):
        gradient = gradient @ step
        norms.append(gradient.norm())
    return torch.stack(norms[::-1])


def singular_values(matrices: Float[Tensor, "*b h h"]) -> Float[Tensor, "*b h"]:
    """How much each matrix stretches along its own directions, largest first.

    All below 1 at every step is enough for a product to vanish; one above 1 is needed for it to explode, not enough.

    >>> singular_values(torch.tensor([[0.0, 3.0], [0.0, 0.0]]))
    tensor([3., 0.])
    """
    return torch.linalg.svdvals(matrices)


def spectral_radius(W: Float[Tensor, "h h"]) -> float:
    """The largest absolute value of an eigenvalue: what one step comes to multiply by in the long run.

    >>> spectral_radius(torch.tensor([[0.0, 3.0], [0.0, 0.0]]))
    0.0
    """
    return float(torch.linalg.eigvals(W).abs().max())
