"""Comparing two plain values: the first place where they part, and the sentences that say so."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from seqlib.checks.values import Value

__all__ = ["Mismatch", "describe_type", "dtype_name", "float_agrees", "mismatch"]


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Where an actual value parts from the expected one.

    Attributes:
        kind: One of type, length, names, dtype, shape, finite, value.
        path: The place inside a tuple, list or dict, such as `[1]` or `['W']`.
        expected: What was expected there, as text.
        got: What came, as text.
        index: The first entry that differs; None where the values are no tensors.
        count: How many entries differ, and of how many.
        expected_shape: Shape of the expected tensor; None for another type.
        got_shape: Shape of the actual tensor; None for another type.
    """

    kind: str
    expected: str
    got: str
    path: str = ""
    index: tuple[int, ...] | None = None
    count: tuple[int, int] = (0, 0)
    expected_shape: tuple[int, ...] | None = None
    got_shape: tuple[int, ...] | None = None


def mismatch(
    actual: Value, expected: Value, *, rtol: float | int, atol: float | int, path: str = ""
) -> Mismatch | None:
    """The first place where `actual` is not within `atol + rtol * |expected|`, or None.

    Types, dtypes and shapes must be equal (nothing is broadcast), a list may stand for a tuple,
    and NaN and infinities must stand at the same places as in `expected`.

    >>> mismatch([1.0, 2.0], (1.0, 2.5), rtol=0, atol=1e-9).path
    '[1]'
    """
    if isinstance(expected, Tensor) and isinstance(actual, Tensor):
        return _tensors(actual, expected, rtol, atol, path)
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return _sequences(actual, expected, rtol, atol, path)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _mappings(actual, expected, rtol, atol, path)
    if type(actual) is not type(expected):
        return _different("type", path, actual, expected, describe_type(actual), describe_type(expected))
    if isinstance(expected, float):
        if float_agrees(actual, expected, rtol, atol):
            return None
        kind = "finite" if math.isfinite(expected) and not math.isfinite(actual) else "value"
        return _different(kind, path, actual, expected, *_numbers(actual, expected))
    if actual == expected:
        return None
    return _different("value", path, actual, expected, _short(actual), _short(expected))


def float_agrees(actual: float, expected: float, rtol: float | int, atol: float | int) -> bool:
    """Whether two floats agree; NaN agrees with NaN."""
    if math.isnan(expected) or math.isnan(actual):
        return math.isnan(expected) and math.isnan(actual)
    if math.isinf(expected) or math.isinf(actual):
        return actual == expected
    return abs(actual - expected) <= atol + rtol * abs(expected)


def _sequences(actual: Any, expected: Any, rtol: float | int, atol: float | int, path: str) -> Mismatch | None:
    if len(actual) != len(expected):
        return Mismatch(kind="length", path=path, expected=_parts(expected), got=_parts(actual))
    for number_, (a, e) in enumerate(zip(actual, expected, strict=True)):
        found = mismatch(a, e, rtol=rtol, atol=atol, path=f"{path}[{number_}]")
        if found is not None:
            return found
    return None


def _names(value: Any) -> str:
    return f"the names {', '.join(sorted(value))}"[:80] if value else "no names"


def _parts(value: Any) -> str:
    return "1 part" if len(value) == 1 else f"{len(value)} parts"


def _mappings(actual: Any, expected: Any, rtol: float | int, atol: float | int, path: str) -> Mismatch | None:
    if sorted(actual) != sorted(expected):
        return Mismatch(kind="names", path=path, expected=_names(expected), got=_names(actual))
    for key in expected:
        found = mismatch(actual[key], expected[key], rtol=rtol, atol=atol, path=f"{path}[{key!r}]")
        if found is not None:
            return found
    return None


def _tensors(actual: Tensor, expected: Tensor, rtol: float | int, atol: float | int, path: str) -> Mismatch | None:
    make = partial(Mismatch, path=path, expected_shape=tuple(expected.shape), got_shape=tuple(actual.shape))
    if actual.shape != expected.shape:
        return make(kind="shape", expected=str(list(expected.shape)), got=str(list(actual.shape)))
    if actual.dtype != expected.dtype:
        return make(kind="dtype", expected=dtype_name(expected), got=dtype_name(actual))
    agrees = _agreeing(actual, expected, rtol, atol)
    if bool(agrees.all()):
        return None
    differs = ~agrees
    total = int(differs.sum())
    index = tuple(int(i) for i in differs.nonzero()[0])
    a, e = actual[index].item(), expected[index].item()
    got, wanted = _numbers(a, e)
    finite = isinstance(a, float) and isinstance(e, float) and math.isfinite(e) and not math.isfinite(a)
    kind = "finite" if finite else "value"
    return make(kind=kind, expected=wanted, got=got, index=index, count=(total, actual.numel()))


def _agreeing(actual: Tensor, expected: Tensor, rtol: float | int, atol: float | int) -> Tensor:
    if not expected.dtype.is_floating_point and not expected.dtype.is_complex:
        return actual == expected
    wide = torch.complex128 if expected.dtype.is_complex else torch.float64
    a, e = actual.to(wide), expected.to(wide)
    near = ((a - e).abs() <= atol + rtol * e.abs()) & a.isfinite() & e.isfinite()
    return near if bool(near.all()) else near | (a == e) | (a.isnan() & e.isnan())


def _different(kind: str, path: str, actual: Value, expected: Value, got: str, wanted: str) -> Mismatch:
    return Mismatch(
        kind=kind,
        path=path,
        expected=wanted,
        got=got,
        expected_shape=tuple(expected.shape) if isinstance(expected, Tensor) else None,
        got_shape=tuple(actual.shape) if isinstance(actual, Tensor) else None,
    )


def describe_type(value: Value) -> str:
    """A value's type in a student's words.

    >>> describe_type(None), describe_type(torch.zeros(2, 3)), describe_type((1, 2))
    ('None', 'a tensor of shape [2, 3]', 'a tuple of 2')
    """
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of shape {list(value.shape)}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return f"the {type(value).__name__} {_short(value)}"


def dtype_name(value: Tensor) -> str:
    """A tensor's dtype without the name of the library."""
    return str(value.dtype).removeprefix("torch.")


def _numbers(actual: Any, expected: Any) -> tuple[str, str]:
    """Both numbers with six digits, or with all where six do not tell them apart."""
    if not isinstance(actual, float) or not isinstance(expected, float):
        return str(actual), str(expected)
    got, wanted = f"{actual:.6g}", f"{expected:.6g}"
    return (got, wanted) if got != wanted else (repr(actual), repr(expected))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
