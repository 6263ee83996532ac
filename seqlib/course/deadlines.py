"""When assignments are due, as a table that people write: `deadlines.toml` of the students' edition is one."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from seqlib.course.lateness import Deadline, Policy
from seqlib.errors import DeadlineError

__all__ = ["DEADLINES", "parse_deadlines", "read_deadlines", "read_times", "toml_text"]

DEADLINES = Path("deadlines.toml")
_LARGEST = {"per_day": 100, "grace_minutes": 60 * 24 * 7, "at_most": 100, "closed_after_days": 3650}
_HEAD = "# When assignments are due and what lateness costs; written by `seqlib bundle`."


def read_deadlines(course: Path) -> dict[str, Deadline]:
    """Read what the students' edition says; empty where it says nothing.

    Raises:
        DeadlineError: The file is there and can't be read.
    """
    path = course / DEADLINES
    return parse_deadlines(read_table(path), path) if path.is_file() else {}


def read_table(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        DeadlineError: It can't be read, or is no TOML; the place in it is named.
    """
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise DeadlineError(f"{path} can't be read: {error.strerror}.", "mend its rights.") from error
    except UnicodeDecodeError as error:
        raise DeadlineError(f"{path} is not UTF-8: byte {error.start}.", "save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DeadlineError(
            f"{path} is no TOML: {error}.", "times are written like 2026-12-01T23:59:00+01:00."
        ) from error


def parse_deadlines(table: Mapping[str, Any], place: Path, *, also: Iterable[str] = ()) -> dict[str, Deadline]:
    """Take the due time and the policy of each assignment out of a table.

    Args:
        table: `late`, and `assignments` with `due` and `late` of each.
        place: The file, for errors.
        also: Other keys that the file may have.

    Raises:
        DeadlineError: A key is unknown, or a value is not what it must be; file and key are named.
    """
    _known(table, ["late", "assignments", *also], "", place)
    usual = _policy(table["late"], "late", place) if "late" in table else Policy()
    found = {}
    for name, row in _section(table, "assignments", place).items():
        key = f"assignments.{name}"
        if not isinstance(row, dict):
            raise DeadlineError(f"{place}: {key} is no table.", f"write [{key}] and under it due = ...")
        _known(row, ["due", "late"], key, place)
        if "due" not in row:
            raise DeadlineError(f"{place}: {key} has no due time.", "write due = 2026-12-01T23:59:00+01:00 under it.")
        policy = _policy(row["late"], f"{key}.late", place) if "late" in row else usual
        found[name] = Deadline(due=_time(row["due"], f"{key}.due", place), policy=policy)
    return found


def read_times(table: Mapping[str, Any], key: str, place: Path) -> dict[str, dict[str, datetime]]:
    """Take a section of sections of times out of a table: `[key.NAME] STUDENT = time`."""
    found = {}
    for name, row in _section(table, key, place).items():
        if not isinstance(row, dict):
            raise DeadlineError(
                f"{place}: {key}.{name} is no table.", f"write [{key}.{name}] and under it NAME = time."
            )
        found[name] = {who: _time(time, f"{key}.{name}.{who}", place) for who, time in row.items()}
    return found


def toml_text(deadlines: Mapping[str, Deadline]) -> str:
    """Write the table of the students' edition; it names no student."""
    lines = [_HEAD]
    for name, deadline in sorted(deadlines.items()):
        said = {field.name: getattr(deadline.policy, field.name) for field in fields(Policy)}
        late = ", ".join(f"{key} = {value}" for key, value in said.items() if value is not None)
        lines += ["", f"[assignments.{name}]", f"due = {deadline.due.isoformat()}", f"late = {{ {late} }}"]
    return "\n".join(lines) + "\n"


def _section(table: Mapping[str, Any], key: str, place: Path) -> dict[str, Any]:
    section = table.get(key, {})
    if not isinstance(section, dict):
        raise DeadlineError(f"{place}: {key} is no table.", f"write it as [{key}.NAME].")
    return section


def _policy(row: Any, key: str, place: Path) -> Policy:
    if not isinstance(row, dict):
        raise DeadlineError(f"{place}: {key} is no table.", "write it like late = { per_day = 10, at_most = 50 }.")
    _known(row, list(_LARGEST), key, place)
    for name, value in row.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST[name]:
            raise DeadlineError(f"{place}: {key}.{name} is {value!r}.", f"it is a number from 0 to {_LARGEST[name]}.")
    return Policy(**row)


def _time(value: Any, key: str, place: Path) -> datetime:
    example = "write it like 2026-12-01T23:59:00+01:00, without quotes."
    if not isinstance(value, datetime):
        what = "a day without a time" if isinstance(value, date) else "no time"
        raise DeadlineError(f"{place}: {key} is {what}: {value!s:.60}.", example)
    if value.utcoffset() is None:
        raise DeadlineError(f"{place}: {key} has no offset from UTC: {value.isoformat()}.", example)
    return value


def _known(row: Mapping[str, Any], keys: list[str], section: str, place: Path) -> None:
    for key in row:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(keys)}."
            raise DeadlineError(f"{place}: {section + '.' if section else ''}{key} is unknown.", hint)
