"""The notebook as formgrader shows it: the student's cells made harmless, marked by the release and nobody else."""

import json
from html import escape
from pathlib import Path
from typing import Any

from seqlib.errors import GradingError
from seqlib.files import write_whole
from seqlib.grading.graded import Executed, Graded
from seqlib.grading.kit import Kit
from seqlib.grading.sanitise import clean_outputs, markdown_cell_source

__all__ = ["autograded_notebook", "notebook_path", "write_autograded"]


def notebook_path(course: Path, student: str, assignment: str) -> Path:
    """Where nbgrader looks for a graded notebook."""
    return course / "autograded" / student / assignment / f"{assignment}.ipynb"


def autograded_notebook(kit: Kit, graded: Graded) -> dict[str, Any]:
    """Build the graded notebook.

    Metadata, ids and points come from the release; of the student's file only texts and outputs pass.
    """
    marks = {_grade_id(cell): cell for cell in kit.notebook["cells"] if _grade_id(cell)}
    trusted = {_text(cell) for cell in kit.notebook["cells"] if cell["cell_type"] == "markdown"}
    cells, placed = [], set()
    if graded.submitted.fault:
        cells.append(_markdown("fault", f"**This submission was not run.** {escape(graded.submitted.fault)}"))
    for number, executed in enumerate(graded.cells):
        name = executed.check or executed.cell.grade_id
        mark = marks.get(name)
        fits = mark is not None and mark["cell_type"] == executed.cell.kind and name not in placed
        # A check's mark belongs to the cell that the host checked, whatever another cell says of itself.
        if fits and name in kit.points and not executed.check:
            fits = False
        made = _cell(executed, number, trusted)
        if fits and mark is not None:
            placed.add(name)
            made["id"], made["metadata"] = mark["id"], {"nbgrader": mark["metadata"]["nbgrader"]}
        cells.append(made)
    cells += [_missing(cell) for name, cell in marks.items() if name not in placed and _nbgrader(cell).get("grade")]
    metadata = {key: kit.notebook["metadata"][key] for key in ("kernelspec", "language_info")}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write_autograded(course: Path, kit: Kit, graded: Graded) -> Path:
    """Write the graded notebook, with the time of arrival beside it, where formgrader finds them."""
    place = notebook_path(course, graded.submitted.student, kit.name)
    notebook = autograded_notebook(kit, graded)
    for left in place.parent.glob(".*.part"):  # of a run that was killed in the middle of this
        left.unlink(missing_ok=True)
    if graded.submitted.arrived:
        write_whole(place.parent / "timestamp.txt", graded.submitted.arrived, error=GradingError)
    write_whole(place, json.dumps(notebook, ensure_ascii=False) + "\n", error=GradingError)
    return place


def _cell(executed: Executed, number: int, trusted: set[str]) -> dict[str, Any]:
    cell, name = executed.cell, f"student-{number}"
    if executed.check:
        return _code(name, f'check("{executed.check}")', executed.outputs)  # ours, source and output
    if cell.kind == "code":
        return _code(name, cell.source, clean_outputs(executed.outputs))
    if cell.kind == "raw":  # pages put raw cells into their HTML as they are
        return _markdown(name, f"<pre>{escape(cell.source)}</pre>".replace("\r", "").replace("\n", "&#10;"))
    if cell.source in trusted:
        return _markdown(name, cell.source)
    return _markdown(name, markdown_cell_source(cell.source, cell.attachments))


def _missing(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell that people give points for and that the student does not have any more."""
    marked = {"metadata": {"nbgrader": _nbgrader(cell)}}
    if cell["cell_type"] == "code":
        return _code(cell["id"], _text(cell), []) | marked
    return _markdown(cell["id"], "*This cell is missing in the submission.*") | marked


def _code(name: str, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": outputs,
        "source": source,
    }


def _markdown(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def _nbgrader(cell: dict[str, Any]) -> dict[str, Any]:
    mark: dict[str, Any] = cell.get("metadata", {}).get("nbgrader", {})
    return mark


def _grade_id(cell: dict[str, Any]) -> str:
    return str(_nbgrader(cell).get("grade_id", ""))


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
