"""The rows of the jobs table: read as what they mean, and changed only as long as they are what was read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from seqlib.errors import StaleClaimError
from seqlib.grading.database import JOBS
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.states import Progress, State

__all__ = [
    "Claim",
    "Standing",
    "claim_of",
    "held_run",
    "insert_run",
    "marked",
    "marked_head",
    "progress_of",
    "same_run",
    "select_runs",
    "set_run",
    "stale",
    "standing_of",
]

# Built once: building a statement costs more than running it.
_SET = update(JOBS).where(
    JOBS.c.digest == bindparam("read_digest"),
    JOBS.c.run == bindparam("read_run"),
    JOBS.c.version == bindparam("read_version"),
)
_SAME = (
    select(JOBS)
    .where(
        JOBS.c.digest == bindparam("digest"),
        JOBS.c.run == bindparam("run"),
        JOBS.c.version == bindparam("version"),
        JOBS.c.owner == bindparam("owner"),
        JOBS.c.state == State.CLAIMED,
    )
    .with_for_update()
)
_PROGRESS = tuple(f.name for f in fields(Progress))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that somebody holds; it is good for one `finish` or `fault`."""

    job: Job
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A job and how far its newest run is; what it took and when it ended, once it has."""

    job: Job
    progress: Progress
    facts: Facts | None = None
    finished_at: str = ""


def insert_run(connection: Connection, job: Job, progress: Progress, place: int, points: str, mark: str) -> Any:
    """Write a new run, and return it as a row that was read."""
    row = {"digest": job.digest, "place": place, "assignment": job.assignment, "student": job.student}
    row |= {"job": job.to_json(), "points": points, "mark": mark, **vars(progress)}
    row |= dict.fromkeys(("facts", "finished_at", "head", "seal"), "")
    connection.execute(insert(JOBS), row)
    return row


def set_run(connection: Connection, row: Any, after: Progress, mark: str, **more: Any) -> Progress:
    """Compare and set: the row changes only if it is still the version that was read."""
    read = {"read_digest": row["digest"], "read_run": row["run"], "read_version": row["version"]}
    changed = connection.execute(_SET, {**read, **vars(after), "mark": mark, **more})
    if changed.rowcount != 1:
        raise stale(Job.from_json(row["job"]), progress_of(row))
    return after


def same_run(connection: Connection, claim: Claim) -> Any:
    """The row of a claim, locked, if the claim is still good."""
    progress = claim.progress
    same = {"run": progress.run, "version": progress.version, "owner": progress.owner}
    return connection.execute(_SAME, {"digest": claim.job.digest, **same}).mappings().first()


def held_run(connection: Connection, claim: Claim) -> Any:
    """The row of a claim, locked; an error if the claim is not good any more."""
    row = same_run(connection, claim)
    if row is None:
        raise stale(claim.job, claim.progress)
    return row


def marked(connection: Connection, mark: str) -> Sequence[Any]:
    """What one write has changed."""
    return connection.execute(select(JOBS).where(JOBS.c.mark == mark)).mappings().all()


def marked_head(connection: Connection, mark: str) -> str | None:
    """The head of the run that one write has ended."""
    return next((str(row["head"]) for row in marked(connection, mark)), None)


def select_runs(assignment: str | None = None) -> Select[Any]:
    """All runs, or those of one assignment."""
    return select(JOBS) if assignment is None else select(JOBS).where(JOBS.c.assignment == assignment)


def progress_of(row: Any) -> Progress:
    """How far a run is; of none, where nothing begins."""
    if row is None:
        return Progress()
    return Progress(**{name: row[name] for name in _PROGRESS} | {"state": State(row["state"])})


def claim_of(row: Any, progress: Progress) -> Claim:
    """A row as a claim."""
    return Claim(job=Job.from_json(row["job"]), progress=progress)


def standing_of(row: Any) -> Standing:
    """A row as people look at it."""
    facts = Facts.from_json(row["facts"]) if row["facts"] else None
    job = Job.from_json(row["job"])
    return Standing(job=job, progress=progress_of(row), facts=facts, finished_at=row["finished_at"])


def stale(job: Job, progress: Progress) -> StaleClaimError:
    """The error of a claim that is not good any more."""
    return StaleClaimError(
        f"the claim of {progress.owner or 'nobody'} on {job.student}'s {job.assignment} is not good any more.",
        "drop this result: the job is graded, or another worker has it.",
    )
