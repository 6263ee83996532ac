"""Read a notebook that somebody else has written: whole and valid, or one line that says what is broken."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.errors import SubmissionError

__all__ = ["LARGEST_CELLS", "LARGEST_MIB", "LARGEST_SOURCE", "Read", "parse_notebook", "read_notebook"]

# The grader reads no more than this either.
LARGEST_MIB = 20
LARGEST_CELLS = 2000
LARGEST_SOURCE = 1_000_000
_LARGEST_LOOKED_AT_MIB = 200


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
            raise _too_large(path, size)
        data = path.read_bytes()
    except OSError as error:
        raise SubmissionError(
            f"{path} can't be read: {error.strerror}.", "is the name right? Save it first."
        ) from error
    return Read(path, data, *parse_notebook(data, path))


def parse_notebook(data: bytes, place: Path) -> tuple[dict[str, Any], str]:
    """Parse and validate the bytes of a notebook; returns it and the assignment that it names."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
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
    if len(notebook["cells"]) > LARGEST_CELLS:
        raise SubmissionError(
            f"{place} has {len(notebook['cells'])} cells; at most {LARGEST_CELLS} are read.",
            "delete those you don't need.",
        )
    for number, cell in enumerate(notebook["cells"], start=1):
        reason = _cell_fault(cell)
        if reason:
            raise SubmissionError(f"{place}: cell {number} is not valid: {reason}.", _mend_cell(number))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # front ends that write no cell ids are welcome
            nbformat.validate(nbformat.from_dict(notebook))
    except Exception as error:  # nbformat raises whatever its JSON schema library raises
        reason = str(error).strip().splitlines()[0][:120]
        where = list(getattr(error, "absolute_path", []))[:2]
        if len(where) == 2 and where[0] == "cells" and isinstance(where[1], int):
            what, hint = f"{place}: cell {where[1] + 1} is not valid: {reason}.", _mend_cell(where[1] + 1)
            raise SubmissionError(what, hint) from error
        raise SubmissionError(
            f"{place} breaks the notebook format: {reason}.", "open it in JupyterLab and save it."
        ) from error


def _cell_fault(cell: Any) -> str:
    """Why a cell is none; empty where it is one."""
    if not isinstance(cell, dict):
        return "it is no cell"
    if cell.get("cell_type") not in ("code", "markdown", "raw"):
        return f"its kind is {cell.get('cell_type')!r:.40}"
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    if source is None or not all(isinstance(line, str) for line in lines):
        return "it has no text"
    if sum(map(len, lines)) > LARGEST_SOURCE:
        return f"it has more than {LARGEST_SOURCE} characters"
    return "" if isinstance(cell.get("metadata", {}), dict) else "its metadata is no table"


def _mend_cell(number: int) -> str:
    return f"open the notebook in JupyterLab, write cell {number} anew, delete the old one, and save."


def _too_large(path: Path, size: int) -> SubmissionError:
    """Say which cell's outputs make a file too large, where that can still be found out."""
    what = f"{path} has {size / 2**20:.0f} MiB; at most {LARGEST_MIB} are accepted."
    hint = "clear its outputs (Edit > Clear Outputs of All Cells), save, and hand in again."
    try:
        if size < _LARGEST_LOOKED_AT_MIB << 20:
            cells = json.loads(path.read_bytes())["cells"]
            sizes = [len(json.dumps(cell.get("outputs", []))) for cell in cells]
            largest = max(range(len(sizes)), key=lambda index: sizes[index])
            what += f" Cell {largest + 1} alone has outputs of {sizes[largest] / 2**20:.0f} MiB."
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # it is too large, and no notebook either
    return SubmissionError(what, hint)
