"""Replay: grade again what was handed in, as it was graded, and compare the verdicts; nothing is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.graded import Graded
from seqlib.grading.kit import Kit
from seqlib.grading.store import Record
from seqlib.grading.submitted import Submitted, find_submissions, read_submission

__all__ = ["Difference", "Replayed", "compare_verdicts", "replay"]

# Everything that must be the same again; seconds are not.
_COMPARED = ("points", "earned", "status", "message", "mistake", "seed_digest", "rows", "smoke")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a verdict differs from the recorded one.

    Attributes:
        check: The check.
        name: The field of the verdict; empty where one of the two has no such verdict.
        recorded: What the store has.
        replayed: What came out now.
    """

    check: str
    name: str
    recorded: str
    replayed: str


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One record graded again.

    Attributes:
        student: Whose work it is.
        run: The recorded run.
        differences: Where the verdicts part; empty when they agree.
        fault: Why it could not be replayed; empty when it was.
    """

    student: str
    run: str
    differences: tuple[Difference, ...] = ()
    fault: str = ""

    @property
    def same(self) -> bool:
        """Whether it was replayed and everything agrees."""
        return not self.differences and not self.fault


def replay(
    kit: Kit,
    key: bytes,
    records: dict[str, Record],
    course: Path,
    grade: Callable[[Submitted], Graded],
    students: tuple[str, ...] = (),
    environment: str = "",
) -> Iterator[Replayed]:
    """Grade again what the records were made of.

    Work, checks or software that have changed since are not graded: other verdicts would say nothing then.

    Args:
        kit: The assignment.
        key: The course key.
        records: Of each student, by name.
        course: The class folder, which holds what was handed in.
        grade: Gives a submission its verdicts.
        students: Only these. Empty: all.
        environment: Digest of the software here. Empty: whatever there is.

    Raises:
        GradingError: One of the students has no record.
    """
    unknown = sorted(set(students) - set(records))
    if unknown or not records:
        who = unknown[0] if unknown else "nobody"
        raise GradingError(f"{kit.name} of {who} is not graded.", f"run: seqlib grade {kit.name} --course {course}")
    folders = find_submissions(course, kit.name)
    for student in students or tuple(records):
        yield _replay(kit, key, records[student], folders.get(student), grade, environment)


def _replay(
    kit: Kit,
    key: bytes,
    record: Record,
    folder: Path | None,
    grade: Callable[[Submitted], Graded],
    environment: str,
) -> Replayed:
    student = record.work.student
    if folder is None:
        return Replayed(student=student, run=record.run, fault="what was handed in is gone from the class folder")
    submitted = read_submission(student, folder, kit.name)
    if submitted.digest != record.work.submission:
        return Replayed(student=student, run=record.run, fault="other work lies in the class folder by now")
    if kit.checks_digest(key) != record.work.checks:
        return Replayed(student=student, run=record.run, fault="the checks, the release or the key have changed since")
    if environment and record.work.environment not in ("", environment):
        return Replayed(student=student, run=record.run, fault="the software or its isolation is not what it was then")
    try:
        graded = grade(submitted)
    except GradingError as error:  # the other records can still be replayed
        return Replayed(student=student, run=record.run, fault=f"it can't be graded now: {error.what}")
    return Replayed(student=student, run=record.run, differences=compare_verdicts(record.verdicts, graded.verdicts))


def compare_verdicts(recorded: tuple[Verdict, ...], replayed: tuple[Verdict, ...]) -> tuple[Difference, ...]:
    """Where two gradings of one submission differ, check by check.

    >>> one = Verdict(check="step", points=4, earned=4, status="passed", message="")
    >>> compare_verdicts((one,), (one,)), len(compare_verdicts((one,), ()))
    ((), 1)
    """
    before = {verdict.check: verdict for verdict in recorded}
    now = {verdict.check: verdict for verdict in replayed}
    found = []
    for check in before | now:
        if check not in before or check not in now:
            here, there = (side[check].status if check in side else "no verdict" for side in (before, now))
            found.append(Difference(check=check, name="", recorded=here, replayed=there))
            continue
        for name in _COMPARED:
            one, other = getattr(before[check], name), getattr(now[check], name)
            if one != other:
                found.append(Difference(check=check, name=name, recorded=str(one), replayed=str(other)))
    return tuple(found)
