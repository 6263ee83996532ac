"""Two recordings side by side: the first frame and the first index where they part."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seqlib.trace.recording import Frame, Recording

__all__ = ["Difference", "compare"]


@dataclass(frozen=True)
class Difference:
    """Where two recordings part.

    Attributes:
        name: The name of the first frame that differs.
        index: Which frame of that name, counted from 0.
        position: The first differing index inside the frame; empty when the shapes differ or a frame is missing.
        left: The value on the left there; None when the frame is missing or the shapes differ.
        right: The value on the right there.
        left_shape: The frame's shape on the left; None when the frame is missing.
        right_shape: The frame's shape on the right; None when the frame is missing.
    """

    name: str
    index: int
    position: tuple[int, ...] = ()
    left: float | None = None
    right: float | None = None
    left_shape: tuple[int, ...] | None = None
    right_shape: tuple[int, ...] | None = None

    def __str__(self) -> str:
        frame = f"{self.name}, frame {self.index}"
        if self.left_shape is None or self.right_shape is None:
            side = "left" if self.left_shape is None else "right"
            return f"{frame}: missing on the {side}"
        if self.left_shape != self.right_shape:
            return f"{frame}: shape {self.left_shape} against {self.right_shape}"
        return f"{frame}, index {list(self.position)}: {self.left:.6g} against {self.right:.6g}"


def compare(left: Recording, right: Recording, *, rtol: float = 1e-7, atol: float = 1e-9) -> Difference | None:
    """Find the first frame where two recordings part, in the order of the right one.

    Only names that both recordings have are compared: a student's function may tap less than the reference.

    Args:
        left: The recording in question.
        right: The recording to hold it against.
        rtol: Relative tolerance, as a share of the right value.
        atol: Absolute tolerance.

    Returns:
        The first difference, or None when the shared names agree in number, shape and value.

    >>> a = Recording.from_arrays({"h": torch.tensor([[0.0, 1.0], [2.0, 3.0]])})
    >>> b = Recording.from_arrays({"h": torch.tensor([[0.0, 1.0], [2.0, 3.5]])})
    >>> print(compare(a, b))
    h, frame 1, index [1]: 3 against 3.5
    """
    shared = set(left.names) & set(right.names)
    frames = {(frame.name, frame.index): frame for frame in left.frames}
    for theirs in right.frames:
        if theirs.name in shared:
            found = _difference(frames.pop((theirs.name, theirs.index), None), theirs, rtol, atol)
            if found:
                return found
    extra = next((frame for key, frame in frames.items() if key[0] in shared), None)
    return None if extra is None else Difference(extra.name, extra.index, left_shape=tuple(extra.value.shape))


def _difference(ours: Frame | None, theirs: Frame, rtol: float, atol: float) -> Difference | None:
    right_shape = tuple(theirs.value.shape)
    if ours is None:
        return Difference(theirs.name, theirs.index, right_shape=right_shape)
    left_shape = tuple(ours.value.shape)
    if left_shape != right_shape:
        return Difference(theirs.name, theirs.index, left_shape=left_shape, right_shape=right_shape)
    a, b = _exact(ours.value), _exact(theirs.value)
    apart = ~torch.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    if not apart.any():
        return None
    position = tuple(apart.nonzero()[0].tolist())
    values = a[position].item(), b[position].item()
    return Difference(theirs.name, theirs.index, position, *values, left_shape, right_shape)


def _exact(value: Tensor) -> Tensor:
    return value.to(torch.float64)
