"""The store's database: its two tables, and transactions that outlive a lost connection or a rival writer.

SQLite needs no server and is what a class has by default; PostgreSQL is used where a URL says so.
"""

import random
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from seqlib.errors import GradingError, StoreError
from seqlib.grading import states

__all__ = ["JOBS", "VERDICTS", "Database", "store_url"]

_TABLES = MetaData()

VERDICTS = Table(
    "verdicts",
    _TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("run", String(64), nullable=False, index=True),
    Column("assignment", String(255), nullable=False, index=True),
    Column("student", String(255), nullable=False, index=True),
    Column("submission", String(64), nullable=False),
    Column("checks", String(64), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("seal", String(64), nullable=False),
)

# One row a run of a job. The columns from `state` to `reason` are a Progress, `place` is the order of asking.
JOBS = Table(
    "jobs",
    _TABLES,
    Column("digest", String(64), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, nullable=False, unique=True),
    Column("assignment", String(255), nullable=False, index=True),
    Column("student", String(255), nullable=False, index=True),
    Column("job", Text, nullable=False),
    Column("points", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("lease_end", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("mark", String(32), nullable=False, index=True),
    Column("facts", Text, nullable=False),
    Column("finished_at", String(40), nullable=False),
    Column("head", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

_BUSY_S = 30.0
_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)  # after a lost connection
_MOST_CONFLICTS = 50
_WRITERS_LOCK = 0x5E91B  # any number, the same in every writer
_Result = TypeVar("_Result")


def store_url(place: str | Path) -> str:
    """A database URL with the driver that we use; a path as an SQLite file.

    >>> store_url("postgresql://host/grades"), store_url("class/store.db")
    ('postgresql+psycopg://host/grades', 'sqlite:///class/store.db')
    """
    url = str(place)
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url if "://" in url else f"sqlite:///{url}"


class Database:
    """Short transactions on the store.

    Args:
        place: A path of an SQLite file, or a database URL.
        write: Make the tables that are missing; without it nothing is ever written.

    Attributes:
        name: The place without a password.
        has_jobs: Whether it has the table of jobs; a store of an older version has none until it is opened to write.
    """

    def __init__(self, place: str | Path, *, write: bool = True) -> None:
        self.name = str(place)
        try:
            url = make_url(store_url(place))
            self.name = url.render_as_string(hide_password=True) if "://" in str(place) else str(place)
            self._engine = _engine(url, write)
        except (ArgumentError, ModuleNotFoundError) as error:
            raise _no_driver(self.name, error) from error
        # SQLite's transactions see one state of the file anyway.
        self._one_view = {"isolation_level": "REPEATABLE READ"} if url.get_backend_name() == "postgresql" else {}
        if write:
            self._with_retries(lambda: _TABLES.create_all(self._engine))
        self.has_jobs: bool = self._with_retries(lambda: inspect(self._engine).has_table("jobs"))

    def close(self) -> None:
        """Hang up."""
        self._engine.dispose()

    def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` on one consistent view of the store."""

        def once() -> _Result:
            with self._engine.execution_options(**self._one_view).connect() as connection:
                return work(connection)

        return self._with_retries(once)

    def write(
        self,
        name: str,
        work: Callable[[Connection, str], _Result],
        *,
        written: Callable[[Connection, str], _Result | None] | None = None,
        alone: bool = True,
    ) -> _Result:
        """Run `work` in one transaction: all of it is written or nothing.

        Args:
            name: Of the transition, for tests that kill.
            work: Gets the connection and a mark of this very write.
            written: Finds by the mark what an earlier try has written.
                A connection that is lost while it commits leaves open whether it did; this tells.
            alone: Let other writers wait, as what is written depends on the last record.
        """
        mark, tries = uuid.uuid4().hex, 0

        def once() -> _Result:
            nonlocal tries
            tries += 1
            states.at(name, "before")
            with self._engine.execution_options(seqlib_begin="BEGIN IMMEDIATE").begin() as connection:
                if alone and connection.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"))
                found = written(connection, mark) if written is not None and tries > 1 else None
                result = found if found is not None else work(connection, mark)
                states.at(name, "within")
            states.at(name, "after")
            return result

        return self._with_retries(once)

    def _with_retries(self, work: Callable[[], _Result]) -> _Result:
        lost = conflicts = 0
        while True:
            try:
                return work()
            except SQLAlchemyError as error:
                if _is_conflict(error) and conflicts < _MOST_CONFLICTS:
                    conflicts += 1
                    time.sleep(random.uniform(0.001, 0.002 * min(conflicts, 10)))
                elif _is_lost(error) and lost < len(_PAUSES_S):
                    time.sleep(_PAUSES_S[lost])
                    lost += 1
                else:
                    raise self._fault(error) from error

    def _fault(self, error: SQLAlchemyError) -> StoreError:
        cause = _cause(error)
        hint = "see that it is a database that you may write."
        if _is_lost(error):
            hint = "see that the database runs, then give the command again: what was graded is kept, nothing is half."
        elif "full" in cause:
            hint = "free some space, then give the command again: what was graded is kept, nothing is half."
        return StoreError(f"the store {self.name} fails: {cause}.", hint)


def _engine(url: Any, write: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # Python's own BEGIN comes too late to read and write as one
        cursor = connection.cursor()
        if write:
            cursor.execute("PRAGMA journal_mode=WAL")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("seqlib_begin", "BEGIN"))

    return engine


def _is_conflict(error: SQLAlchemyError) -> bool:
    """Whether another writer was faster."""
    if isinstance(error, IntegrityError):
        return True
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    # 40001 and 40P01: serialization, deadlock; 42P07 and 23505: two that make the tables at once
    return code in ("40001", "40P01", "42P07", "23505") or "already exists" in _cause(error)


def _is_lost(error: SQLAlchemyError) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return any(word in str(error.orig) for word in ("locked", "busy"))
    code = getattr(error.orig, "sqlstate", None) or ""
    # No code: no server was there to give one. 08 and 57P: it went away. 53300: it has no room for us now.
    nobody = not code and type(error.orig).__name__ == "OperationalError"
    return error.connection_invalidated or nobody or code.startswith(("08", "57P")) or code == "53300"


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")


def _no_driver(name: str, error: Exception) -> GradingError:
    if isinstance(error, ModuleNotFoundError):
        return GradingError(f"the store {name} needs the package {error.name}.", "pip install 'seqlib[postgres]'")
    return GradingError(f"the store {name} is no database URL.", "give a file, or postgresql://USER@HOST/DATABASE.")
