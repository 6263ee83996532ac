"""Two ways to do the same, timed in turns, so that a machine that slows down slows both."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Race", "race"]


@dataclass(frozen=True, kw_only=True)
class Race:
    """What a race measured, in seconds of processor time a run.

    Attributes:
        ours: Every turn of the contestant in question.
        theirs: Every turn of the one it is held against.
    """

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio_of_minima(self) -> float:
        """Ours over theirs, each at its best."""
        return min(self.ours) / min(self.theirs)

    @property
    def ratio(self) -> float:
        """Ours over theirs within a round, as it usually was: what disturbs the machine disturbs both, and cancels."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))


def race(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, repeats: int = 1) -> Race:
    """Time two functions in turns, the first to go changing from round to round.

    Args:
        ours: The contestant in question.
        theirs: The one it is held against.
        rounds: How many turns each gets.
        repeats: How many runs are one turn.
    """
    ours(), theirs()
    times: dict[int, list[float]] = {0: [], 1: []}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            for who in (0, 1) if number % 2 else (1, 0):
                times[who].append(_time((ours, theirs)[who], repeats))
    finally:
        gc.enable()
    return Race(ours=tuple(times[0]), theirs=tuple(times[1]))


def _time(function: Callable[[], Any], repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        function()
    return (time.process_time() - start) / repeats
