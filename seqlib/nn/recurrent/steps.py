"""Taps for values that are computed for all steps at once: one frame a step, as if made one by one."""

import torch

from seqlib.errors import ShapeError
from seqlib.shapes import Float, Tensor
from seqlib.trace import is_recording, tap

__all__ = ["tap_steps"]


def tap_steps(name: str, values: Float[Tensor, "b t m"]) -> Float[Tensor, "b t m"]:
    """Tap each step's slice of a sequence under one name, and return the sequence.

    Raises:
        ShapeError: The sequence has no steps.

    >>> from seqlib.trace import recording
    >>> with recording() as frames:
    ...     _ = tap_steps("x", torch.zeros(1, 3, 2))
    >>> frames["x"].shape
    torch.Size([3, 1, 2])
    """
    if not values.shape[1]:
        raise ShapeError(
            f"{name} has shape {tuple(values.shape)}: a sequence without steps.", "pass a sequence of one step or more."
        )
    if not is_recording():
        return values
    # The slices are put together again, not thrown away, so that a gradient passes through the taps.
    return torch.stack([tap(name, value) for value in values.unbind(1)], dim=1)
