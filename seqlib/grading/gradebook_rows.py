"""The rows of nbgrader's gradebook that an assignment has, brought to what the store and the class's table say."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from seqlib.checks.verdict import Verdict
from seqlib.grading.deadlines import Due, Lateness, read_arrival
from seqlib.grading.kit import Kit
from seqlib.grading.store import Record

__all__ = ["Writer"]


class Writer:
    """One assignment's rows, read once and completed as needed.

    Args:
        api: nbgrader's interface.
        kit: The assignment, whose release says which cells there are.
        db: The session of an open gradebook; whoever opened it commits.
        course_id: The gradebook's course.
        due: When the assignment is due and what lateness costs.
    """

    def __init__(self, api: Any, kit: Kit, db: Any, course_id: str, due: Due) -> None:
        self._api, self._db, self._due = api, db, due
        assignment = self._one(api.Assignment, {"name": kit.name}, {"course_id": course_id})
        kernelspec = json.dumps(kit.notebook["metadata"]["kernelspec"])
        self._assignment = assignment
        if due.deadline is not None:
            _put(assignment, "duedate", _naive(due.deadline.due))
        self._notebook = self._one(
            api.Notebook, {"name": kit.name, "assignment_id": assignment.id}, {"kernelspec": kernelspec}
        )
        self._register(kit)
        db.flush()
        self._cells = {(cell.name, type(cell).__name__): cell for cell in self._notebook._base_cells}

    def write(self, records: Mapping[str, Record], arrivals: Mapping[str, str]) -> None:
        """Write the students' scores: a kind of rows at a time, since a round for each student takes thrice as long."""
        submissions = self._submissions(records)
        for student, submission in submissions.items():
            self._date(submission, student, arrivals.get(student, ""))
        notebooks = self._notebooks(submissions)
        grades = self._of_notebooks(self._api.Grade)
        comments = self._of_notebooks(self._api.Comment)
        for student, record in records.items():
            notebook = notebooks[student]
            self._comment(notebook, comments.get(notebook.id, {}))
            written = self._score(notebook, grades.get(notebook.id, {}), record.verdicts)
            stamp = submissions[student].timestamp
            late = self._due.of(student, stamp.replace(tzinfo=UTC)) if stamp is not None else None
            _penalise(notebook, written, late)

    def _submissions(self, students: Iterable[str]) -> dict[str, Any]:
        """Each student's submission, made where there is none."""
        api, db = self._api, self._db
        there = set(db.scalars(db.query(api.Student.id).statement))
        self._add(api.Student(id=student) for student in students if student not in there)
        kind = api.SubmittedAssignment
        found = {one.student_id: one for one in self._query(kind).filter_by(assignment_id=self._assignment.id)}
        keys = {"assignment_id": self._assignment.id}
        found |= {
            new.student_id: new for new in self._add(kind(student_id=s, **keys) for s in students if s not in found)
        }
        return {student: found[student] for student in students}

    def _notebooks(self, submissions: Mapping[str, Any]) -> dict[str, Any]:
        """The notebook of each student's submission, made where there is none."""
        kind = self._api.SubmittedNotebook
        found = {one.assignment_id: one for one in self._query(kind).filter_by(notebook_id=self._notebook.id)}
        missing = [one.id for one in submissions.values() if one.id not in found]
        new = self._add(kind(notebook_id=self._notebook.id, assignment_id=one) for one in missing)
        found |= {one.assignment_id: one for one in new}
        return {student: found[one.id] for student, one in submissions.items()}

    def _of_notebooks(self, kind: Any) -> dict[str, dict[str, Any]]:
        """All grades, or comments, of this notebook's submissions: of each submitted notebook, by cell."""
        found: dict[str, dict[str, Any]] = {}
        submitted = self._api.SubmittedNotebook
        query = self._query(kind).join(submitted, submitted.id == kind.notebook_id)
        for row in query.filter(submitted.notebook_id == self._notebook.id):
            found.setdefault(row.notebook_id, {})[row.cell_id] = row
        return found

    def _date(self, submission: Any, student: str, arrived: str) -> None:
        """Write when it came and how long it might have taken."""
        time = read_arrival(arrived)
        if arrived:  # None where somebody wrote another text into timestamp.txt
            _put(submission, "timestamp", None if time is None else _naive(time))
        if self._due.deadline is not None:
            given = self._due.extensions.get(student)
            _put(submission, "extension", None if given is None else given - self._due.deadline.due)

    def _comment(self, notebook: Any, there: Mapping[str, Any]) -> None:
        """Make room for a person's comments."""
        cells = [cell for (_, kind), cell in self._cells.items() if kind == "SolutionCell" and cell.id not in there]
        self._db.add_all(self._api.Comment(cell_id=cell.id, notebook_id=notebook.id) for cell in cells)

    def _score(self, notebook: Any, there: Mapping[str, Any], verdicts: Iterable[Verdict]) -> list[Any]:
        """Write the scores of one student, and return all grades there are."""
        grades = dict(there)
        # A fault of ours is no score: the cell waits for a person, or for the next run.
        earned = {verdict.check: verdict.earned for verdict in verdicts if verdict.status != "infrastructure"}
        for (name, kind), cell in self._cells.items():
            if kind == "GradeCell":
                if cell.id not in grades:
                    grades[cell.id] = self._api.Grade(cell_id=cell.id, notebook_id=notebook.id)
                    self._db.add(grades[cell.id])
                _give(grades[cell.id], earned.get(name))
        return list(grades.values())

    def _register(self, kit: Kit) -> None:
        """Bring the notebook's cells to those of the release; a check that it has no more is worth nothing."""
        names = set()
        for cell in kit.notebook["cells"]:
            mark = cell.get("metadata", {}).get("nbgrader")
            if not mark:
                continue
            name, kind = mark["grade_id"], cell["cell_type"]
            key = {"name": name, "notebook_id": self._notebook.id}
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            if mark.get("grade"):
                names.add(name)
                values = {"max_score": float(mark["points"]), "cell_type": kind}
                self._one(self._api.GradeCell, key, values, update=True)
            if mark.get("solution"):
                self._one(self._api.SolutionCell, key, {})
            values = {"cell_type": kind, "locked": bool(mark.get("locked")), "source": source}
            self._one(self._api.SourceCell, key, values | {"checksum": mark.get("checksum")}, update=True)
        for grade_cell in self._notebook.grade_cells:
            if grade_cell.name not in names:
                grade_cell.max_score = 0.0

    def _one(self, kind: Any, keys: dict[str, Any], values: dict[str, Any], *, update: bool = False) -> Any:
        found = self._db.query(kind).filter_by(**keys).one_or_none()
        if found is None:
            return self._add([kind(**keys, **values)])[0]
        for name, value in values.items() if update else ():
            _put(found, name, value)
        return found

    def _add(self, rows: Iterable[Any]) -> list[Any]:
        """Add rows and give them their identities."""
        made = list(rows)
        self._db.add_all(made)
        self._db.flush()
        return made

    def _query(self, kind: Any) -> Any:
        """The rows of a kind, without what nbgrader would compute for each of them from all its cells."""
        from sqlalchemy.orm import load_only

        return self._db.query(kind).options(
            load_only(*(getattr(kind, column.key) for column in kind.__table__.columns))
        )


