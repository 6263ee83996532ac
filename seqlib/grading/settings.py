"""What to grade and how: a run over a class, before it begins."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.grading.graded import TimeLimits
from seqlib.grading.runners.base import AbstractRunner
from seqlib.grading.worker import WorkerSettings

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to grade and how.

    Args:
        assignment: Its name.
        root: The instructors' repository.
        course: The class folder.
        students: Only these. Empty: all.
        regrade: Also grade again what has not changed.
        dry_run: Write nothing.
        key: Another place of the course key.
        store: Another place of the store: a path or a database URL.
        gradebook: Another gradebook: a database URL.
        limits: How long a submission may take.
        isolation: One of `seqlib.grading.worker.ISOLATIONS`.
        workers: How many submissions at once.
        device: `cpu` or `cuda`.
        runner: Makes the runner. None: worker processes on this machine.
    """

    assignment: str
    root: Path
    course: Path
    students: tuple[str, ...] = ()
    regrade: bool = False
    dry_run: bool = False
    key: Path | None = None
    store: str | None = None
    gradebook: str | None = None
    limits: TimeLimits = field(default_factory=TimeLimits)
    isolation: str = "warm"
    workers: int = 1
    device: str = "cpu"
    runner: Callable[[WorkerSettings], AbstractRunner] | None = None
