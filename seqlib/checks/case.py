"""One case of a check: inputs from a seed, and comparisons that are numbered, kept and explained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from seqlib.checks.compare import mismatch
from seqlib.checks.faults import CheckFailed
from seqlib.checks.keys import generator_from
from seqlib.checks.registry import Inputs
from seqlib.checks.values import Value, normalise
from seqlib.errors import GradingError, WireError

__all__ = ["Case", "Point", "live_answer"]

Choice = TypeVar("Choice")
Answer = Callable[[int, Callable[[], Any] | None], Value]
"""Gives the expected value of a numbered point, from its thunk or from what was recorded."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One numbered comparison of a case, as it went.

    Attributes:
        value: What came: the actual value, or what `require` was told was seen.
        expected: What was asked; None for a property.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        held: Whether it passed.
        shown: Whether there is a value to compare with a mistake's.
    """

    value: Value
    expected: Value
    rtol: float | int
    atol: float | int
    held: bool
    shown: bool = True

    def agrees(self, value: Value) -> bool:
        """Whether another value agrees with the one that came."""
        return mismatch(self.value, value, rtol=self.rtol, atol=self.atol) is None

    def is_right(self, value: Value) -> bool:
        """Whether another value would have passed."""
        return mismatch(value, self.expected, rtol=self.rtol, atol=self.atol) is None


class Case:
    """Makes inputs and compares outputs of one case.

    Every maker that the suite marks with `@inputs` is a method here.

    Args:
        seed: At least 8 bytes from which all inputs follow.
        answer: Gives expected values.
        makers: The suite's input makers.
        index: Number of the case in its check.
        smoke: True where a slow check should only show that it runs.
        keep_going: Keep what comes, right or wrong, and never fail: how mistakes are recorded.
        on_steps: Is told how many steps of training are to come, for a bar; nothing else may hang on it.

    >>> case = Case(b"12345678", lambda number, thunk: thunk())
    >>> case.close(2.0, lambda: 2.0)
    >>> case.points[0].held
    True
    """

    def __init__(
        self,
        seed: bytes,
        answer: Answer,
        makers: Mapping[str, Inputs] | None = None,
        *,
        index: int = 0,
        smoke: bool = False,
        keep_going: bool = False,
        on_steps: Callable[[int], None] | None = None,
    ) -> None:
        self.generator = generator_from(seed)
        self.index = index
        self.smoke = smoke
        self.points: list[Point] = []
        self._answer = answer
        self._makers = dict(makers or {})
        self._keep_going = keep_going
        self._on_steps = on_steps

    def __getattr__(self, name: str) -> Callable[..., Any]:
        makers = self.__dict__.get("_makers", {})
        if name not in makers:
            raise AttributeError(f"a case has no input maker {name!r}; mark one with @inputs")
        return lambda *args, **kwargs: makers[name](self, *args, **kwargs)

    def randn(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.generator, dtype=dtype, device="cpu")

    def uniform(self, low: float | int, high: float | int, *shape: int) -> Tensor:
        """Uniform float64 numbers between `low` and `high`."""
        unit = torch.rand(shape, generator=self.generator, dtype=torch.float64, device="cpu")
        return low + (high - low) * unit

    def randint(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator, device="cpu"))

    def tokens(self, count: int, *shape: int) -> Tensor:
        """Integers from 0 to `count - 1` as an int64 tensor."""
        return torch.randint(count, shape, generator=self.generator, device="cpu")

    def permutation(self, count: int) -> Tensor:
        """The integers below `count` in random order."""
        return torch.randperm(count, generator=self.generator, device="cpu")

    def choice(self, options: Sequence[Choice]) -> Choice:
        """One of the options."""
        return options[self.randint(0, len(options) - 1)]

    def expect_steps(self, total: int) -> None:
        """Tell the bar in a notebook how many steps of training are to come; without effect where no bar is shown."""
        if self._on_steps is not None:
            self._on_steps(total)

    def close(
        self,
        actual: Value,
        expected: Callable[[], Any] | None = None,
        *,
        rtol: float = 1e-7,
        atol: float = 1e-9,
        what: str = "",
    ) -> None:
        """Require that `actual` equals the expected value within `atol + rtol * |expected|`.

        Args:
            actual: What the student's code gave.
            expected: A function of no arguments that gives the right value; stripped from the public file.
            rtol: Relative tolerance.
            atol: Absolute tolerance.
            what: Name of the quantity in messages.

        Raises:
            CheckFailed: They differ in type, length, names, shape, dtype, finiteness or value.
        """
        actual = _plain(actual, what)
        wanted = None if self._keep_going else self._answer(len(self.points), expected)
        found = None if self._keep_going else mismatch(actual, wanted, rtol=rtol, atol=atol)
        self.points.append(Point(value=actual, expected=wanted, rtol=rtol, atol=atol, held=found is None))
        if found is not None:
            raise CheckFailed("", what, found)

    def equal(self, actual: Value, expected: Callable[[], Any] | None = None, *, what: str = "") -> None:
        """Require that `actual` equals the expected value exactly."""
        self.close(actual, expected, rtol=0.0, atol=0.0, what=what)

    def require(self, condition: bool, message: str, *, seen: Value = None) -> None:
        """Require a property that needs no expected value.

        Args:
            condition: Whether it holds.
            message: What the student reads where it does not.
            seen: The student's value that the property is about; without it no mistake can be named here.
        """
        held = bool(condition)
        value = _plain(seen, "")
        point = Point(value=value, expected=None, rtol=1e-7, atol=1e-9, held=held, shown=seen is not None)
        self.points.append(point)
        if not held and not self._keep_going:
            raise CheckFailed(message)

    def weights(
        self, reply: Value, shapes: Mapping[str, tuple[int, ...]], *, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        """Trained weights out of a reply: exactly these names, shapes and dtype, all finite.

        Args:
            reply: What the student's training returned.
            shapes: The declared table: name to shape.
            dtype: Element type of all of them.

        Raises:
            CheckFailed: The reply is not that table.
        """
        if not isinstance(reply, dict) or set(reply) != set(shapes):
            raise CheckFailed(f"return a dict of tensors with the names {', '.join(shapes)}.", "weights")
        for name, shape in shapes.items():
            like = torch.zeros(shape, dtype=dtype)
            actual = torch.zeros_like(like) if _is_like(reply[name], like) else reply[name]
            found = mismatch(actual, like, rtol=0, atol=0)
            if found is not None:
                raise CheckFailed("", f"weights[{name!r}]", found)
            if not bool(reply[name].isfinite().all()):
                raise CheckFailed(f"the weights {name} are not all finite; did training diverge?", "weights")
        return {name: reply[name] for name in shapes}

    def numeric_gradient(self, function: Callable[[Tensor], Value], at: Tensor, *, step: float = 1e-5) -> Tensor:
        """The gradient of a scalar function by central differences of outside calls, two for each entry.

        >>> case = Case(b"12345678", lambda number, thunk: thunk())
        >>> case.numeric_gradient(lambda x: (x**2).sum(), torch.tensor([1.0, 3.0]).double()).round(decimals=6)
        tensor([2., 6.], dtype=torch.float64)
        """
        gradient = torch.zeros_like(at)
        for entry in range(at.numel()):
            direction = torch.zeros_like(at)
            direction.view(-1)[entry] = 1.0
            gradient.view(-1)[entry] = self.slope(function, at, direction, step=step)
        return gradient

    def slope(self, function: Callable[[Tensor], Value], at: Tensor, direction: Tensor, *, step: float = 1e-5) -> float:
        """The derivative of a scalar function along a direction, by one central difference."""
        up = _scalar(function(at + step * direction))
        down = _scalar(function(at - step * direction))
        return (up - down) / (2 * step)


def _plain(value: Value, what: str) -> Value:
    try:
        return normalise(value)
    except WireError as error:
        raise CheckFailed(f"{what or 'the result'} cannot be compared: {error.what}.", what) from error


def live_answer(number: int, thunk: Callable[[], Any] | None) -> Value:
    """The expected value by calling the reference now."""
    if thunk is None:
        raise GradingError(f"comparison {number} has no expected value.", "pass a lambda that calls the reference.")
    return normalise(thunk())


def _is_like(value: Value, like: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == like.shape and value.dtype == like.dtype


def _scalar(value: Value) -> float:
    if isinstance(value, Tensor) and value.dim() == 0 and value.is_floating_point():
        return float(value)
    if type(value) is float:
        return value
    raise CheckFailed("the loss is not a single number; return a float or a tensor of shape [].", "loss")
