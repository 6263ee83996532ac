"""Where a check's seeds, expected values and mistakes come from: a live reference, with public or secret seeds."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from seqlib.checks.case import Case, Point, live_answer
from seqlib.checks.faults import CheckFailed, StudentFault
from seqlib.checks.keys import public_seed, secret_seed
from seqlib.checks.proxy import Student, local_student
from seqlib.checks.registry import Check, Mistake, Suite
from seqlib.checks.values import Value

__all__ = ["AbstractSource", "Author", "Grader", "MistakeRun", "reference_student", "run_mistake"]


@dataclass(frozen=True)
class MistakeRun:
    """What a mistaken student gives in one case: each point's value, whether it held, and how the run ended."""

    values: Sequence[Value]
    held: Sequence[bool]
    raised: str = ""


class AbstractSource(ABC):
    """Gives a check its cases.

    Attributes:
        suite: The assignment's checks.
        secret: Whether messages must give nothing of a case away.
        full: Whether slow checks run in full.
    """

    secret = False

    def __init__(self, suite: Suite, *, full: bool) -> None:
        self.suite = suite
        self.full = full

    def smoke(self, check: Check) -> bool:
        """Whether only the short form of this check runs."""
        return check.slow and not self.full

    @abstractmethod
    def seed(self, check: Check, index: int) -> bytes:
        """The seed of a case."""

    @abstractmethod
    def case(self, check: Check, index: int) -> Case:
        """A fresh case."""

    @abstractmethod
    def mistake_runs(self, check: Check, index: int) -> dict[str, MistakeRun]:
        """What each known mistake gives in a case, by name."""


class Author(AbstractSource):
    """Live references on public seeds: what an author tests with, and what the release records.

    Args:
        suite: A suite with its `REFERENCE`.
        full: Whether slow checks run in full.
    """

    def __init__(self, suite: Suite, *, full: bool = True) -> None:
        super().__init__(suite, full=full)
        self._runs: dict[tuple[str, int], dict[str, MistakeRun]] = {}

    def seed(self, check: Check, index: int) -> bytes:
        return public_seed(self.suite.name, check.name, index)

    def case(self, check: Check, index: int, *, keep_going: bool = False) -> Case:
        seed, smoke = self.seed(check, index), self.smoke(check)
        return Case(seed, live_answer, self.suite.inputs, index=index, smoke=smoke, keep_going=keep_going)

    def mistake_runs(self, check: Check, index: int) -> dict[str, MistakeRun]:
        place = check.name, index
        if place not in self._runs:  # the same for every student, so a class pays once
            self._runs[place] = {
                mistake.name: run_mistake(check, mistake, self.suite, self.case(check, index, keep_going=True))
                for mistake in check.mistakes
            }
        return self._runs[place]


class Grader(Author):
    """Live references on secret seeds, with messages that give no case away.

    Args:
        suite: A suite with its `REFERENCE`.
        key: The course key, kept outside the repository and every sandbox.
    """

    secret = True

    def __init__(self, suite: Suite, key: bytes, *, full: bool = True) -> None:
        super().__init__(suite, full=full)
        self._key = key

    def seed(self, check: Check, index: int) -> bytes:
        return secret_seed(self._key, self.suite.name, check.name, index)


def reference_student(suite: Suite, mistake: Mistake | None = None) -> Student:
    """A student who wrote the reference, but for one mistake."""
    namespace = dict(suite.reference)
    if mistake is not None:
        namespace[mistake.replaces] = mistake.function
    return local_student(namespace)


def run_mistake(check: Check, mistake: Mistake, suite: Suite, case: Case) -> MistakeRun:
    """Run the body of a check with one function replaced by a mistake."""
    raised = ""
    try:
        check(reference_student(suite, mistake), case)
    except StudentFault as fault:
        raised = fault.error or fault.kind
    except CheckFailed:
        raised = "CheckFailed"
    except Exception as error:  # a mistaken value may break the arithmetic of the check's own body
        raised = type(error).__name__
    return _as_run(case.points, raised)


def _as_run(points: Sequence[Point], raised: str) -> MistakeRun:
    return MistakeRun([point.value for point in points], [point.held for point in points], raised)
