"""Scores as Canvas and Moodle import them: the roster that they exported, with one column more."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seqlib.course.lateness import time_words
from seqlib.errors import GradingError
from seqlib.grading.roster import Matched, Roster, match
from seqlib.grading.scores import Total, csv_text, safe_cell

__all__ = ["CANVAS", "MOODLE", "Export", "canvas_csv", "moodle_csv"]

CANVAS = ("SIS Login ID", "SIS User ID", "ID")
MOODLE = ("Username", "ID number", "Email address")
_CANVAS_ROW = (("Student",), ("ID",), ("SIS User ID",), ("SIS Login ID",), ("Section",))
_MOODLE_ROW = (("First name",), ("Last name", "Surname"), ("Username",), ("ID number",), ("Email address",))
# Canvas itself writes these four spaces, and knows the row by its words.
_POINTS = "    Points Possible"


@dataclass(frozen=True, kw_only=True)
class Export:
    """A table to import, how many students have a score in it, and who has none although graded."""

    text: str
    scores: int
    problems: tuple[str, ...]


def canvas_csv(found: Sequence[Total], roster: Roster, column: str, title: str = "") -> Export:
    """Write what Canvas' gradebook imports: who, the assignment's column, and the row of points possible.

    Args:
        found: What each student gets.
        roster: Canvas' own export of the gradebook.
        column: The assignment's column; where the roster has `COLUMN (number)`, that one, so that Canvas knows it.
        title: Another name that the column may have in Canvas.
    """
    students = [number for number, row in enumerate(roster.rows) if _is_student(row, roster)]
    people = Roster(path=roster.path, header=roster.header, rows=tuple(roster.rows[number] for number in students))
    matched = match((total.student for total in found), people, CANVAS)
    by_name = {total.student: total for total in found}
    points = max((total.points for total in found), default=0)
    where = [people.column(*names) for names in _CANVAS_ROW]
    rows = [[*(names[0] for names in _CANVAS_ROW), _canvas_column(roster, column, title)]]
    rows.append([_POINTS, *[""] * (len(where) - 1), f"{points:g}"])
    for number, row in enumerate(people.rows):
        total = by_name.get(matched.students.get(number, ""))
        rows.append([*_cells(row, where), f"{total.score:g}" if total is not None else ""])
    return _export(rows, matched)


def moodle_csv(found: Sequence[Total], roster: Roster, column: str) -> Export:
    """Write what Moodle's grade import takes: who, the grade, and what the student reads beside it.

    Args:
        found: What each student gets.
        roster: Moodle's own export of participants or grades.
        column: The name of the grade's column.
    """
    matched = match((total.student for total in found), roster, MOODLE)
    by_name = {total.student: total for total in found}
    there = [(names[0], roster.column(*names)) for names in _MOODLE_ROW if roster.column(*names) is not None]
    where = [index for _, index in there]
    rows = [[*(name for name, _ in there), column, f"{column} (feedback)"]]
    for number, row in enumerate(roster.rows):
        total = by_name.get(matched.students.get(number, ""))
        given = [f"{total.score:g}", _feedback(total)] if total is not None else ["", ""]
        rows.append([*_cells(row, where), *given])
    return _export(rows, matched)


def _export(rows: list[list[str]], matched: Matched) -> Export:
    known_by = [i for i, name in enumerate(rows[0]) if name in CANVAS + MOODLE]
    guarded = [row[i] for row in rows[1:] for i in known_by if safe_cell(row[i]) != row[i]]
    problems = [f"{cell!r} begins like a formula and was quoted: this row may not be recognised" for cell in guarded]
    return Export(text=csv_text(rows), scores=len(matched.students), problems=(*matched.problems, *problems))


def _cells(row: Sequence[str], where: Sequence[int | None]) -> list[str]:
    return ["" if index is None else row[index] for index in where]


def _is_student(row: Sequence[str], roster: Roster) -> bool:
    """Canvas has rows of its own above the students: points possible, and how grades are posted."""
    where = [roster.column(name) for name in CANVAS]
    named = "".join(_cells(row, [roster.column("Student")]))
    return any(_cells(row, where)) and named.strip().casefold() != _POINTS.strip().casefold()


def _canvas_column(roster: Roster, column: str, title: str) -> str:
    names = "|".join(re.escape(name) for name in (column, title) if name)
    found = [name for name in roster.header if re.fullmatch(rf"(?:{names})(?: \(\d+\))?", name.strip())]
    if len(found) > 1:
        raise GradingError(
            f"the roster {roster.path} has {len(found)} columns for {column}: {', '.join(found)}.",
            "say which one: --column 'NAME (NUMBER)'.",
        )
    return found[0].strip() if found else column


def _feedback(total: Total) -> str:
    """Say in one line what a student has not passed yet, what lateness took off, and what a person wrote."""
    said = [f"{total.score:g} of {total.points:g} points."]
    late = total.late
    if late is not None:
        cost = f" ({total.before:g} - {total.penalty:g})" if total.penalty else ""
        said.append(f"Arrived {time_words(late.arrived)}, due {time_words(late.due)}: {late.text}{cost}.")
    open_checks = [
        f"{verdict.check} ({verdict.mistake.replace('_', ' ')})" if verdict.mistake else verdict.check
        for verdict in total.verdicts
        if verdict.status != "passed"
    ]
    if open_checks:
        said.append(f"Not passed: {', '.join(open_checks)}.")
    said += [f"On {mark.cell}: {mark.comment}" for mark in total.marks if mark.comment]
    return " ".join(said)
