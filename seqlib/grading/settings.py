"""What to grade and how, and what came of one submission: the two ends of a run over a class."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.checks.verdict import Verdict
from seqlib.grading.deadlines import Lateness
from seqlib.grading.forbidden import Found
from seqlib.grading.graded import TimeLimits
from seqlib.grading.runners.base import AbstractRunner
from seqlib.grading.worker import WorkerSettings

__all__ = ["Row", "Settings"]


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


@dataclass(frozen=True, kw_only=True)
class Row:
    """What happened to one submission.

    Attributes:
        student: Whose it is.
        verdicts: One for every check.
        before: Points of the last grading; None where there was none.
        skipped: Nothing had changed, so nothing ran.
        fault: Why the notebook was not run, or what broke on our side; empty otherwise.
        forbidden: Shortcuts to look at.
        seconds: Wall time.
        late: How late it is and what that costs; None where there is no due time.
    """

    student: str
    verdicts: tuple[Verdict, ...]
    before: float | int | None = None
    skipped: bool = False
    fault: str = ""
    forbidden: tuple[Found, ...] = ()
    seconds: float | int = 0.0
    late: Lateness | None = None

    @property
    def earned(self) -> float | int:
        """Points earned."""
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def infrastructure(self) -> bool:
        """Whether our side failed: to be graded again."""
        return any(verdict.status == "infrastructure" for verdict in self.verdicts)
