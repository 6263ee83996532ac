"""From the notebook with answers to the notebook that students get: stubs, roles, ids, checksums."""

import hashlib
import re
from typing import Any

from seqlib.errors import ReleaseError
from seqlib.grading.source import Source, read_notebook

__all__ = ["build_notebook", "clear_solutions"]

BEGIN, STUB, END = "### BEGIN SOLUTION", "### STUB", "### END SOLUTION"
_CHECK_CALL = re.compile(r"""check\(\s*(["'])(?P<name>[^"']+)\1\s*\)""")
_DEFINITION = re.compile(r"\s*(?:def|class)\s+(\w+)")
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCHEMA = {"schema_version": 3, "task": False}


def build_notebook(source: Source, points: dict[str, int | float], *, answers: bool = False) -> Any:
    """Build the notebook of one assignment.

    Args:
        source: The assignment.
        points: What each check gives, by its name.
        answers: True keeps the solutions, for the instructors' own copy.

    Returns:
        An `nbformat` node without outputs, with stable cell ids and nbgrader's checksums.

    Raises:
        ReleaseError: A check has no cell or two, a cell has no check, a `grade_id` comes twice or is missing.
    """
    notebook = read_notebook(source)
    for number, cell in enumerate(notebook.cells, start=1):
        _mark(cell, points, f"cell {number} of {source.notebook.name}")
        if not answers:
            cell.source = clear_solutions(cell.source, _grade_id(cell), markdown=cell.cell_type == "markdown")
    _match_checks(notebook, points, source)
    _finish(notebook, source)
    return notebook


def clear_solutions(text: str, grade_id: str, *, markdown: bool = False) -> str:
    """Replace each region between the solution marks by its stub.

    An author gives a stub of their own in lines that start with `### STUB` inside the region;
    without one a code region raises NotImplementedError.

    >>> print(clear_solutions("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n    ### END SOLUTION", "f"))
    def f(x):
        raise NotImplementedError("f is yours to write")
    """
    kept: list[str] = []
    stub: list[str] | None = None
    for line in text.splitlines():
        mark = line.strip()
        if mark.startswith(BEGIN):
            if stub is not None:
                raise ReleaseError(f"{grade_id!r} begins a solution inside a solution.", f"close it with {END} first.")
            stub, indent = [], line[: len(line) - len(line.lstrip())]
        elif mark.startswith(END):
            if stub is None:
                raise ReleaseError(f"{grade_id!r} ends a solution that never began.", f"open it with {BEGIN}.")
            kept += [indent + part for part in stub or [_default_stub(kept, grade_id, markdown)]]
            stub = None
        elif stub is None:
            kept.append(line)
        elif mark.startswith(STUB):
            stub.append(mark.removeprefix(STUB).removeprefix(":").removeprefix(" "))
    if stub is not None:
        raise ReleaseError(f"{grade_id!r} begins a solution that never ends.", f"close it with a line {END}.")
    return "\n".join(kept)


def _default_stub(before: list[str], grade_id: str, markdown: bool) -> str:
    if markdown:
        return "*Write your answer here.*"
    name = next((found[1] for line in reversed(before) if (found := _DEFINITION.match(line))), grade_id)
    return f'raise NotImplementedError("{name} is yours to write")'


def check_name(text: str) -> str | None:
    """Read the name out of a cell that is exactly `check("name")`."""
    found = _CHECK_CALL.fullmatch(text.strip())
    return found["name"] if found else None


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _mark(cell: Any, points: dict[str, int | float], place: str) -> None:
    """Write nbgrader's metadata: a check cell is locked and has points, a solution cell has neither."""
    own = cell.metadata.get("nbgrader", {})
    name = check_name(cell.source) if cell.cell_type == "code" else None
    if "BEGIN HIDDEN TESTS" in cell.source:
        raise ReleaseError(f"{place} holds hidden tests.", "write them as a check in checks.py; nothing hidden ships.")
    if name is not None:
        if own.get("grade_id", name) != name:
            raise ReleaseError(f"{place} checks {name!r} under the grade_id {own['grade_id']!r}.", "make them equal.")
        role = {"grade": True, "grade_id": name, "locked": True, "solution": False, "points": points.get(name, 0)}
    elif BEGIN in cell.source:
        if not own.get("grade_id"):
            raise ReleaseError(
                f"{place} holds a solution and has no grade_id.",
                'give it one: # %% nbgrader={"grade_id": "NAME", "solution": true}.',
            )
        role = {"grade": False, "grade_id": own["grade_id"], "locked": False, "solution": True}
        if own.get("grade"):  # a written answer that a person marks
            role |= {"grade": True, "points": own.get("points", 0)}
    elif own.get("grade"):
        raise ReleaseError(
            f"{place} is graded ({own.get('grade_id')!r}) but is neither check(...) nor a written answer.",
            'a graded cell is exactly one line: check("NAME").',
        )
    elif own.get("grade_id"):
        solution = bool(own.get("solution"))
        role = {"grade": False, "grade_id": own["grade_id"], "locked": not solution, "solution": solution}
    else:
        return
    cell.metadata["nbgrader"] = _SCHEMA | {"cell_type": cell.cell_type} | role


def _match_checks(notebook: Any, points: dict[str, int | float], source: Source) -> None:
    """See that checks and check cells are one to one, and that every grade_id is there once."""
    ids = [_grade_id(cell) for cell in notebook.cells if _grade_id(cell)]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ReleaseError(f"grade_id {twice[0]!r} comes twice in {source.notebook.name}.", "give each cell its own.")
    cells = {name for cell in notebook.cells if (name := check_name(cell.source)) and cell.cell_type == "code"}
    missing, extra = sorted(points.keys() - cells), sorted(cells - points.keys())
    if missing:
        raise ReleaseError(
            f"check {missing[0]!r} has no cell in {source.notebook.name}.", f'add a cell: check("{missing[0]}").'
        )
    if extra:
        raise ReleaseError(
            f"{source.notebook.name} checks {extra[0]!r}, which is not in checks.py.",
            f"checks are: {', '.join(sorted(points))}.",
        )


def _finish(notebook: Any, source: Source) -> None:
    """Clear what is not source, derive the ids, and seal the cells as nbgrader does."""
    from nbgrader.utils import compute_checksum

    seen: dict[str, int] = {}
    for cell in notebook.cells:
        marked = cell.metadata.get("nbgrader")
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if marked:
            cell.metadata["nbgrader"] = marked
            marked["checksum"] = compute_checksum(cell)
        cell.id = _cell_id(cell, seen)
    notebook.metadata.clear()
    notebook.metadata.update(
        kernelspec={"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        seqlib={"assignment": source.name},  # a pack is known by this when its file has been renamed
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5


def _cell_id(cell: Any, seen: dict[str, int]) -> str:
    name = _grade_id(cell)
    if name:
        if not _CELL_ID.fullmatch(name):
            raise ReleaseError(f"grade_id {name!r} can't be a cell id.", "use letters, digits, - and _, at most 64.")
        return name
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    seen[digest] = seen.get(digest, 0) + 1
    return f"cell-{digest}" if seen[digest] == 1 else f"cell-{digest}-{seen[digest]}"
