"""Is a notebook fit to be handed in: what is broken, and in which cell."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.errors import SubmissionError

__all__ = ["LARGEST_MIB", "NO_CELLS", "Read", "examine", "read_notebook"]

LARGEST_MIB = 20
NO_CELLS = "none of the assignment's cells is in this notebook"
_CHECK_CALL = re.compile(r"""check\(\s*(["'])(?P<name>[^"']+)\1\s*\)""")


@dataclass(frozen=True)
class Read:
    """A notebook as it lies on disk: its bytes, its JSON, and the assignment that it says it is."""

    path: Path
    data: bytes
    notebook: dict[str, Any]
    assignment: str


def read_notebook(path: Path) -> Read:
    """Read a notebook that somebody else has written.

    Raises:
        SubmissionError: It is missing, too large, no JSON, or no notebook.
    """
    if path.suffix != ".ipynb":
        raise SubmissionError(
            f"{path} is no notebook.", "name the file that ends in .ipynb, or the assignment's folder."
        )
    try:
        size = path.stat().st_size
        if size > LARGEST_MIB << 20:
            raise SubmissionError(
                f"{path} has {size / 2**20:.0f} MiB; at most {LARGEST_MIB} are accepted.",
                "clear its outputs (Edit > Clear Outputs of All Cells), save, and hand in again.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise SubmissionError(
            f"{path} can't be read: {error.strerror}.", "is the name right? Save it first."
        ) from error
    return Read(path, data, *parse_notebook(data, path))


def parse_notebook(data: bytes, place: Path) -> tuple[dict[str, Any], str]:
    """Parse and validate the bytes of a notebook; returns it and the assignment that it names."""
    try:
        notebook = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"{place} is not UTF-8: byte {error.start}.", "open it in JupyterLab and save it."
        ) from error
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", "?")
        raise SubmissionError(
            f"{place} is not JSON: line {line} can't be read.",
            "restore it from JupyterLab's checkpoint (File > Revert Notebook to Checkpoint), or start a fresh copy.",
        ) from error
    _validate(notebook, place)
    named = notebook["metadata"].get("seqlib")
    assignment = named.get("assignment", "") if isinstance(named, dict) else ""
    return notebook, assignment if isinstance(assignment, str) else ""


def _validate(notebook: Any, place: Path) -> None:
    """Hold what later steps rely on; nbformat's own validation names the rest."""
    import warnings

    import nbformat

    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise SubmissionError(
            f"{place} is no notebook of format 4.", "open it in JupyterLab and save it, or start a fresh copy."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # front ends that write no cell ids are welcome
            nbformat.validate(nbformat.from_dict(notebook))
    except Exception as error:  # nbformat raises whatever its JSON schema library raises
        reason = str(error).strip().splitlines()[0][:120]
        raise SubmissionError(
            f"{place} breaks the notebook format: {reason}.", "open it in JupyterLab and save it."
        ) from error


def examine(notebook: dict[str, Any], released: dict[str, Any]) -> list[str]:
    """Say what is wrong with the student's cells, compared with the released notebook.

    Args:
        notebook: What the student hands in.
        released: What they got.

    Returns:
        One clause a fault; empty when the notebook is whole.
    """
    (checks, answers), (asked, expected) = _graded(notebook), _graded(released)
    if not checks and not answers:
        return [NO_CELLS]
    faults = _counted("the cell check({!r})", asked, checks)
    return faults + _counted("the cell for your answer {!r}", expected, answers)


def _counted(label: str, wanted: list[str], found: list[str]) -> list[str]:
    faults = []
    for name in wanted:
        if name not in found:
            faults.append(f"{label.format(name)} is missing")
        elif found.count(name) > 1:
            faults.append(f"{label.format(name)} is there {found.count(name)} times")
    return faults


def _graded(notebook: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Name the check cells and the answer cells; a front end may drop metadata, so a check's own text counts too."""
    checks, answers = [], []
    for cell in notebook["cells"]:
        mark = _mark(cell)
        called = _CHECK_CALL.fullmatch(_text(cell).strip()) if cell.get("cell_type") == "code" else None
        if mark.get("grade") and not mark.get("solution"):
            checks.append(str(mark.get("grade_id")))
        elif called:
            checks.append(called["name"])
        elif mark.get("solution"):
            answers.append(str(mark.get("grade_id")))
    return checks, answers


def _mark(cell: dict[str, Any]) -> dict[str, Any]:
    mark = cell.get("metadata", {}).get("nbgrader", {})
    return mark if isinstance(mark, dict) else {}


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
