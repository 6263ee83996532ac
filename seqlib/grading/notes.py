"""What a student reads about cells and checks that did not run, or not to their end."""

from typing import Any

from seqlib.checks.registry import Check
from seqlib.checks.verdict import Verdict
from seqlib.grading.outputs import CellState

__all__ = [
    "COPY",
    "ENDED",
    "MEMORY_ENDING",
    "NOT_RUN",
    "NO_CELLS",
    "OUT_OF_MEMORY",
    "TOO_LONG",
    "WITHHELD",
    "ending_of",
    "no_points",
    "note",
]

TOO_LONG = "Your notebook ran out of time before this check."
ENDED = "Your process ended before this check and was not started again."
NO_CELLS = "None of the assignment's cells is in this notebook: hand in the notebook that you were given."
OUT_OF_MEMORY = "Your code used more memory than it may."

COPY = "[a copy: this check ran in the first cell of its name]\n"
NOT_RUN = "[not run]\n"
WITHHELD = "[not shown: a check had been asked in this process before]\n"
MEMORY_ENDING = "[the process was ended in this cell: it used more memory than it may]\n"
_ENDINGS: dict[str, str] = {
    CellState.INTERRUPTED: "[stopped: this cell took longer than {limit:g} s]\n",
    CellState.STUCK: "[stopped: this cell took longer than {limit:g} s; the process was ended]\n",
    CellState.DIED: "[the process ended in this cell]\n",
}


def ending_of(state: str, limit_s: float | int) -> str:
    """How a cell ended; empty where it ran to its end."""
    return _ENDINGS.get(state, "").format(limit=limit_s)


def no_points(check: Check, status: str, message: str) -> Verdict:
    """The verdict of a check that was not asked."""
    return Verdict(check=check.name, points=check.points, earned=0, status=status, message=message)


def note(text: str) -> list[dict[str, Any]]:
    """A text as a cell's outputs."""
    return [{"output_type": "stream", "name": "stdout", "text": text}]
