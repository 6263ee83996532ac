"""The bar of a check that trains: calls of the student's own step are counted while it runs, and only in a notebook."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from threading import Event, Thread
from typing import Any

from seqlib.checks.registry import Check

__all__ = ["Bar", "counted_calls", "progress_bar"]

_REDRAW_S = 0.5
_CLOCK = "{desc}: {elapsed}{postfix}"


@contextmanager
def progress_bar(check: Check, names: Mapping[str, Any]) -> Iterator["Bar"]:
    """Show a bar until the block ends, however it ends.

    Args:
        check: What runs; its `progress` names the student's function of which each call is a step.
        names: The notebook's names, where that function is replaced by one that counts until the block ends.
    """
    bar = Bar(check.name, check.progress)
    try:
        with counted_calls(names, check.progress, bar.step):
            yield bar
        bar.finish()
    finally:
        bar.close()


@contextmanager
def counted_calls(names: Mapping[str, Any], name: str, tell: Callable[[], None]) -> Iterator[None]:
    """Tell each call of a function that returned, until the block ends; a name that holds none is left alone."""
    function = names.get(name)
    if not isinstance(names, MutableMapping) or not callable(function) or isinstance(function, type):
        yield
        return

    @wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        tell()
        return result

    names[name] = counting
    try:
        yield
    finally:
        if names.get(name) is counting:  # else the student's code has put another in its place
            names[name] = function


class Bar:
    """Steps done, all steps, their rate and the time left; where no step can be counted, the time that has passed.

    Args:
        title: What runs.
        function: Whose calls are steps; empty where the check declares none.
    """

    def __init__(self, title: str, function: str = "") -> None:
        from tqdm.auto import tqdm  # here: it loads the notebook's widgets, which only a bar needs

        self._function = function
        self._bar = tqdm(desc=title, unit="step", bar_format=_CLOCK)
        if function:
            self._bar.set_postfix_str(f"no call of {function} yet")
        self._closing = Event()
        # In the cell's own context, so that the kernel knows under which cell the bar is drawn.
        self._clock = Thread(target=copy_context().run, args=(self._redraw,), daemon=True)
        self._clock.start()

    def expect(self, total: int) -> None:
        """Say how many steps are to come; each case counts anew."""
        self._bar.reset(total)

    def step(self) -> None:
        """Count one step."""
        if self._bar.bar_format is not None:
            self._bar.bar_format = None
            self._bar.set_postfix_str("", refresh=False)
        self._bar.update()

    def finish(self) -> None:
        """Say that all went to its end."""
        if self._function and not self._bar.n:
            self._bar.total = None  # else a notebook draws a bar of no steps as a failure
            self._bar.set_postfix_str(f"{self._function} was never called, so there are no steps to count")

    def close(self) -> None:
        """Stop drawing; what was drawn last stays."""
        self._closing.set()
        self._clock.join()
        self._bar.close()

    def _redraw(self) -> None:
        while not self._closing.wait(_REDRAW_S):
            self._bar.refresh()
