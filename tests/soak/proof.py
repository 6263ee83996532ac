"""What must hold after a run, however often it was killed and resumed."""

from pathlib import Path
from typing import Any

from seqlib.grading.gradebook import gradebook_url, read_marks
from seqlib.grading.kit import course_key
from seqlib.grading.states import State
from seqlib.grading.store import Store

__all__ = ["problems"]


def problems(
    course: Path, place: str, expected: dict[str, dict[str, str]], points: dict[str, float], *, excused: int = 0
) -> list[str]:
    """Everything that is not as it must be.

    Args:
        course: The class folder.
        place: The store.
        expected: The status of every check of every student.
        points: The points of every student.
        excused: How many students may have lost points, because their own process was killed.
    """
    with Store(place, course_key(course)) as store:
        records = store.verify()
        standings = store.jobs("toy")
        latest = store.latest("toy")
    found = [f"{one.job.student} is {one.progress.state}" for one in standings if one.progress.state is not State.DONE]
    found += [f"{one.job.student} has run {one.progress.run}" for one in standings if one.progress.run != 1]
    if sorted(one.job.student for one in standings) != sorted(expected):
        found.append(f"jobs of {sorted(one.job.student for one in standings)}")
    if records != sum(map(len, expected.values())):
        found.append(f"{records} verdicts instead of {sum(map(len, expected.values()))}")
    off = _off(latest, expected)
    if len(off) > excused:
        found += off
    marks = read_marks("toy", gradebook_url(course))
    for name, record in latest.items():
        booked = sum(mark.score for mark in marks.get(name, ()))
        if booked != record.earned or (not off and record.earned != points[name]):
            found.append(f"{name}: {record.earned} in the store, {booked} in the gradebook, {points[name]} expected")
        if not (course / "autograded" / name / "toy" / "toy.ipynb").is_file():
            found.append(f"{name} has no graded notebook")
    found += [f"left behind: {path}" for path in course.rglob("*.part")]
    return found


def _off(latest: dict[str, Any], expected: dict[str, dict[str, str]]) -> list[str]:
    found = []
    for name, statuses in expected.items():
        got = {one.check: str(one.status) for one in latest[name].verdicts} if name in latest else {}
        if got != statuses:
            found.append(f"{name} got {got} instead of {statuses}")
    return found
