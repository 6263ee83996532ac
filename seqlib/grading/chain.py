"""The chain of verdicts: each record is sealed together with the one before.

A seal is an HMAC over a record's own fields and the seal before it,
so that a record that was edited, left out or moved is noticed by whoever holds the course key.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, insert, select

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.database import JOBS, VERDICTS
from seqlib.grading.jobs import Job

__all__ = ["EMPTY_HEAD", "Chain", "run_name"]

EMPTY_HEAD = "0" * 64
_BATCH = 1000
_SEALED = (
    *("digest", "run", "place", "job", "points", "state", "version", "attempts", "faults", "lost"),
    *("owner", "reason", "facts", "finished_at", "head"),
)


def run_name(digest: str, run: int) -> str:
    """The name that the verdicts of one run of a job carry.

    >>> run_name("ab" * 32, 2)
    'abababababababababababababababababababababababab.2'
    """
    return f"{digest[:48]}.{run}"


class Chain:
    """Makes and checks the seals.

    Args:
        key: The course key.
        name: Of the store, for what people read.
    """

    def __init__(self, key: bytes, name: str) -> None:
        self._key = hmac.new(key, b"store", hashlib.sha256).digest()
        self._name = name

    def head(self, connection: Connection) -> str:
        """The seal of the last record."""
        return self._last(connection)[1]

    def append(self, connection: Connection, job: Job, run: int, verdicts: Iterable[Verdict], made_at: str) -> str:
        """Append the verdicts of one run and return the new head.

        A second writer fails on the number of the record, and its transaction writes nothing.
        """
        number, seal = self._last(connection)
        rows = []
        for verdict in verdicts:
            number += 1
            row = {"number": number, "run": run_name(job.digest, run), "assignment": job.assignment}
            row |= {"student": job.student, "submission": job.submission, "checks": job.checks}
            row |= {"verdict": verdict.to_json(), "made_at": made_at}
            seal = row["seal"] = self._seal(row, seal)
            rows.append(row)
        if rows:
            connection.execute(insert(VERDICTS), rows)
        return seal

    def seal_run(self, row: Any) -> str:
        """The seal of a finished run: what was graded, how it ended, and the last of its verdicts."""
        return self._mac(["job", *(row[name] for name in _SEALED)])

    def verify(self, connection: Connection, head: str | None, has_jobs: bool = True) -> int:
        """Go through all seals, those of the runs too, and return the number of verdicts."""
        seal, number, found = EMPTY_HEAD, 0, head in (None, EMPTY_HEAD)
        last: dict[str, str] = {}
        for row in _pages(connection, select(VERDICTS), VERDICTS.c.number):
            number += 1
            if row["number"] != number or not hmac.compare_digest(row["seal"], self._seal(row, seal)):
                what = f"record {row['number']} of {self._name} was changed or does not follow the one before"
                raise self._broken(what)
            seal = last[row["run"]] = row["seal"]
            found = found or seal == head
        if not found:
            raise GradingError(
                f"the head {str(head)[:12]} is not in {self._name}.", "records were cut off: restore a copy."
            )
        if has_jobs:  # else it is a store of an older version, opened to read
            self._verify_runs(connection, last)
        return number

    def _verify_runs(self, connection: Connection, last: dict[str, str]) -> None:
        """Hold the finished runs against the last seal of each run's verdicts."""
        # A store of an older version has runs that no job stands for: their names have no point.
        missing = {run for run in last if "." in run}
        for row in _pages(connection, select(JOBS).where(JOBS.c.seal != ""), JOBS.c.place):
            name = run_name(row["digest"], row["run"])
            whole = hmac.compare_digest(row["seal"], self.seal_run(row)) and last.get(name, EMPTY_HEAD) == row["head"]
            if not whole:
                raise self._broken(f"the job of {row['student']} (run {name}) in {self._name} was changed")
            missing.discard(name)
        if missing:
            raise self._broken(f"the job of run {min(missing)} is gone from {self._name}")

    def _last(self, connection: Connection) -> tuple[int, str]:
        query = select(VERDICTS.c.number, VERDICTS.c.seal).order_by(VERDICTS.c.number.desc()).limit(1)
        row = connection.execute(query).first()
        return (row.number, row.seal) if row is not None else (0, EMPTY_HEAD)

    def _seal(self, row: Any, before: str) -> str:
        names = ("number", "run", "assignment", "student", "submission", "checks", "verdict", "made_at")
        return self._mac([before, *(row[name] for name in names)])

    def _mac(self, values: list[Any]) -> str:
        return hmac.new(self._key, json.dumps(values).encode(), hashlib.sha256).hexdigest()

    def _broken(self, what: str) -> GradingError:
        return GradingError(f"{what}.", "restore the store from a copy, or see that the key is the course's own.")


def _pages(connection: Connection, query: Select[Any], key: Column[int]) -> Iterator[Any]:
    """All rows in the order of a key that no two share, few of them in memory at a time."""
    last = None
    while True:
        page = query if last is None else query.where(key > last)
        rows = connection.execute(page.order_by(key).limit(_BATCH)).mappings().all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1][key.name]
