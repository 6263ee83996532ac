"""Who is in the class, as a learning management system exports it, and which of them a submission is of."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["Matched", "Roster", "match", "read_roster"]

_LARGEST_MIB = 20


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A table as it was exported: its header and its rows, each as wide as the header."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, *names: str) -> int | None:
        """Where the first of some columns is, whatever its case."""
        there = {name.strip().casefold(): index for index, name in reversed(list(enumerate(self.header)))}
        return next((there[name.casefold()] for name in names if name.casefold() in there), None)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Which row is whose, and what could not be told."""

    students: Mapping[int, str]
    problems: tuple[str, ...]


def read_roster(path: Path, needed: Sequence[str]) -> Roster:
    """Read an exported table; commas, semicolons and tabs may separate it.

    Args:
        path: The file.
        needed: Columns of which one at least must be there.

    Raises:
        GradingError: It can't be read, or has none of the columns.
    """
    text = _read(path)
    for separator in (",", ";", "\t"):
        rows = list(_parse(text, separator, path))
        header = tuple(rows[0]) if rows else ()
        roster = Roster(path=path, header=header, rows=tuple(_as_wide(rows[1:], header, path)))
        if roster.column(*needed) is not None:
            return roster
    raise GradingError(
        f"the roster {path} has none of the columns {', '.join(needed)}.",
        "export it from the course itself, and keep its first line.",
    )


def match(students: Iterable[str], roster: Roster, columns: Sequence[str]) -> Matched:
    """Find each student's row: by a whole name first, then whatever its case, then by what stands before an @.

    A name that fits no row, or several, gets none: no score is better than another's.
    """
    found: dict[int, list[str]] = {}
    problems = []
    ways = [_index(roster, columns, way) for way in (str.strip, str.casefold, _before_at)]
    for student in students:
        hits = next((way[key] for way, key in zip(ways, _keys(student), strict=True) if key in way), set())
        if len(hits) == 1:
            found.setdefault(next(iter(hits)), []).append(student)
        else:
            problems.append(
                f"{student} fits {len(hits)} rows of the roster" if hits else f"{student} is not in the roster"
            )
    for claimants in found.values():
        if len(claimants) > 1:
            problems.append(f"{' and '.join(claimants)} fit the same row of the roster")
    students_by_row = {row: claimants[0] for row, claimants in found.items() if len(claimants) == 1}
    return Matched(students=students_by_row, problems=tuple(problems))


def _keys(student: str) -> tuple[str, str, str]:
    return student, student.casefold(), _before_at(student)


def _before_at(text: str) -> str:
    return text.strip().casefold().partition("@")[0]


def _index(roster: Roster, columns: Sequence[str], way: Callable[[str], str]) -> dict[str, set[int]]:
    index: dict[str, set[int]] = {}
    for column in (roster.column(name) for name in columns):
        for number, row in enumerate(roster.rows):
            if column is not None and row[column].strip():
                index.setdefault(way(row[column].strip()), set()).add(number)
    return index


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_MIB << 20:
            raise GradingError(f"the roster {path} is larger than {_LARGEST_MIB} MiB.", "is it the right file?")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise GradingError(f"the roster {path} can't be read: {error.strerror}.", "name it: --roster FILE.") from error
    except UnicodeDecodeError as error:
        raise GradingError(
            f"the roster {path} is not UTF-8: byte {error.start}.", "save it as CSV UTF-8, or export it again."
        ) from error


def _parse(text: str, separator: str, path: Path) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise GradingError(
            f"the roster {path} breaks off in line {reader.line_num}: {error}.", "export it again."
        ) from error


def _as_wide(rows: Iterable[list[str]], header: tuple[str, ...], path: Path) -> Iterator[tuple[str, ...]]:
    for number, row in enumerate(rows, start=1):
        if any(row[len(header) :]):
            raise GradingError(
                f"the roster {path} has {len(row)} cells in row {number} under {len(header)} columns.",
                "quote the cell that holds a separator, or export the roster again.",
            )
        yield (*row[: len(header)], *[""] * (len(header) - len(row)))