def _give(grade: Any, earned: float | int | None) -> None:
    """Write our score beside a person's; theirs stays, and is shown to them again when ours has changed."""
    auto = None if earned is None else float(earned)
    changed = grade.auto_score != auto
    if changed:
        grade.auto_score = auto
    marked = grade.manual_score is not None
    needs = bool(grade.needs_manual_grade) or changed if marked else auto is None
    if grade.needs_manual_grade != needs:
        grade.needs_manual_grade = needs


def _penalise(notebook: Any, grades: Iterable[Any], late: Lateness | None) -> None:
    """Write what lateness costs of what counts now; nbgrader takes it off in its exports and its feedback."""
    points = sum(_counted(grade) for grade in grades)
    _put(notebook, "late_submission_penalty", (late.penalty(points) or None) if late is not None else None)


def _counted(grade: Any) -> float:
    """The score of a cell as nbgrader will compute it once the rows are written."""
    score = grade.manual_score if grade.manual_score is not None else grade.auto_score
    return 0.0 if score is None else float(score + (grade.extra_credit or 0.0))


def _put(row: Any, name: str, value: Any) -> None:
    if getattr(row, name) != value:
        setattr(row, name, value)


def _naive(time: datetime) -> datetime:
    """nbgrader keeps times in UTC without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)
