"""Scores of a class as a table for the learning management system."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.files import write_whole
from seqlib.grading.gradebook import Mark
from seqlib.grading.store import Record

__all__ = ["safe_cell", "scores_csv", "write_scores"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def scores_csv(records: Mapping[str, Record], marks: Mapping[str, tuple[Mark, ...]]) -> str:
    """One line a student: the score that counts (manual marks included), what could be earned, and each cell.

    Args:
        records: The last record of each student.
        marks: The gradebook's marks of each student; they win over the records.
    """
    cells: dict[str, None] = {}
    for record in records.values():
        cells |= dict.fromkeys(verdict.check for verdict in record.verdicts)
    for given in marks.values():
        cells |= dict.fromkeys(mark.cell for mark in given if mark.points > 0)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(["student", "score", "points", *(safe_cell(name) for name in cells), "graded_at", "submission"])
    for student, record in sorted(records.items()):
        scores = {verdict.check: (verdict.earned, verdict.points) for verdict in record.verdicts}
        scores |= {mark.cell: (mark.score, mark.points) for mark in marks.get(student, ()) if mark.cell in cells}
        total, points = (sum(pair[i] for pair in scores.values()) for i in (0, 1))
        each = [f"{scores[name][0]:g}" if name in scores else "" for name in cells]
        row = [safe_cell(student), f"{total:g}", f"{points:g}", *each, record.made_at, record.work.submission[:16]]
        writer.writerow(row)
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
