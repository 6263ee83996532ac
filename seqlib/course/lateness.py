"""What lateness costs: a pure function of times that carry their offset from UTC, and the words for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from seqlib.errors import DeadlineError

__all__ = ["Deadline", "Lateness", "Policy", "lateness", "outlook", "policy_words", "span_words", "time_words"]

_DAY = timedelta(days=1)
# strftime asks the system's language; everything else here is in English.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What lateness costs; where nothing is said, nothing.

    Attributes:
        per_day: Percent of the points that the work earns, for each started day.
        grace_minutes: How late is still in time; days are counted from its end.
        at_most: Percent that lateness costs at most while work is accepted.
        closed_after_days: Work that is later counts zero. None: it is accepted for ever.
    """

    per_day: float | int = 0
    grace_minutes: float | int = 0
    at_most: float | int = 100
    closed_after_days: float | int | None = None


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When an assignment is due, and what lateness costs."""

    due: datetime
    policy: Policy = Policy()


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """How late one submission is.

    Attributes:
        arrived: When it arrived, in the zone of the due time.
        due: When it was due, for this student.
        days: Started days of lateness; 0 is in time.
        percent: What that costs, in percent of the points that the work earns.
        closed: Whether it came when nothing was accepted any more.
        text: One clause that says it.
    """

    arrived: datetime
    due: datetime
    days: int
    percent: float | int
    closed: bool
    text: str

    def penalty(self, points: float | int) -> float | int:
        """Points that are taken off, to the hundredth.

        >>> from datetime import datetime, UTC
        >>> due = datetime(2026, 12, 1, tzinfo=UTC)
        >>> lateness(due.replace(hour=1), due, None, Policy(per_day=10)).penalty(37)
        3.7
        """
        return round(max(0, points) * self.percent / 100, 2)


def lateness(arrived: datetime, due: datetime, extension: datetime | None, policy: Policy) -> Lateness:
    """Say how late a submission is and what that costs.

    Args:
        arrived: When it arrived, by the clock that counts.
        due: When the assignment is due.
        extension: When it is due for this student; None: like everybody.
        policy: What lateness costs.

    Raises:
        DeadlineError: A time says nothing about its offset from UTC.
    """
    for time in (arrived, due, extension):
        if time is not None and time.utcoffset() is None:
            raise DeadlineError(f"the time {time} has no offset from UTC.", "write it like 2026-12-01T23:59:00+01:00.")
    counts = extension or due
    over = arrived - counts - timedelta(minutes=policy.grace_minutes)
    days = max(0, -(-over // _DAY))
    closed = policy.closed_after_days is not None and over > policy.closed_after_days * _DAY and days > 0
    percent = 100 if closed else min(days * policy.per_day, policy.at_most)
    text = _words(arrived - counts, days, percent, closed)
    if extension is not None:
        text += f" (extension to {time_words(extension)})"
    here = arrived.astimezone(counts.tzinfo)
    return Lateness(arrived=here, due=counts, days=days, percent=percent, closed=closed, text=text)


def time_words(time: datetime) -> str:
    """Write a time with its offset.

    >>> time_words(datetime.fromisoformat("2026-12-01T23:59:00+01:00"))
    'Tue 1 Dec 2026, 23:59 (UTC+01:00)'
    """
    offset = time.strftime("%z")
    zone = "UTC" if offset in ("+0000", "-0000") else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{_DAYS[time.weekday()]} {time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} ({zone})"


def policy_words(policy: Policy) -> str:
    """Say what lateness costs, in sentences for a student.

    >>> policy_words(Policy(per_day=10, at_most=50, grace_minutes=15))
    'Each started day late costs 10% of the points that the work earns, at most 50%. The first 15 minutes cost nothing.'
    """
    closed = policy.closed_after_days
    said = []
    if policy.per_day:
        most = f", at most {policy.at_most:g}%" if policy.at_most < 100 else ""
        said.append(f"Each started day late costs {policy.per_day:g}% of the points that the work earns{most}.")
    elif closed != 0:
        said.append("Late work loses no points.")
    if policy.grace_minutes and (policy.per_day or closed is not None):
        said.append(f"The first {_count(policy.grace_minutes, 'minute')} cost nothing.")
    if closed is not None:
        said.append(f"Work that is more than {_count(closed, 'day')} late counts zero." if closed else _NO_LATE)
    return " ".join(said)


_NO_LATE = "Late work counts zero."


def outlook(now: datetime, deadline: Deadline) -> str:
    """Say how much time is left, or how late work is that arrives now, for a student without an extension."""
    due = time_words(deadline.due)
    if now <= deadline.due:
        return f"Due {due}: {span_words(deadline.due - now)} left."
    late = lateness(now, deadline.due, None, deadline.policy)
    if not late.days:
        return f"Due {due}: {span_words(now - deadline.due)} ago. What arrives now is still in time."
    cost = (
        "counts zero" if late.closed else f"costs {late.percent:g}% of its points" if late.percent else "loses nothing"
    )
    ago = span_words(now - deadline.due)
    return f"Due {due}: {ago} ago. What arrives now {cost}, unless you have an extension."


def span_words(span: timedelta) -> str:
    """Say how long, in its two largest units.

    >>> span_words(timedelta(days=1, hours=3, minutes=5)), span_words(timedelta(seconds=20))
    ('1 day 3 hours', 'less than a minute')
    """
    minutes = int(span.total_seconds() // 60)
    parts = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    first = next((index for index, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return "less than a minute"
    return " ".join(_count(count, unit) for count, unit in parts[first : first + 2] if count)


def _words(over: timedelta, days: int, percent: float | int, closed: bool) -> str:
    if over <= timedelta(0):
        return "in time"
    if not days:
        return f"{span_words(over)} late, which is within the grace time"
    late = f"{_count(days, 'started day')} late"
    if closed:
        return f"{late}: too late, counts zero"
    return f"{late}: {percent:g}% taken off" if percent else f"{late}: nothing taken off"


def _count(count: float | int, unit: str) -> str:
    return f"{count:g} {unit}{'' if count == 1 else 's'}"
