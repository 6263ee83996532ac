"""The store: verdicts in the order in which they were made, each sealed together with the one before.

Records are only appended. A record's seal is an HMAC over its own fields and the seal before it,
so that a record that was edited, left out or moved is noticed by whoever holds the course key.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Integer, String, Text, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError

__all__ = ["EMPTY_HEAD", "Record", "Store", "Work", "store_url"]

EMPTY_HEAD = "0" * 64


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "verdicts"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    run: Mapped[str] = mapped_column(String(64), index=True)
    assignment: Mapped[str] = mapped_column(String(128), index=True)
    student: Mapped[str] = mapped_column(String(128), index=True)
    submission: Mapped[str] = mapped_column(String(64))
    checks: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(Text)
    made_at: Mapped[str] = mapped_column(String(40))
    seal: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, kw_only=True)
class Work:
    """What was graded.

    Attributes:
        assignment: Its name.
        student: Whose work it is.
        submission: Digest of what was handed in.
        checks: Digest of the checks, the release and the key that it was graded with.
    """

    assignment: str
    student: str
    submission: str
    checks: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One grading of one submission: its verdicts, in the order of the checks."""

    work: Work
    run: str
    made_at: str
    verdicts: tuple[Verdict, ...]

    @property
    def earned(self) -> float | int:
        """Points earned."""
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(verdict.points for verdict in self.verdicts)


def store_url(place: str | Path) -> str:
    """A database URL as it is; a path as an SQLite file.

    >>> store_url("postgresql://host/grades"), store_url("class/store.db")
    ('postgresql://host/grades', 'sqlite:///class/store.db')
    """
    return str(place) if "://" in str(place) else f"sqlite:///{place}"


class Store:
    """Verdict records in a database; use it as a context manager.

    Args:
        place: A path of an SQLite file, or a database URL.
        key: The course key, which the seals are made with.
    """

    def __init__(self, place: str | Path, key: bytes) -> None:
        self._key = hmac.new(key, b"store", hashlib.sha256).digest()
        self._engine = create_engine(store_url(place))
        self._place = place
        try:
            _Base.metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            raise self._fault(error) from error

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._engine.dispose()

    def append(self, work: Work, run: str, verdicts: Iterable[Verdict]) -> str:
        """Append the verdicts of one submission, all or none, and return the new head."""
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with Session(self._engine) as session, session.begin():
                number, seal = self._last(session)
                for verdict in verdicts:
                    number += 1
                    row = _Row(number=number, run=run, made_at=made_at, verdict=verdict.to_json(), **vars(work))
                    seal = row.seal = self._seal(row, seal)
                    session.add(row)  # a second writer fails here on the number, and writes nothing
                return seal
        except SQLAlchemyError as error:
            raise self._fault(error) from error

    def latest(self, assignment: str) -> dict[str, Record]:
        """The last record of each student, by name."""
        newest: dict[str, list[_Row]] = {}
        for row in self._rows(assignment):
            rows = newest.setdefault(row.student, [])
            if rows and rows[0].run != row.run:
                rows.clear()
            rows.append(row)
        return {student: _record(rows) for student, rows in sorted(newest.items())}

    def head(self) -> str:
        """The seal of the last record; write it down where the store's keeper can't change it."""
        with Session(self._engine) as session:
            return self._last(session)[1]

    def verify(self, head: str | None = None) -> int:
        """Go through all seals.

        Args:
            head: A head that was printed before: it must still be in the chain, else records were cut off.

        Returns:
            How many records there are.

        Raises:
            GradingError: A record does not fit its seal, or the head is gone.
        """
        seal, seen, number = EMPTY_HEAD, {EMPTY_HEAD}, 0
        for row in self._rows():
            number += 1
            if row.number != number or not hmac.compare_digest(row.seal, self._seal(row, seal)):
                raise GradingError(
                    f"record {row.number} of {self._place} was changed or does not follow the one before.",
                    "restore the store from a copy, or see that the key is the course's own.",
                )
            seal = row.seal
            seen.add(seal)
        if head is not None and head not in seen:
            raise GradingError(
                f"the head {head[:12]} is not in {self._place}.", "records were cut off: restore a copy."
            )
        return number

    def _rows(self, assignment: str | None = None) -> Iterator[_Row]:
        query = select(_Row).order_by(_Row.number)
        if assignment is not None:
            query = query.where(_Row.assignment == assignment)
        try:
            with Session(self._engine) as session:
                yield from session.scalars(query).all()
        except SQLAlchemyError as error:
            raise self._fault(error) from error

    def _last(self, session: Session) -> tuple[int, str]:
        number = session.scalar(select(func.max(_Row.number)))
        row = session.get(_Row, number) if number else None
        return (row.number, row.seal) if row is not None else (0, EMPTY_HEAD)

    def _seal(self, row: _Row, before: str) -> str:
        fields: list[Any] = [before, row.number, row.run, row.assignment, row.student]
        fields += [row.submission, row.checks, row.verdict, row.made_at]
        return hmac.new(self._key, json.dumps(fields).encode(), hashlib.sha256).hexdigest()

    def _fault(self, error: SQLAlchemyError) -> GradingError:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        return GradingError(f"the store {self._place} fails: {cause}.", "see that it is a database that you may write.")


def _record(rows: list[_Row]) -> Record:
    first = rows[0]
    work = Work(assignment=first.assignment, student=first.student, submission=first.submission, checks=first.checks)
    verdicts = tuple(Verdict.from_json(row.verdict) for row in rows)
    return Record(work=work, run=first.run, made_at=first.made_at, verdicts=verdicts)
