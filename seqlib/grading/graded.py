"""What grading one submission takes and gives: time limits in, verdicts and the notebook as it ran out."""

from dataclasses import dataclass, field
from typing import Any

from seqlib.checks.verdict import Verdict
from seqlib.grading.submitted import Cell, Submitted

__all__ = ["Executed", "Graded", "TimeLimits"]


@dataclass(frozen=True, kw_only=True)
class TimeLimits:
    """Wall time that the cells of a submission may take; a check has its own limit besides.

    Args:
        cell_s: One cell.
        notebook_s: All cells.
        restarts: How often a process that a cell has ended is replaced.
    """

    cell_s: float | int = 300
    notebook_s: float | int = 1800
    restarts: int = 3


@dataclass(frozen=True, kw_only=True)
class Executed:
    """A cell after grading: the student's, or ours where it is a check's.

    Attributes:
        cell: As it was handed in; a check that was missing gets one of ours.
        outputs: What it showed.
        check: The check that ran in its place; empty for all other cells.
        first: Whether it is the first cell with its `grade_id`.
    """

    cell: Cell
    outputs: list[dict[str, Any]] = field(default_factory=list)
    check: str = ""
    first: bool = True


@dataclass(frozen=True, kw_only=True)
class Graded:
    """What grading gives: one verdict for every check, and the notebook as it ran, on the CPU or on a GPU."""

    submitted: Submitted
    verdicts: tuple[Verdict, ...]
    cells: tuple[Executed, ...]
    seconds: float | int = 0.0
    device: str = "cpu"
