"""What is wrong with a notebook that can be read: damaged, unfinished, or not what was meant to be handed in."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seqlib.course.syntax import SyntaxFault, defined_names, find_syntax_fault

__all__ = ["NO_CELLS", "Fault", "check_names", "examine"]

NO_CELLS = "none of the assignment's cells is in this notebook"
_CHECK_CALL = re.compile(r"""check\(\s*(["'])(?P<name>[^"']+)\1\s*\)\s*;?""")
_PLACEHOLDER = re.compile(r"raise NotImplementedError|(?i:your (?:code|answer) here|write your answer here)")
_ELLIPSIS = re.compile(r"(?:^|=|return)\s*\.\.\.")
_MUCH_OUTPUT_MIB = 5


@dataclass(frozen=True)
class Fault:
    """One clause that says what is wrong; a grave one is handed in only knowingly."""

    text: str
    grave: bool = False


@dataclass(frozen=True)
class _Cell:
    """A cell of a notebook, numbered from 1 as a reader counts."""

    number: int
    kind: str
    text: str
    mark: dict[str, Any]
    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """Its `grade_id`."""
        name = self.mark.get("grade_id")
        return name if isinstance(name, str) else ""

    @property
    def place(self) -> str:
        """How a message names it."""
        return f"cell {self.number}" + (f" ({self.name})" if self.name else "")

    @property
    def called(self) -> str:
        """The check that its text calls; empty for other cells."""
        found = _CHECK_CALL.fullmatch(self.text.strip()) if self.kind == "code" else None
        return found["name"] if found else ""

    @cached_property
    def fault(self) -> SyntaxFault | None:
        """Why it can't run."""
        return find_syntax_fault(self.text) if self.kind == "code" else None


def examine(notebook: dict[str, Any], released: dict[str, Any]) -> list[Fault]:
    """Say what is wrong with a student's notebook, compared with the released one.

    Args:
        notebook: What the student hands in.
        released: What they got.

    Returns:
        Grave faults first; empty when the notebook is whole and finished.
    """
    mine, given = list(_cells(notebook)), list(_cells(released))
    checks = [cell.name or cell.called for cell in given if _is_check(cell)]
    answers = [cell for cell in given if cell.mark.get("solution")]
    here = [cell.called or cell.name for cell in mine if (cell.called or cell.name) in checks and cell.kind == "code"]
    if not here and not {cell.name for cell in mine} & {cell.name for cell in answers}:
        return [Fault(NO_CELLS, grave=True)]
    faults = [
        *_kernel(notebook),
        *_checks(checks, here),
        *_answers(answers, mine),
        *_locked(given, mine, checks),
        *_syntax(mine),
        *_unwritten(answers, mine),
        *_outputs(mine),
    ]
    return sorted(faults, key=lambda fault: not fault.grave)


def check_names(notebook: dict[str, Any]) -> set[str]:
    """Name the checks that a notebook holds, to tell which assignment it is."""
    return {cell.called for cell in _cells(notebook) if cell.called}


def _cells(notebook: dict[str, Any]) -> Iterator[_Cell]:
    for number, cell in enumerate(notebook["cells"], start=1):
        source = cell.get("source", "")
        mark = cell.get("metadata", {}).get("nbgrader", {})
        yield _Cell(
            number=number,
            kind=cell.get("cell_type", ""),
            text=source if isinstance(source, str) else "".join(source),
            mark=mark if isinstance(mark, dict) else {},
            raw=cell,
        )


def _is_check(cell: _Cell) -> bool:
    return bool(cell.called or (cell.mark.get("grade") and not cell.mark.get("solution")))


def _kernel(notebook: dict[str, Any]) -> Iterator[Fault]:
    """A notebook of another language is not run by a Python grader; one that says nothing is."""
    metadata = notebook.get("metadata", {})
    said = [metadata.get("kernelspec", {}).get("language"), metadata.get("language_info", {}).get("name")]
    named = [language for language in said if isinstance(language, str) and language]
    if named and not any("python" in language.casefold() for language in named):
        yield Fault(f"its kernel runs {named[0]:.30}, and the assignment is graded with Python", grave=True)


def _checks(wanted: list[str], found: list[str]) -> Iterator[Fault]:
    counts = Counter(found)
    for name in wanted:
        if not counts[name]:
            yield Fault(f"the cell check({name!r}) is missing", grave=True)
        elif counts[name] > 1:
            yield Fault(
                f"the cell check({name!r}) is there {counts[name]} times: only the first one counts", grave=True
            )


def _answers(wanted: list[_Cell], mine: list[_Cell]) -> Iterator[Fault]:
    """A front end may drop metadata and a student may move code: what an answer defines is enough."""
    counts = Counter(cell.name for cell in mine)
    defined = _defined(mine)
    for cell in wanted:
        names = defined_names(cell.text) if cell.kind == "code" else set()
        if not counts[cell.name] and not (names and names <= defined):
            yield Fault(f"the cell for your answer {cell.name!r} is missing", grave=True)
        elif counts[cell.name] > 1:
            yield Fault(
                f"the cell for your answer {cell.name!r} is there {counts[cell.name]} times: all of them are run"
            )


def _locked(given: list[_Cell], mine: list[_Cell], checks: list[str]) -> Iterator[Fault]:
    """Cells that students leave alone: a changed check is put right by the grader, another cell is run as it is."""
    locked = {cell.name: cell.text.strip() for cell in given if cell.mark.get("locked") and cell.kind == "code"}
    for cell in mine:
        if cell.kind != "code" or cell.name not in locked or cell.text.strip() == locked[cell.name]:
            continue
        if cell.name in checks:
            if cell.called not in checks:
                yield Fault(f"{cell.place} was changed: the grader runs check({cell.name!r}) there, not your text")
        else:
            yield Fault(f"{cell.place} was changed although it is not yours to change: it is run as it is now")
    texts = {cell.text.strip() for cell in mine}
    for name, text in locked.items():
        if name not in checks and name not in {cell.name for cell in mine} and text not in texts:
            yield Fault(f"the cell {name!r} is missing, and later cells may need it")


def _syntax(mine: list[_Cell]) -> Iterator[Fault]:
    for cell in mine:
        if cell.fault is not None:
            yield Fault(f"{cell.place}, {cell.fault}: this cell can't run")


def _unwritten(answers: list[_Cell], mine: list[_Cell]) -> Iterator[Fault]:
    """Answers that are as they were handed out, and placeholders that are left in the others."""
    skeletons = {cell.name: _normal(cell.text) for cell in answers}
    untouched = set(skeletons.values())
    asked = {cell.name: defined_names(cell.text) for cell in answers if cell.kind == "code"}
    everywhere = _defined(mine)
    elsewhere = _defined(cell for cell in mine if _normal(cell.text) not in untouched)
    empty = []
    for cell in mine:
        name = cell.name or next((name for name, text in skeletons.items() if text == _normal(cell.text)), "")
        if name not in skeletons:
            continue
        names = defined_names(cell.text) if cell.kind == "code" else set()
        if names and names <= elsewhere and _normal(cell.text) == skeletons[name]:
            continue
        if not cell.text.strip() or _normal(cell.text) == skeletons[name]:
            empty.append(name)
        else:
            yield from _left(cell, skeletons[name])
            gone = sorted(asked.get(name, set()) - everywhere)
            if gone and cell.fault is None:
                yield Fault(f"{cell.place} no longer defines {', '.join(gone)}, which is asked for by name")
    if empty:
        shown = ", ".join(empty[:8]) + (f" and {len(empty) - 8} more" if len(empty) > 8 else "")
        yield Fault(f"{len(empty)} of {len(skeletons)} answers are not written yet: {shown}")


def _left(cell: _Cell, skeleton: str) -> Iterator[Fault]:
    handed_out = {line.strip() for line in skeleton.splitlines() if _ELLIPSIS.search(line.strip())}
    for number, line in enumerate(cell.text.splitlines(), start=1):
        if _PLACEHOLDER.search(line) or line.strip() in handed_out:
            yield Fault(f"{cell.place}, line {number} is not written yet: {line.strip():.60}")


def _outputs(mine: list[_Cell]) -> Iterator[Fault]:
    sizes = {cell.place: output_bytes(cell.raw) for cell in mine}
    total = sum(sizes.values())
    if total > _MUCH_OUTPUT_MIB << 20:
        largest = max(sizes, key=lambda place: sizes[place])
        yield Fault(f"its outputs have {total / 2**20:.0f} MiB, most of it {largest}: clear them, they are made again")


def output_bytes(cell: dict[str, Any]) -> int:
    """How much the outputs of a cell take in the file."""
    outputs = cell.get("outputs")
    return len(json.dumps(outputs)) if outputs else 0


def _defined(cells: Iterable[_Cell]) -> set[str]:
    return {name for cell in cells if cell.kind == "code" for name in defined_names(cell.text)}


def _normal(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
