"""`tap` names a value where it is made, and `recording` keeps what is tapped while it is open."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from seqlib.trace.recording import Frame, Recording

__all__ = ["is_recording", "recording", "tap"]

# A plain global, not a context variable: reading it is most of what a tap costs when nothing records.
_open: list[tuple[Recording, bool]] | None = None


def tap(name: str, value: Tensor) -> Tensor:
    """Return a value unchanged, and keep a copy of it in every open recording.

    >>> with recording() as frames:
    ...     y = tap("y", torch.tensor([2.0])) * 3
    >>> frames["y"], y
    (tensor([[2.]]), tensor([6.]))
    """
    return value if _open is None else _keep(name, value)


def _keep(name: str, value: Tensor) -> Tensor:
    """What a tap does while something records; apart from it, since a call costs by the size of its function."""
    if torch.compiler.is_compiling():
        return value
    for kept, backward in _open or ():
        frame = kept.append(name, value)
        if backward and value.requires_grad:
            value.register_hook(_keeper(frame))
    return value


def is_recording() -> bool:
    """Say whether a tap would be kept: for work, such as slicing, that only a recording needs.

    >>> with recording():
    ...     is_recording()
    True
    """
    return _open is not None and not torch.compiler.is_compiling()


@contextmanager
def recording(*, backward: bool = False) -> Iterator[Recording]:
    """Keep every tapped value, in order, until the block ends.

    Args:
        backward: Also keep the gradient of each value, whenever a backward pass reaches it, inside the block or after.

    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> with recording(backward=True) as frames:
    ...     (tap("x", x) ** 2).backward()
    >>> frames.gradients("x")
    tensor([[6.]])
    """
    global _open
    kept = Recording()
    before = _open
    _open = [*(before or []), (kept, backward)]
    try:
        yield kept
    finally:
        _open = before


def _keeper(frame: Frame):  # type: ignore[no-untyped-def]
    def keep(grad: Tensor) -> None:
        copy = grad.detach().to("cpu", copy=True)
        frame.grad = copy if frame.grad is None else frame.grad + copy

    return keep
