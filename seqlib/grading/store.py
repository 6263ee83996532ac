"""The store: jobs and how far they are, and the verdicts in the order in which they were made.

`seqlib.grading.states` says what may happen to a job; here it is written, each time in one transaction that first
looks whether the job is still as its claim says. Verdicts are only appended, as `seqlib.grading.chain` seals them.
On SQLite the newest transactions lie in `store.db-wal` beside the file while it is open: copy both or neither.
"""

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Select, select

from seqlib.checks.verdict import Verdict
from seqlib.grading.asking import ask, ask_again, record
from seqlib.grading.chain import EMPTY_HEAD, Chain
from seqlib.grading.database import JOBS, VERDICTS, Database
from seqlib.grading.endings import Endings
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.owners import is_gone
from seqlib.grading.records import Record, newest_records, require_one_each
from seqlib.grading.runs import (
    Claim,
    Standing,
    claim_of,
    held_run,
    marked,
    marked_head,
    progress_of,
    same_run,
    select_runs,
    set_run,
    standing_of,
)
from seqlib.grading.states import Event, Kind, Progress, State, step

__all__ = ["EMPTY_HEAD", "Claim", "Record", "Standing", "Store"]


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
        self._endings = Endings(self._chain)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    def enqueue(self, jobs: Iterable[Job], points: Mapping[str, float | int]) -> int:
        """Ask for jobs to be graded; one that is known is not graded twice.

        The job of a student that is asked for last is the one whose record counts; what waits beside it is withdrawn.
        If it was graded before, its verdicts are appended once more and nothing runs.

        Args:
            jobs: What to grade.
            points: What each check is worth, in their order: a job that is set aside gets a verdict on each.

        Returns:
            How many were not known.
        """
        wanted = {job.digest: job for job in jobs}

        def work(connection: Connection, mark: str) -> int:
            return ask(connection, self._endings, wanted, points, mark)

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
        """Take the jobs that wait longest, those of expired leases too; what was tried before comes last.

        Args:
            owner: A name that nobody else has, now or later.
            count: How many at most.
            lease_s: How long without a heartbeat until anybody may take them.
            now: The time.
            only: Digests to choose from. None: all.
        """
        moment = _now(now)
        self.expire(moment)
        waiting = select(JOBS).where(JOBS.c.state == State.QUEUED)
        if only is not None:
            waiting = waiting.where(JOBS.c.digest.in_(list(only)))
        waiting = waiting.order_by(JOBS.c.attempts, JOBS.c.place).limit(count)
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
            require_one_each(claim.job, json.loads(row["points"]), verdicts)
            after = step(progress_of(row), event, 0)
            return self._endings.close(connection, claim.job, row, after, mark, verdicts, facts or Facts())

        return self._database.write(Kind.FINISH, work, written=marked_head)

    def fault(self, claim: Claim, reason: str, *, lost: bool = False) -> Progress:
        """Give a job back that our side failed on; after the third time it is set aside, with verdicts that say so.

        Args:
            claim: Of the job.
            reason: What failed.
            lost: A worker died over it, while its owner lives: the second time it is set aside.

        Raises:
            StaleClaimError: It is graded already, or somebody else holds it by now; nothing is written.
        """
        kind = Kind.LOST if lost else Kind.FAULT
        return self._give_back(claim, Event(kind=kind, owner=claim.progress.owner, reason=reason))

    def _give_back(self, claim: Claim, event: Event) -> Progress:
        def work(connection: Connection, mark: str) -> Progress:
            return self._endings.give_back(connection, held_run(connection, claim), event, 0, mark)

        def written(connection: Connection, mark: str) -> Progress | None:
            return next((progress_of(row) for row in marked(connection, mark)), None)

        return self._database.write(event.kind, work, written=written)

    def give_back(self, claim: Claim, reason: str) -> Progress:
        """Give one job back for no fault of its own and none of ours; it is set aside only after many attempts.

        Raises:
            StaleClaimError: It is graded already, or somebody else holds it by now; nothing is written.
        """
        return self._give_back(claim, Event(kind=Kind.RELEASE, owner=claim.progress.owner, reason=reason))

    def release(self, owner: str, reason: str = "", *, now: float | int | None = None) -> list[Standing]:
        """Give back every job of an owner that ends or has ended, which is no fault of the jobs."""
        event = Event(kind=Kind.RELEASE, owner=owner, reason=reason)
        return self._give_all_back(select(JOBS).where(JOBS.c.owner == owner), event, _now(now))

    def expire(self, now: float | int | None = None) -> list[Standing]:
        """Give back every job whose lease is over, and of every owner whose process is known to have ended."""
        moment = _now(now)
        [held] = self._rows(select_runs().where(JOBS.c.state == State.CLAIMED))
        released = []
        if any(row["lease_end"] <= moment for row in held):
            event = Event(kind=Kind.RELEASE, reason="its run was not heard of any more")
            released += self._give_all_back(select(JOBS).where(JOBS.c.lease_end <= moment), event, moment)
        for owner in filter(is_gone, {row["owner"] for row in held}):
            released += self.release(owner, "its run ended before it was done", now=moment)
        return released

    def owners(self, assignment: str | None = None) -> dict[str, int]:
        """Who holds jobs, and how many."""
        [rows] = self._rows(select_runs(assignment).where(JOBS.c.state == State.CLAIMED))
        return dict(Counter(row["owner"] for row in rows))

    def regrade(self, job: Job) -> int:
        """Ask for a graded job to be graded again, and return the number of the new run; the old verdicts stay.

        Raises:
            GradingError: The job is not known, or waits or runs already.
        """

        def work(connection: Connection, mark: str) -> int:
            return ask_again(connection, job, mark)

        def written(connection: Connection, mark: str) -> int | None:
            return next((int(row["run"]) for row in marked(connection, mark)), None)

        return self._database.write(Kind.REGRADE, work, written=written)

    def append(self, job: Job, verdicts: Sequence[Verdict], facts: Facts | None = None) -> str:
        """Record in one transaction what was graded without a queue, as a new run of its job; return the new head.

        Raises:
            StaleClaimError: A worker holds this job.
        """

        def work(connection: Connection, mark: str) -> str:
            return record(connection, self._endings, job, verdicts, facts or Facts(), mark)

        return self._database.write(Kind.FINISH, work, written=marked_head)

    def latest(self, assignment: str) -> dict[str, Record]:
        """The record that counts of each student, by name: of what was asked for last among what is graded."""
        records = select(VERDICTS).where(VERDICTS.c.assignment == assignment).order_by(VERDICTS.c.number)
        runs, made = self._rows(select_runs(assignment), records)
        return newest_records(runs, made)

    def state(self, job: Job) -> State:
        """Where the newest run of a job is."""
        [rows] = self._rows(select_runs().where(JOBS.c.digest == job.digest).order_by(JOBS.c.run.desc()).limit(1))
        return progress_of(next(iter(rows), None)).state

    def states(self, assignment: str) -> dict[str, State]:
        """Where the newest run of every job of an assignment is, by digest."""
        query = select(JOBS.c.digest, JOBS.c.state).where(JOBS.c.assignment == assignment).order_by(JOBS.c.run)
        [rows] = self._rows(query)
        return {row["digest"]: State(row["state"]) for row in rows}

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

    def _give_all_back(self, query: Select[Any], event: Event, now: float | int) -> list[Standing]:
        query = query.where(JOBS.c.state == State.CLAIMED)

        def work(connection: Connection, mark: str) -> list[Standing]:
            rows = connection.execute(query.with_for_update()).mappings().all()
            after = [self._endings.give_back(connection, row, event, now, mark) for row in rows]
            return [replace(standing_of(row), progress=it) for row, it in zip(rows, after, strict=True)]

        return self._database.write(event.kind, work)


def _now(now: float | int | None) -> float:
    return time.time() if now is None else float(now)
