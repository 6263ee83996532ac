"""Running a check: its cases in order, the first failure in words, and the one mistake that explains all of it.

>>> from seqlib.checks.proxy import local_student
>>> from seqlib.checks.registry import check, mistake, suite_of
>>> @mistake("You add the factor; multiply by it.", replaces="double")
... def adds(x):
...     return x + 2
>>> @check(points=4, mistakes=[adds], uses=["double"])
... def doubling(student, case):
...     "Twice the input."
...     x = case.randn(3)
...     case.close(student.double(x), lambda: 2 * x, what="double(x)")
>>> suite = suite_of({"doubling": doubling, "REFERENCE": {"double": lambda x: 2 * x}}, "a0")
>>> run_check(doubling, local_student({"double": lambda x: x * 2}), Author(suite)).status
'passed'
>>> wrong = run_check(doubling, local_student({"double": lambda x: 2 + x}), Author(suite))
>>> wrong.mistake, wrong.message
('adds', 'You add the factor; multiply by it.')
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from seqlib.checks.case import Point
from seqlib.checks.faults import CheckFailed, StudentFault
from seqlib.checks.keys import seed_digest
from seqlib.checks.messages import Told, tell
from seqlib.checks.proxy import Student
from seqlib.checks.recorded import Recorded, RecordedCases, record_cases
from seqlib.checks.registry import Check, Mistake
from seqlib.checks.sources import AbstractSource, Author, Grader, MistakeRun
from seqlib.checks.verdict import Verdict

__all__ = ["Author", "Grader", "Outcome", "Recorded", "RecordedCases", "record_cases", "run_check", "run_suite"]


@dataclass(frozen=True)
class Outcome:
    """One case as it went: its points, and what ended it (None: it passed)."""

    points: Sequence[Point]
    failure: Exception | None


def run_check(check: Check, student: Student, source: AbstractSource) -> Verdict:
    """Run all cases of a check and give the verdict.

    A check is all or nothing; whatever is no complete, right answer earns no points.

    Args:
        check: The check.
        student: The student's side.
        source: Where cases come from; it also decides how much a message may say.
    """
    started = time.monotonic()
    student.allow(check.limit_s)
    outcomes: list[Outcome] = []
    for index in range(check.cases):
        outcomes.append(_attempt(check, student, source, index))
        if _ends_the_run(check, outcomes):
            break
    return _verdict(check, source, outcomes, time.monotonic() - started)


def run_suite(student: Student, source: AbstractSource) -> list[Verdict]:
    """Run all checks of the source's suite in order."""
    return [run_check(check, student, source) for check in source.suite.checks.values()]


def _attempt(check: Check, student: Student, source: AbstractSource, index: int) -> Outcome:
    case = source.case(check, index)
    failure: Exception | None = None
    try:
        check(student, case)
        student.free()
    except Exception as error:  # a fault, a failed comparison, or a body that broke on what it was given
        failure = error
    return Outcome(case.points, failure)


def _ends_the_run(check: Check, outcomes: Sequence[Outcome]) -> bool:
    """After a wrong value the other cases still run, to be sure of the mistake's name; after all else none does."""
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    if not failures:
        return False
    fatal = isinstance(failures[-1], StudentFault) and failures[-1].kind in ("gone", "over_limit", "protocol")
    return fatal or not check.mistakes or not isinstance(failures[0], CheckFailed)


def _verdict(check: Check, source: AbstractSource, outcomes: Sequence[Outcome], seconds: float) -> Verdict:
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    smoke = source.smoke(check)
    mistake = None
    told: Told = ("passed", "", ())
    if failures:
        mistake = _the_mistake(check, source, outcomes)
        # Whatever happened to the protocol outweighs a wrong value in an earlier case.
        fatal = [f for f in failures if isinstance(f, StudentFault) and f.kind == "protocol"]
        told = tell((fatal or failures)[0], mistake, secret=source.secret)
    return Verdict(
        check=check.name,
        points=check.points,
        earned=0 if failures or smoke else check.points,
        status=told[0],
        message=told[1],
        mistake=mistake.name if mistake is not None else None,
        seed_digest=seed_digest([source.seed(check, index) for index in range(check.cases)]),
        seconds=round(seconds, 4),
        rows=told[2],
        smoke=smoke,
    )


def _the_mistake(check: Check, source: AbstractSource, outcomes: Sequence[Outcome]) -> Mistake | None:
    """The only known mistake whose output is the student's in every case that ran, and wrong where theirs is."""
    candidates = {mistake.name: mistake for mistake in check.mistakes}
    if not candidates or not any(isinstance(outcome.failure, CheckFailed) for outcome in outcomes):
        return None
    for index, outcome in enumerate(outcomes):
        runs = source.mistake_runs(check, index)
        candidates = {name: m for name, m in candidates.items() if name in runs and _explains(runs[name], outcome)}
        if not candidates:
            return None
    return next(iter(candidates.values())) if len(candidates) == 1 else None


def _explains(run: MistakeRun, outcome: Outcome) -> bool:
    """Whether a mistake goes as the student's case went: right where it was right, as wrong where it was wrong."""
    points, failure = outcome.points, outcome.failure
    if len(run.values) < len(points):
        return False
    for point, value, held in zip(points, run.values, run.held, strict=False):
        if point.shown and not point.agrees(value):
            return False
        if point.expected is None and held != point.held:
            return False
    if failure is None:
        return len(run.values) == len(points) and not run.raised
    if isinstance(failure, StudentFault):
        return len(run.values) == len(points) and run.raised == (failure.error or failure.kind)
    if not isinstance(failure, CheckFailed) or not points or points[-1].held:
        return False
    last = run.values[len(points) - 1]
    return points[-1].shown and (points[-1].expected is None or not points[-1].is_right(last))
