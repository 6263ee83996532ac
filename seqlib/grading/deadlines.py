"""A class's own table of due times, extensions and late policy: `course.toml` in the class folder.

```toml
late = { per_day = 10, grace_minutes = 15, at_most = 50, closed_after_days = 7 }  # percent of the points

[assignments.a1_recurrent]
due = 2026-12-01T23:59:00+01:00  # with the offset from UTC; `late = {...}` here wins over the one above

[extensions.a1_recurrent]
alice = 2026-12-08T23:59:00+01:00
```

What is not said costs nothing. Students are shown everything but the extensions.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from seqlib.course.deadlines import parse_deadlines, read_table, read_times
from seqlib.course.lateness import Deadline, Lateness, Policy, lateness, policy_words, time_words
from seqlib.errors import DeadlineError

__all__ = ["COURSE_TABLE", "Deadline", "Due", "Lateness", "Policy", "class_deadlines", "lateness", "read_arrival"]

COURSE_TABLE = "course.toml"


@dataclass(frozen=True, kw_only=True)
class Due:
    """What one assignment's due time is for each student of a class.

    Attributes:
        deadline: For everybody; None where the table says nothing about this assignment.
        extensions: For those who were given another time.
    """

    deadline: Deadline | None = None
    extensions: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Say when it is due and what lateness costs; empty where nothing is said."""
        if self.deadline is None:
            return ""
        return f"Due {time_words(self.deadline.due)}. {policy_words(self.deadline.policy)}"

    def of(self, student: str, arrived: str | datetime) -> Lateness | None:
        """How late a student's work is; None where there is no due time, or no time of arrival."""
        time = read_arrival(arrived) if isinstance(arrived, str) else arrived
        if self.deadline is None or time is None:
            return None
        return lateness(time, self.deadline.due, self.extensions.get(student), self.deadline.policy)


def class_deadlines(course: Path, known: Iterable[str] | None = None) -> dict[str, Due]:
    """Read the table of a class; empty where it has none.

    Args:
        course: The class folder.
        known: The assignments that there are. None: any name is taken.

    Raises:
        DeadlineError: The table can't be read, or says something that can't be; file and key are named.
    """
    place = course / COURSE_TABLE
    if not place.exists():
        return {}
    table = read_table(place)
    deadlines = parse_deadlines(table, place, also=["extensions"])
    extensions = read_times(table, "extensions", place)
    _all_known(deadlines, extensions, None if known is None else sorted(known), place)
    for name, given in extensions.items():
        for student, time in given.items():
            if time < deadlines[name].due:
                raise DeadlineError(
                    f"{place}: extensions.{name}.{student} is before {name} is due.",
                    "an extension is a later time than the due time; mend one of them.",
                )
    return {name: Due(deadline=deadline, extensions=extensions.get(name, {})) for name, deadline in deadlines.items()}


def read_arrival(stamp: str) -> datetime | None:
    """Read a stamp of `seqlib collect`, or what nbgrader's exchange writes; None where it is neither.

    >>> read_arrival("2026-11-20 10:00:00.000000 UTC").isoformat()
    '2026-11-20T10:00:00+00:00'
    """
    text = stamp.strip()
    for zone in (" UTC", "Z"):
        text = text.removesuffix(zone)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A time without a zone is nbgrader's own, which is UTC.
    return time.astimezone(UTC) if time.utcoffset() is not None else time.replace(tzinfo=UTC)


def _all_known(deadlines: Iterable[str], extensions: Iterable[str], known: list[str] | None, place: Path) -> None:
    """Refuse a misspelt name: it would silently give no due time."""
    for section, names, there in (("assignments", deadlines, known), ("extensions", extensions, sorted(deadlines))):
        for name in names:
            if there is not None and name not in there:
                near = difflib.get_close_matches(name, there, n=1)
                what = "is no assignment" if section == "assignments" else "has no due time"
                hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(there) or 'none'}."
                raise DeadlineError(f"{place}: {section}.{name} {what}.", hint)
