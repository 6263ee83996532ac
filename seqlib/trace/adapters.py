"""Recording what has no taps: any `torch.nn` module through hooks, any function at its call boundaries."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from seqlib.errors import TraceError
from seqlib.trace.tap import tap

__all__ = ["record_calls", "watch"]


@contextmanager
def watch(module: nn.Module) -> Iterator[None]:
    """Tap the output of every submodule, under its dotted name, while the block is open.

    Hooks see no gates inside a fused `nn.LSTM` and no heads inside fused attention: only what a submodule returns.

    >>> from seqlib.trace import recording
    >>> with recording() as frames, watch(nn.Sequential(nn.Identity(), nn.Flatten(0))):
    ...     pass
    >>> frames.names
    []
    """

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda _module, _arguments, output: _tap_all(name, output)

    handles = [part.register_forward_hook(hook(name or "output")) for name, part in module.named_modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def record_calls(function: Any, name: str | None = None) -> Callable[..., Any]:
    """Wrap a function so that each call taps its arguments and its result, by name.

    Args:
        function: Any function; numbers are recorded as tensors, other values than tensors and numbers are not.
        name: What to call it; its own name otherwise.

    Raises:
        TraceError: The value can't be called.

    >>> from seqlib.trace import recording
    >>> def double(x): return 2 * x
    >>> with recording() as frames:
    ...     record_calls(double)(torch.tensor(4.0))
    tensor(8.)
    >>> frames.names
    ['double.x', 'double.result']
    """
    if not callable(function):
        raise TraceError(f"{function!r} is not a function.", "pass the function itself, without calling it.")
    label = name or getattr(function, "__name__", type(function).__name__)
    signature = _signature(function)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments if signature else dict(enumerate(args)) | kwargs
        for argument, value in bound.items():
            _tap_all(f"{label}.{argument}", value)
        result = function(*args, **kwargs)
        _tap_all(f"{label}.result", result)
        return result

    return wrapped


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return None


def _tap_all(name: str, value: Any) -> None:
    if isinstance(value, Tensor):
        tap(name, value)
    elif isinstance(value, (bool, int, float)):
        tap(name, torch.tensor(value))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            _tap_all(f"{name}.{key}", part)
    elif isinstance(value, (tuple, list)):
        for position, part in enumerate(value):
            _tap_all(f"{name}.{position}", part)
