"""Clipping: a gradient that is too long is made shorter and keeps its direction."""

from collections.abc import Iterable

import torch

from seqlib.errors import TrainError
from seqlib.shapes import Float, Tensor

__all__ = ["clip_by_norm"]


def clip_by_norm(
    tensors: Iterable[Float[Tensor, "..."]], max_norm: float
) -> tuple[list[Float[Tensor, "..."]], Float[Tensor, ""]]:
    r"""Scale all tensors by one factor, so that together they are no longer than a limit.

    $$g \leftarrow g \, \min\!\left(1, \frac{\theta}{\lVert g \rVert}\right)$$

    Args:
        tensors: The gradients, as parts of one long vector; they are not changed.
        max_norm: The limit theta.

    Returns:
        The scaled tensors, and the norm that they had together before.

    Raises:
        TrainError: The limit is not above zero, or the norm is infinite or not a number.

    Source: Pascanu, Mikolov and Bengio 2013, section 3.2, algorithm 1.

    >>> clip_by_norm([torch.tensor([3.0]), torch.tensor([4.0])], max_norm=1.0)
    ([tensor([0.6000]), tensor([0.8000])], tensor(5.))
    """
    parts = list(tensors)
    if not max_norm > 0:
        raise TrainError(
            f"max_norm is {max_norm}, not above zero.", "pass the longest gradient that you allow, say 1.0."
        )
    if not parts:
        return [], torch.zeros(())
    norm = torch.stack([part.norm() for part in parts]).norm()
    if not norm.isfinite():
        raise TrainError(
            f"the gradient has the norm {float(norm)}, and no factor makes that finite.",
            "clip from the first step on, or lower the learning rate.",
        )
    scale = (max_norm / norm).clamp(max=1.0)
    return [part * scale for part in parts], norm
