"""The store: jobs and how far they are, and the verdicts in the order in which they were made.

`seqlib.grading.states` says what may happen to a job; here it is written, each time in one transaction that first
looks whether the job is still as its claim says. Verdicts are only appended, as `seqlib.grading.chain` seals them.
On SQLite the newest transactions lie in `store.db-wal` beside the file while it is open: copy both or neither.
"""

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Select, select

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.chain import EMPTY_HEAD, Chain, run_name
from seqlib.grading.database import JOBS, VERDICTS, Database
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.runs import (
    Asked,
    Claim,
    Standing,
    claim_of,
    held_run,
    insert_run,
    marked,
    marked_head,
    progress_of,
    same_run,
    select_runs,
    set_run,
    stale,
    standing_of,
)
from seqlib.grading.states import Event, Kind, Progress, State, step

__all__ = ["EMPTY_HEAD", "Claim", "Record", "Standing", "Store"]

_FAULT = "Our grader failed here several times; this is not your fault. Your work is set aside and not yet graded."
_LOST = "Grading this work ended our grading process twice, so it is set aside: your instructor looks at it."


@dataclass(frozen=True, kw_only=True)
class Record:
    """One grading of one submission: its verdicts, in the order of the checks."""

    work: Job
    run: str
    made_at: str
    verdicts: tuple[Verdict, ...]
    facts: Facts | None = None

    @property
    def earned(self) -> float | int:
        """Points earned."""
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(verdict.points for verdict in self.verdicts)


