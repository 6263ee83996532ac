"""What is asked of the store: new jobs, known ones once more, another run, or a record of what is graded already.

Each function is the work of one transaction; the store's own calls say what they are for.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from seqlib.checks.verdict import Verdict
from seqlib.grading.database import JOBS
from seqlib.grading.endings import Endings
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.runs import insert_run, progress_of, set_run, stale
from seqlib.grading.states import Event, Kind, State, step

__all__ = ["Asked", "ask", "ask_again", "record"]


def ask(
    connection: Connection, endings: Endings, wanted: Mapping[str, Job], points: Mapping[str, float | int], mark: str
) -> int:
    """Ask for jobs, by digest, and withdraw what waits beside them; returns how many were not known."""
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
            endings.repeat(connection, job, row, asked.next_place(job), mark)
        else:
            set_run(connection, row, progress, mark, place=asked.next_place(job))
    for row in asked.waiting_beside(wanted.values()):
        endings.withdraw(connection, row, mark)
    return len(new)


def ask_again(connection: Connection, job: Job, mark: str) -> int:
    """Ask for another run of a job, and return its number."""
    asked = Asked(connection, {job.assignment})
    row = asked.rows.get(job.digest)
    after = step(progress_of(row), Event(kind=Kind.REGRADE), 0)
    insert_run(connection, job, after, asked.next_place(job), row["points"] if row is not None else "", mark)
    return after.run


def record(
    connection: Connection, endings: Endings, job: Job, verdicts: Sequence[Verdict], facts: Facts, mark: str
) -> str:
    """Ask, claim and finish at once; returns the new head."""
    asked = Asked(connection, {job.assignment})
    row, progress = asked.rows.get(job.digest), progress_of(asked.rows.get(job.digest))
    if progress.state is State.CLAIMED:
        raise stale(job, progress)
    place = asked.next_place(job)
    if progress.state is State.WITHDRAWN:
        progress = step(progress, Event(kind=Kind.ENQUEUE), 0)
    elif progress.state is not State.QUEUED:
        kind = Kind.REGRADE if progress.final else Kind.ENQUEUE
        progress = step(progress, Event(kind=kind), 0)
        points = json.dumps({verdict.check: verdict.points for verdict in verdicts})
        row = insert_run(connection, job, progress, place, points, mark)
    for event in (Event(kind=Kind.CLAIM, owner="here"), Event(kind=Kind.FINISH, owner="here")):
        progress = step(progress, event, 0)
    return endings.close(connection, job, row, progress, mark, verdicts, facts, place=place)


class Asked:
    """The newest run of every job of some assignments, and the order in which they were asked for."""

    def __init__(self, connection: Connection, assignments: Collection[str]) -> None:
        query = select(JOBS).where(JOBS.c.assignment.in_(list(assignments))).order_by(JOBS.c.run)
        rows = connection.execute(query).mappings().all()
        self.rows = {row["digest"]: row for row in rows}
        self._newest: dict[tuple[str, str], int] = {}
        for row in rows:
            owner = (row["assignment"], row["student"])
            self._newest[owner] = max(self._newest.get(owner, 0), row["place"])
        self._last: int = connection.scalar(select(func.max(JOBS.c.place))) or 0

    def is_newest(self, job: Job, row: Any) -> bool:
        """Whether nothing else of this student was asked for since."""
        return bool(row["place"] == self._newest[(job.assignment, job.student)])

    def waiting_beside(self, jobs: Iterable[Job]) -> Iterator[Any]:
        """The rows that wait although another job of the same student and assignment was asked for since."""
        owners, digests = {(job.assignment, job.student) for job in jobs}, {job.digest for job in jobs}
        for row in self.rows.values():
            beside = (row["assignment"], row["student"]) in owners and row["digest"] not in digests
            if beside and row["state"] == State.QUEUED:
                yield row

    def next_place(self, job: Job) -> int:
        """The place after all others."""
        self._last += 1
        self._newest[(job.assignment, job.student)] = self._last
        return self._last
