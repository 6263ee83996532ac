"""nbgrader's gradebook as a projection of the store: written in one transaction, as often as one likes.

Manual marks, comments and extra credit live only there and are never touched.
"""

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqlib.errors import GradingError
from seqlib.grading.deadlines import Due
from seqlib.grading.gradebook_rows import Writer
from seqlib.grading.kit import Kit
from seqlib.grading.store import Record

__all__ = ["Mark", "gradebook_url", "prepare", "project", "read_arrivals", "read_marks"]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One graded cell of one student, as the gradebook has it.

    Attributes:
        cell: The cell's `grade_id`.
        points: Points that it is worth.
        score: Points given: the manual mark, else ours, plus extra credit.
        manual: Whether a person gave the mark.
        comment: A person's comment on the cell; empty where none is.
    """

    cell: str
    points: float | int
    score: float | int
    manual: bool
    comment: str = ""


def gradebook_url(course: Path) -> str:
    """Where nbgrader keeps a class's grades unless told otherwise."""
    return f"sqlite:///{course / 'gradebook.db'}"


def prepare() -> None:
    """Import what takes a second, at a moment when there is nothing else to do."""
    with _quiet():
        _nbgrader()


def project(
    kit: Kit, url: str, records: Mapping[str, Record], arrivals: Mapping[str, str], due: Due | None = None
) -> None:
    """Bring the gradebook to what the store and the class's table say; doing it twice changes nothing.

    Args:
        kit: The assignment, whose release says which cells there are.
        url: The gradebook.
        records: The last record of each student.
        arrivals: When each submission was collected, as in `timestamp.txt`.
        due: When the assignment is due and what lateness costs.
    """
    with _gradebook(url) as book:
        Writer(_nbgrader(), kit, book.db, book.course_id, due or Due()).write(records, arrivals)
        book.db.commit()


def read_marks(assignment: str, url: str) -> dict[str, tuple[Mark, ...]]:
    """The marks of every student, manual ones included."""
    api = _nbgrader()

    marks: dict[str, tuple[Mark, ...]] = {}
    with _gradebook(url) as book:
        query = book.db.query(api.SubmittedNotebook).join(api.SubmittedAssignment).join(api.Assignment)
        for notebook in query.filter(api.Assignment.name == assignment):
            comments = {comment.name: comment.manual_comment or "" for comment in notebook.comments}
            marks[notebook.student.id] = tuple(
                Mark(
                    cell=grade.name,
                    points=grade.max_score,
                    score=grade.score,
                    manual=grade.manual_score is not None,
                    comment=comments.pop(grade.name, ""),
                )
                for grade in notebook.grades
            ) + tuple(
                Mark(cell=name, points=0, score=0, manual=False, comment=text)
                for name, text in comments.items()
                if text
            )
    return marks


def read_arrivals(assignment: str, url: str) -> dict[str, datetime]:
    """When the submission of each student arrived that the gradebook's scores are of."""
    api = _nbgrader()

    with _gradebook(url) as book:
        query = book.db.query(api.SubmittedAssignment).join(api.Assignment).filter(api.Assignment.name == assignment)
        found = {submission.student_id: submission.timestamp for submission in query}
    return {student: time.replace(tzinfo=UTC) for student, time in found.items() if time is not None}


@contextmanager
def _gradebook(url: str) -> Iterator[Any]:
    """Open nbgrader's gradebook, rolled back on an error."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _quiet():
            book = _nbgrader().Gradebook(url)
            try:
                yield book
            finally:
                book.db.rollback()
                book.close()
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise GradingError(
            f"the gradebook {url} fails: {cause}.", "the verdicts are in the store: mend it and grade again."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without nbgrader's own warnings, on import and in its queries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _nbgrader() -> Any:
    """nbgrader's interface, without two things that take seconds."""
    # What jsonschema would check addresses in other alphabets with compiles 38 grammars; no notebook has such a field.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from nbgrader import api

    api.get_alembic_version = _alembic_version  # it starts the command `alembic`, for each new gradebook
    return api


def _alembic_version() -> str:
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())
