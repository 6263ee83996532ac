"""Records: the verdicts of one run of one job, and which of them count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.chain import run_name
from seqlib.grading.jobs import Facts, Job

__all__ = ["Record", "Scored", "newest_records", "require_one_each", "without_points"]


class Scored:
    """What has verdicts, and so a score."""

    verdicts: tuple[Verdict, ...]

    @property
    def earned(self) -> float | int:
        """Points earned."""
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(verdict.points for verdict in self.verdicts)


@dataclass(frozen=True, kw_only=True)
class Record(Scored):
    """One grading of one submission: its verdicts, in the order of the checks."""

    work: Job
    run: str
    made_at: str
    verdicts: tuple[Verdict, ...]
    facts: Facts | None = None


def newest_records(runs: Sequence[Any], made: Sequence[Any]) -> dict[str, Record]:
    """The record that counts of each student, by name.

    Args:
        runs: Rows of the jobs.
        made: Rows of the verdicts, in their order.
    """
    jobs = {run_name(row["digest"], row["run"]): row for row in runs}
    verdicts: dict[str, list[Any]] = {}
    for row in made:
        verdicts.setdefault(row["run"], []).append(row)
    newest: dict[str, tuple[int, str]] = {}
    for run, rows in verdicts.items():  # runs of an older store have no job: they are in order, and come first
        place = jobs[run]["place"] if run in jobs else 0
        if newest.get(rows[0]["student"], (0, ""))[0] <= place:
            newest[rows[0]["student"]] = (place, run)
    return {student: _record(verdicts[run], jobs.get(run)) for student, (_, run) in sorted(newest.items())}


def without_points(points: Mapping[str, float | int], message: str) -> list[Verdict]:
    """The verdicts on work that was not graded, for a reason of ours."""
    return [
        Verdict(check=name, points=worth, earned=0, status="infrastructure", message=message)
        for name, worth in points.items()
    ]


def require_one_each(job: Job, points: Mapping[str, float | int], verdicts: Sequence[Verdict]) -> None:
    """Refuse other verdicts than one for each check, in their order.

    Raises:
        GradingError: They are others.
    """
    got = [(verdict.check, verdict.points) for verdict in verdicts]
    if got != list(points.items()):
        raise GradingError(
            f"the verdicts on {job.student}'s {job.assignment} are {got}, and its checks {list(points.items())}.",
            "give one verdict for each check, in their order.",
        )


def _record(rows: Sequence[Any], job: Any) -> Record:
    first = rows[0]
    names = ("assignment", "student", "submission", "checks")
    work = Job(**{name: first[name] for name in names}) if job is None else Job.from_json(job["job"])
    verdicts = tuple(Verdict.from_json(row["verdict"]) for row in rows)
    facts = None if job is None else Facts.from_json(job["facts"])
    return Record(work=work, run=first["run"], made_at=first["made_at"], verdicts=verdicts, facts=facts)
