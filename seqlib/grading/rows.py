"""What came of one submission: the line that a run shows of it."""

from dataclasses import dataclass

from seqlib.checks.verdict import Verdict
from seqlib.grading.deadlines import Lateness
from seqlib.grading.forbidden import Found
from seqlib.grading.records import Scored

__all__ = ["Row"]


@dataclass(frozen=True, kw_only=True)
class Row(Scored):
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
    def infrastructure(self) -> bool:
        """Whether our side failed: to be graded again."""
        return any(verdict.status == "infrastructure" for verdict in self.verdicts)
