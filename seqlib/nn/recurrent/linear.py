"""The recurrence with nothing else in it: a linear map, applied again and again, and an input added each time."""

import torch

from seqlib.nn.recurrent.steps import tap_steps
from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Tensor
from seqlib.trace import is_recording, tap

__all__ = ["linear_recurrence"]


def linear_recurrence(
    x: Float[Tensor, "b t h"], W: Float[Tensor, "h h"], h0: Float[Tensor, "b h"] | None = None
) -> Float[Tensor, "b t h"]:
    r"""Run a linear state through time.

    $$h_t = W h_{t-1} + x_t, \qquad\text{so}\qquad h_t = W^t h_0 + \sum_{k=1}^{t} W^{t-k} x_k$$

    Args:
        x: What is added at each step.
        W: What the state is multiplied by at each step.
        h0: The state before the first step; zero when None.

    Returns:
        The state after each step.

    Raises:
        ShapeError: The sizes do not fit together.

    >>> linear_recurrence(torch.ones(1, 4, 1), W=torch.tensor([[0.5]])).flatten()
    tensor([1.0000, 1.5000, 1.7500, 1.8750])
    """
    require_sizes(x=(x, "b t h"), W=(W, "h h"), h0=(h0, "b h"))
    h = x.new_zeros(len(x), W.shape[0]) if h0 is None else h0
    transposed, recorded = W.mT, is_recording()  # asked once: an idle tap at each step is 2 % of so small a step
    states = []
    for x_t in tap_steps("x", x).unbind(1):
        h = torch.addmm(x_t, h, transposed)
        if recorded:
            tap("h", h)
        states.append(h)
    return torch.stack(states, dim=1)
