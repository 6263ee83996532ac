"""Submissions as they lie in the class folder: read under limits, nothing in them taken on trust."""

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, SubmissionError

__all__ = ["Cell", "Submitted", "check_of", "find_submissions", "read_submission"]

LARGEST_BYTES = 20 << 20
LARGEST_CELLS = 2000
LARGEST_SOURCE = 1_000_000
_CHECK_CALL = re.compile(r"""check\(\s*(["'])(?P<name>[^"']+)\1\s*(?:,\s*full\s*=\s*(?:True|False)\s*)?\)""")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a student's.

    Attributes:
        kind: `code`, `markdown` or `raw`.
        source: Its text.
        grade_id: What its metadata says it is; anybody can write that.
        attachments: Pictures of a Markdown cell, as they came.
    """

    kind: str
    source: str
    grade_id: str = ""
    attachments: Any = None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """One student's submission.

    Attributes:
        student: Name of the folder.
        digest: SHA-256 of the notebook as handed in.
        arrived: When it was collected, as `timestamp.txt` says; empty where unknown.
        data: The notebook as handed in.
        cells: Its cells; empty when it can't be read.
        fault: Why it can't be read; empty when it can.
        kept: Verdicts of an earlier grading that still hold, so that these checks need not be asked.
    """

    student: str
    digest: str
    arrived: str = ""
    data: bytes = b""
    cells: tuple[Cell, ...] = field(default=())
    fault: str = ""
    kept: tuple[Verdict, ...] = ()


def check_of(cell: Cell, names: Any) -> str:
    """The check that a cell stands for, by its text or by its mark; empty for other cells."""
    if cell.kind != "code":
        return ""
    called = _CHECK_CALL.fullmatch(cell.source.strip().rstrip(";"))
    name = called["name"] if called else cell.grade_id
    return name if name in names else ""


def find_submissions(course: Path, assignment: str) -> dict[str, Path]:
    """The folder of each student who handed in, by student.

    Raises:
        GradingError: The class folder holds no submissions of this assignment.
    """
    submitted = course / "submitted"
    folders = sorted(submitted.glob(f"*/{assignment}")) if submitted.is_dir() else []
    found = {folder.parent.name: folder for folder in folders if not folder.parent.name.startswith(".")}
    if found:
        return found
    raise GradingError(
        f"nobody handed in {assignment}: {submitted}/STUDENT/{assignment} is not there.",
        "run seqlib collect first, or name another class folder: --course DIR.",
    )


def read_submission(student: str, folder: Path, assignment: str) -> Submitted:
    """Read one submission; whatever is wrong with it is its `fault`."""
    arrived = _arrival(folder / "timestamp.txt")
    data = b""
    try:
        data = _read_bytes(_notebook_in(folder, assignment))
        cells = parse_cells(data)
        fault = ""
    except SubmissionError as error:
        cells, fault = (), error.what
    digest = hashlib.sha256(data or fault.encode()).hexdigest()
    return Submitted(student=student, digest=digest, arrived=arrived, data=data, cells=cells, fault=fault)


def parse_cells(data: bytes) -> tuple[Cell, ...]:
    """Take the cells out of a notebook, whichever front end wrote it; what only decorates a cell is ignored.

    >>> parse_cells(b'{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}')[0].source
    'x = 1'
    """
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refusal(f"The notebook is not UTF-8: byte {error.start}.") from error
    except (ValueError, RecursionError) as error:
        raise _refusal(f"The notebook is not JSON: line {getattr(error, 'lineno', '?')} can't be read.") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise _refusal("The file is no notebook of format 4: it has no list of cells.")
    if len(cells) > LARGEST_CELLS:
        raise _refusal(f"The notebook has {len(cells)} cells; at most {LARGEST_CELLS} are read.")
    return tuple(_cell(cell, number) for number, cell in enumerate(cells, start=1))


def _cell(cell: Any, number: int) -> Cell:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise _refusal(f"Cell {number} of the notebook is no cell.")
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise _refusal(f"Cell {number} of the notebook has no text.")
    if len(source) > LARGEST_SOURCE:
        raise _refusal(f"Cell {number} of the notebook has more than {LARGEST_SOURCE} characters.")
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    return Cell(
        kind=cell["cell_type"],
        source=source.encode("utf-8", "replace").decode().replace("\x00", ""),
        grade_id=grade_id if isinstance(grade_id, str) else "",
        attachments=cell.get("attachments"),
    )


def _notebook_in(folder: Path, assignment: str) -> Path:
    """The notebook of the assignment, or the only one that is there (somebody renamed it)."""
    if folder.is_symlink() or not folder.is_dir():
        raise _refusal("The submission is no folder.")
    named = folder / f"{assignment}.ipynb"
    if named.is_symlink() or named.exists():
        return named
    others = sorted(path for path in folder.glob("*.ipynb"))
    if len(others) == 1:
        return others[0]
    raise _refusal(f"There is no notebook {assignment}.ipynb in the submission.")


def _read_bytes(path: Path) -> bytes:
    """Read a plain file, never a link, a device or a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _refusal("The notebook is no plain file.")
            if status.st_size > LARGEST_BYTES:
                mebibytes = f"{status.st_size / 2**20:.0f} MiB; at most {LARGEST_BYTES >> 20}"
                raise _refusal(f"The notebook has {mebibytes} are read. Clear its outputs and hand it in again.")
            return file.read(LARGEST_BYTES)
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else (error.strerror or "unknown").lower()
        raise _refusal(f"The notebook can't be read: {reason}.") from error


def _arrival(path: Path) -> str:
    try:
        return "" if path.is_symlink() else path.read_text("ascii")[:64].strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _refusal(what: str) -> SubmissionError:
    return SubmissionError(what, "ask the student to hand in the notebook again.")
