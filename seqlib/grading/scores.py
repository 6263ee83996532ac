"""Scores of a class: what each student gets, lateness taken off, and the table of it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqlib.checks.verdict import Verdict
from seqlib.course.lateness import Lateness
from seqlib.errors import GradingError
from seqlib.files import write_whole
from seqlib.grading.deadlines import Due, class_deadlines
from seqlib.grading.gradebook import Mark, gradebook_url, read_arrivals, read_marks
from seqlib.grading.store import Record

__all__ = ["Total", "csv_text", "read_totals", "safe_cell", "scores_csv", "totals", "write_scores"]

# The last four are what spreadsheets of East Asian systems take for the first four.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ABOUT = ("student", "score", "points", "before_penalty", "penalty", "days_late", "arrived", "due")


@dataclass(frozen=True, kw_only=True)
class Total:
    """What one student gets.

    Attributes:
        student: Whose it is.
        cells: Points given and points possible of each graded cell; manual marks win over verdicts.
        late: How late the work is; None where there is no due time.
        verdicts: What was found, check for check.
        marks: The gradebook's marks.
        graded_at: When it was graded.
        submission: Digest of what was handed in.
    """

    student: str
    cells: Mapping[str, tuple[float | int, float | int]]
    late: Lateness | None = None
    verdicts: tuple[Verdict, ...] = ()
    marks: tuple[Mark, ...] = ()
    graded_at: str = ""
    submission: str = ""

    @property
    def before(self) -> float | int:
        """Points that the work earns."""
        return sum(score for score, _ in self.cells.values())

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(points for _, points in self.cells.values())

    @property
    def penalty(self) -> float | int:
        """Points that lateness takes off."""
        return self.late.penalty(self.before) if self.late is not None else 0

    @property
    def score(self) -> float | int:
        """Points that count."""
        return round(self.before - self.penalty, 6)


def totals(
    records: Mapping[str, Record],
    marks: Mapping[str, tuple[Mark, ...]],
    late: Mapping[str, Lateness | None] | None = None,
) -> list[Total]:
    """Add up what each student gets, in the order of their names.

    Args:
        records: The last record of each student.
        marks: The gradebook's marks of each student; they win over the records.
        late: How late each student's work is.
    """
    graded = {verdict.check for record in records.values() for verdict in record.verdicts}
    found = []
    for student, record in sorted(records.items()):
        given = marks.get(student, ())
        cells = {verdict.check: (verdict.earned, verdict.points) for verdict in record.verdicts}
        cells |= {mark.cell: (mark.score, mark.points) for mark in given if mark.points > 0 or mark.cell in graded}
        total = Total(
            student=student,
            cells=cells,
            late=(late or {}).get(student),
            verdicts=record.verdicts,
            marks=given,
            graded_at=record.made_at,
            submission=record.work.submission,
        )
        found.append(total)
    return found


def read_totals(
    assignment: str, course: Path, records: Mapping[str, Record], gradebook: str | None = None
) -> list[Total]:
    """Add up what each student of a class gets, by its gradebook and its table of due times."""
    url = gradebook or gradebook_url(course)
    due = class_deadlines(course).get(assignment, Due())
    late = {student: due.of(student, time) for student, time in read_arrivals(assignment, url).items()}
    return totals(records, read_marks(assignment, url), late)


def scores_csv(found: Sequence[Total]) -> str:
    """One line a student: the score that counts, what lateness took off, and each cell."""
    names = list(dict.fromkeys(name for total in found for name in total.cells))
    rows = [[*_ABOUT, *names, "graded_at", "submission"]]
    for total in found:
        each = [f"{total.cells[name][0]:g}" if name in total.cells else "" for name in names]
        rows.append([*_about(total), *each, total.graded_at, total.submission[:16]])
    return csv_text(rows)


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Write rows so that every reader gives them back and no spreadsheet computes them."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("ada")
    ("'=HYPERLINK(1)", 'ada')
    """
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def write_scores(path: Path, text: str) -> None:
    """Write the table, whole or not at all."""
    write_whole(path, text, error=GradingError)


def _about(total: Total) -> list[str]:
    points = [f"{value:g}" for value in (total.score, total.points, total.before, total.penalty)]
    late = total.late
    times = ["", "", ""]
    if late is not None:
        times = [str(late.days), *(time.isoformat(" ", "seconds") for time in (late.arrived, late.due))]
    return [total.student, *points, *times]
