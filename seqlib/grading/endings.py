"""How a run of a job ends or comes back to the queue: the parts of a transaction that the store's calls share."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from seqlib.checks.verdict import Verdict
from seqlib.grading.chain import EMPTY_HEAD, Chain, run_name
from seqlib.grading.database import JOBS, VERDICTS
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.records import without_points
from seqlib.grading.runs import insert_run, progress_of, set_run
from seqlib.grading.states import Event, Kind, Progress, State, step

__all__ = ["Endings"]

_WHY = {
    Kind.FAULT: "Our grader failed here several times; this is not your fault. Your work is set aside, not graded yet.",
    Kind.LOST: "Grading this work ended our grading process twice, so it is set aside: your instructor looks at it.",
    Kind.RELEASE: "Grading was broken off ten times at this work, so it is set aside: your instructor looks at it.",
}

_OVERTAKEN = "newer work, checks or software took its place"


class Endings:
    """Ends runs.

    Args:
        chain: Seals what it writes.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def close(
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
        """End a run: its verdicts into the chain, its job with a seal that names the last of them; returns the head."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        facts = facts if facts.device else replace(facts, device=job.device)
        head = self._chain.append(connection, job, after.run, verdicts, moment)
        more |= {"facts": facts.to_json(), "finished_at": moment, "head": head if verdicts else EMPTY_HEAD}
        more["seal"] = self._chain.seal_run({**row, **vars(after), **more})
        set_run(connection, row, after, mark, **more)
        return head

    def repeat(self, connection: Connection, job: Job, row: Any, place: int, mark: str) -> None:
        """Let what was graded before count again: the same verdicts as a new run, without running."""
        query = select(VERDICTS.c.verdict).where(VERDICTS.c.run == run_name(job.digest, row["run"]))
        texts = connection.execute(query.order_by(VERDICTS.c.number)).scalars().all()
        before = progress_of(row)
        after = replace(before, run=before.run + 1, reason=before.reason or f"as in run {before.run}")
        made = insert_run(connection, job, after, place, row["points"], mark)
        verdicts = [Verdict.from_json(text) for text in texts]
        self.close(connection, job, made, after, mark, verdicts, Facts.from_json(row["facts"]))

    def give_back(self, connection: Connection, row: Any, event: Event, now: float | int, mark: str) -> Progress:
        """Let a claimed job wait again, or end it: set aside after too many tries, withdrawn where it is overtaken."""
        after = step(progress_of(row), event, now)
        if after.state is State.QUEUED:
            set_run(connection, row, after, mark)
            given = {**row, **vars(after)}
            return self.withdraw(connection, given, mark) if _is_overtaken(connection, row) else after
        job = Job.from_json(row["job"])
        verdicts = without_points(json.loads(row["points"]), _WHY[event.kind])
        self.close(connection, job, row, after, mark, verdicts, Facts())
        return after

    def withdraw(self, connection: Connection, row: Any, mark: str) -> Progress:
        """End a job that waits although something newer of its student was asked for."""
        return set_run(connection, row, step(progress_of(row), Event(kind=Kind.WITHDRAW, reason=_OVERTAKEN), 0), mark)


def _is_overtaken(connection: Connection, row: Any) -> bool:
    same = (JOBS.c.assignment == row["assignment"]) & (JOBS.c.student == row["student"])
    return (
        connection.execute(select(JOBS.c.run).where(same & (JOBS.c.place > row["place"])).limit(1)).first() is not None
    )