class Store:
    """Jobs and verdicts in a database; use it as a context manager.

    Times are seconds since 1970 by the clock of whoever calls; None is now.

    Args:
        place: A path of an SQLite file, or a database URL.
        key: The course key, which the seals are made with.
        write: Whether it is opened to write: an older store gets the table of jobs then.
    """

    def __init__(self, place: str | Path, key: bytes, *, write: bool = True) -> None:
        self._database = Database(place, write=write)
        self._chain = Chain(key, self._database.name)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    def enqueue(self, jobs: Iterable[Job], points: Mapping[str, float | int]) -> int:
        """Ask for jobs to be graded; one that is known is not graded twice.

        The job of a student that is asked for last is the one whose record counts.
        If it was graded before, its verdicts are appended once more and nothing runs.

        Args:
            jobs: What to grade.
            points: What each check is worth, in their order: a job that is set aside gets a verdict on each.

        Returns:
            How many were not known.
        """
        wanted = {job.digest: job for job in jobs}

        def work(connection: Connection, mark: str) -> int:
            asked = Asked(connection, {job.assignment for job in wanted.values()})
            new = [digest for digest in wanted if digest not in asked.rows]
            for digest, job in wanted.items():
                row = asked.rows.get(digest)
                progress = step(progress_of(row), Event(kind=Kind.ENQUEUE), 0)
                if row is None:
                    insert_run(connection, job, progress, asked.next_place(job), json.dumps(dict(points)), mark)
                elif asked.is_newest(job, row):
                    continue
                elif progress.final:
                    self._repeat(connection, job, row, asked.next_place(job), mark)
                else:
                    set_run(connection, row, progress, mark, place=asked.next_place(job))
            return len(new)

        return self._database.write(Kind.ENQUEUE, work) if wanted else 0

    def claim(
        self,
        owner: str,
        count: int = 1,
        lease_s: float | int = 60.0,
        *,
        now: float | int | None = None,
        only: Collection[str] | None = None,
    ) -> list[Claim]:
        """Take the jobs that wait longest, those of expired leases too; what failed before comes last.

        Args:
            owner: A name that no other worker has, now or later.
            count: How many at most.
            lease_s: How long without a heartbeat until the worker counts as lost.
            now: The time.
            only: Digests to choose from. None: all.
        """
        moment = _now(now)
        self.expire(moment)
        waiting = select(JOBS).where(JOBS.c.state == State.QUEUED)
        if only is not None:
            waiting = waiting.where(JOBS.c.digest.in_(list(only)))
        waiting = waiting.order_by(JOBS.c.faults + JOBS.c.lost, JOBS.c.place).limit(count)
        event = Event(kind=Kind.CLAIM, owner=owner, lease_s=lease_s)

        def work(connection: Connection, mark: str) -> list[Claim]:
            rows = connection.execute(waiting.with_for_update(skip_locked=True)).mappings().all()
            return [
                claim_of(row, set_run(connection, row, step(progress_of(row), event, moment), mark)) for row in rows
            ]

        def written(connection: Connection, mark: str) -> list[Claim] | None:
            return [claim_of(row, progress_of(row)) for row in marked(connection, mark)] or None

        return self._database.write(Kind.CLAIM, work, written=written, alone=False)

    def heartbeat(
        self, claims: Iterable[Claim], lease_s: float | int = 60.0, *, now: float | int | None = None
    ) -> list[Claim]:
        """Prolong claims, and return those that are still held; work on the others is in vain."""
        moment, held = _now(now), list(claims)

        def work(connection: Connection, mark: str) -> list[Claim]:
            alive = []
            for claim in held:
                row = same_run(connection, claim)
                if row is not None:
                    event = Event(kind=Kind.HEARTBEAT, owner=claim.progress.owner, lease_s=lease_s)
                    alive.append(claim_of(row, set_run(connection, row, step(progress_of(row), event, moment), mark)))
            return alive

        return self._database.write(Kind.HEARTBEAT, work) if held else []

    def finish(self, claim: Claim, verdicts: Sequence[Verdict], facts: Facts | None = None) -> str:
        """Write the verdicts of a claimed job and that it is done, both or neither, and return the new head.

        Raises:
            StaleClaimError: It is graded already, or somebody else holds it by now; nothing is written.
            GradingError: The verdicts are not one for each check; nothing is written.
        """
        event = Event(kind=Kind.FINISH, owner=claim.progress.owner)

        def work(connection: Connection, mark: str) -> str:
            row = held_run(connection, claim)
            _require_one_each(claim.job, json.loads(row["points"]), verdicts)
            after = step(progress_of(row), event, 0)
            return self._close(connection, claim.job, row, after, mark, verdicts, facts or Facts())

        return self._database.write(Kind.FINISH, work, written=marked_head)

    def fault(self, claim: Claim, reason: str) -> Progress:
        """Give a job back that our side failed on; after the third time it is set aside, with verdicts that say so.

        Raises:
            StaleClaimError: It is graded already, or somebody else holds it by now; nothing is written.
        """
        event = Event(kind=Kind.FAULT, owner=claim.progress.owner, reason=reason)

        def work(connection: Connection, mark: str) -> Progress:
            return self._give_back(connection, held_run(connection, claim), event, 0, mark)

        def written(connection: Connection, mark: str) -> Progress | None:
            return next((progress_of(row) for row in marked(connection, mark)), None)

        return self._database.write(Kind.FAULT, work, written=written)

    def lost(self, owner: str, reason: str = "", *, now: float | int | None = None) -> list[Standing]:
        """Give back every job of a worker that is known to be gone; one that is lost twice is set aside."""
        event = Event(kind=Kind.LOST, owner=owner, reason=reason)
        return self._lose(select(JOBS).where(JOBS.c.owner == owner), event, _now(now))

    def expire(self, now: float | int | None = None) -> list[Standing]:
        """Give back every job whose lease is over; its worker counts as lost."""
        moment = _now(now)
        over = select(JOBS).where(JOBS.c.lease_end <= moment)
        return self._lose(over, Event(kind=Kind.LOST, reason="its worker was not heard of any more"), moment)

    def regrade(self, job: Job) -> int:
        """Ask for a graded job to be graded again, and return the number of the new run; the old verdicts stay.

        Raises:
            GradingError: The job is not known, or waits or runs already.
        """

        def work(connection: Connection, mark: str) -> int:
            asked = Asked(connection, {job.assignment})
            row = asked.rows.get(job.digest)
            after = step(progress_of(row), Event(kind=Kind.REGRADE), 0)
            insert_run(connection, job, after, asked.next_place(job), row["points"] if row is not None else "", mark)
            return after.run

        def written(connection: Connection, mark: str) -> int | None:
            return next((int(row["run"]) for row in marked(connection, mark)), None)

        return self._database.write(Kind.REGRADE, work, written=written)

    def append(self, job: Job, verdicts: Sequence[Verdict], facts: Facts | None = None) -> str:
        """Record in one transaction what was graded without a queue, as a new run of its job; return the new head.

        Raises:
            StaleClaimError: A worker holds this job.
        """

        def work(connection: Connection, mark: str) -> str:
            asked = Asked(connection, {job.assignment})
            row, progress = asked.rows.get(job.digest), progress_of(asked.rows.get(job.digest))
            if progress.state is State.CLAIMED:
                raise stale(job, progress)
            place = asked.next_place(job)
            if progress.state is not State.QUEUED:
                kind = Kind.REGRADE if progress.final else Kind.ENQUEUE
                progress = step(progress, Event(kind=kind), 0)
                points = json.dumps({verdict.check: verdict.points for verdict in verdicts})
                row = insert_run(connection, job, progress, place, points, mark)
            for event in (Event(kind=Kind.CLAIM, owner="here"), Event(kind=Kind.FINISH, owner="here")):
                progress = step(progress, event, 0)
            return self._close(connection, job, row, progress, mark, verdicts, facts or Facts(), place=place)

        return self._database.write(Kind.FINISH, work, written=marked_head)

    def latest(self, assignment: str) -> dict[str, Record]:
        """The record that counts of each student, by name: of what was asked for last among what is graded."""
        records = select(VERDICTS).where(VERDICTS.c.assignment == assignment).order_by(VERDICTS.c.number)
        runs, made = self._rows(select_runs(assignment), records)
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

    def state(self, job: Job) -> State:
        """Where the newest run of a job is."""
        [rows] = self._rows(select_runs().where(JOBS.c.digest == job.digest).order_by(JOBS.c.run.desc()).limit(1))
        return progress_of(next(iter(rows), None)).state

    def jobs(self, assignment: str | None = None) -> list[Standing]:
        """Every job, in the order in which they were asked for."""
        [found] = self._rows(select_runs(assignment).order_by(JOBS.c.run))
        rows = {row["digest"]: row for row in found}
        return [standing_of(row) for row in sorted(rows.values(), key=lambda row: int(row["place"]))]

    def progress(self, assignment: str | None = None) -> dict[State, int]:
        """How many jobs are in each state."""
        counts: dict[State, int] = {state: 0 for state in State if state is not State.ABSENT}
        for standing in self.jobs(assignment):
            counts[standing.progress.state] += 1
        return counts

    def head(self) -> str:
        """The seal of the last record; write it down where the store's keeper can't change it."""
        return self._database.read(self._chain.head)

    def verify(self, head: str | None = None) -> int:
        """Go through all seals.

        Args:
            head: A head that was printed before: it must still be in the chain, else records were cut off.

        Returns:
            How many records there are.

        Raises:
            GradingError: A record does not fit its seal, or the head is gone.
        """
        return self._database.read(lambda connection: self._chain.verify(connection, head, self._database.has_jobs))

    def _rows(self, *queries: Select[Any]) -> list[Sequence[Any]]:
        """What each query gives, all in one view of the store."""

        def work(connection: Connection) -> list[Sequence[Any]]:
            return [
                connection.execute(query).mappings().all()
                if self._database.has_jobs or JOBS not in query.get_final_froms()
                else []
                for query in queries
            ]

        return self._database.read(work)

    def _lose(self, query: Select[Any], event: Event, now: float | int) -> list[Standing]:
        query = query.where(JOBS.c.state == State.CLAIMED)
        if self._rows(query.limit(1)) == [[]]:
            return []  # most often nothing is lost, and looking costs less than writing

        def work(connection: Connection, mark: str) -> list[Standing]:
            rows = connection.execute(query.with_for_update()).mappings().all()
            after = [self._give_back(connection, row, event, now, mark) for row in rows]
            return [replace(standing_of(row), progress=it) for row, it in zip(rows, after, strict=True)]

        return self._database.write(Kind.LOST, work)

    def _give_back(self, connection: Connection, row: Any, event: Event, now: float | int, mark: str) -> Progress:
        after = step(progress_of(row), event, now)
        if after.state is State.QUEUED:
            return set_run(connection, row, after, mark)
        job = Job.from_json(row["job"])
        verdicts = _infrastructure(json.loads(row["points"]), _LOST if event.kind is Kind.LOST else _FAULT)
        self._close(connection, job, row, after, mark, verdicts, Facts())
        return after

    def _repeat(self, connection: Connection, job: Job, row: Any, place: int, mark: str) -> None:
        """What was graded before counts again: the same verdicts as a new run, without running."""
        query = select(VERDICTS.c.verdict).where(VERDICTS.c.run == run_name(job.digest, row["run"]))
        texts = connection.execute(query.order_by(VERDICTS.c.number)).scalars().all()
        before = progress_of(row)
        after = replace(before, run=before.run + 1, reason=before.reason or f"as in run {before.run}")
        made = insert_run(connection, job, after, place, row["points"], mark)
        verdicts = [Verdict.from_json(text) for text in texts]
        self._close(connection, job, made, after, mark, verdicts, Facts.from_json(row["facts"]))

    def _close(
        self,
        connection: Connection,
        job: Job,
        row: Any,
        after: Progress,
        mark: str,
        verdicts: Sequence[Verdict],
        facts: Facts,
        **more: Any,
    ) -> str:
        """End a run: its verdicts into the chain, its job with a seal that names the last of them."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        facts = facts if facts.device else replace(facts, device=job.device)
        head = self._chain.append(connection, job, after.run, verdicts, moment)
        more |= {"facts": facts.to_json(), "finished_at": moment, "head": head if verdicts else EMPTY_HEAD}
        more["seal"] = self._chain.seal_run({**row, **vars(after), **more})
        set_run(connection, row, after, mark, **more)
        return head


def _record(rows: Sequence[Any], job: Any) -> Record:
    first = rows[0]
    names = ("assignment", "student", "submission", "checks")
    work = Job(**{name: first[name] for name in names}) if job is None else Job.from_json(job["job"])
    verdicts = tuple(Verdict.from_json(row["verdict"]) for row in rows)
    facts = None if job is None else Facts.from_json(job["facts"])
    return Record(work=work, run=first["run"], made_at=first["made_at"], verdicts=verdicts, facts=facts)


def _infrastructure(points: Mapping[str, float | int], message: str) -> list[Verdict]:
    return [
        Verdict(check=name, points=worth, earned=0, status="infrastructure", message=message)
        for name, worth in points.items()
    ]


def _require_one_each(job: Job, points: Mapping[str, float | int], verdicts: Sequence[Verdict]) -> None:
    got = [(verdict.check, verdict.points) for verdict in verdicts]
    if got != list(points.items()):
        raise GradingError(
            f"the verdicts on {job.student}'s {job.assignment} are {got}, and its checks {list(points.items())}.",
            "give one verdict for each check, in their order.",
        )


def _now(now: float | int | None) -> float:
    return time.time() if now is None else float(now)
