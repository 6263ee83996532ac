"""Due times, extensions and the late policy: what is said is checked, what is computed is shown the same everywhere."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlib.course.lateness import Deadline, Policy, lateness, outlook, policy_words
from seqlib.errors import DeadlineError
from seqlib.grading.deadlines import class_deadlines, read_arrival

DUE = datetime(2026, 12, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))
USUAL = Policy(per_day=10, grace_minutes=15, at_most=50, closed_after_days=7)
TABLE = """
late = { per_day = 10, grace_minutes = 15, at_most = 50, closed_after_days = 7 }

[assignments.toy]
due = 2026-12-01T23:59:00+01:00

[assignments.other]
due = 2026-12-24T12:00:00Z
late = {}

[extensions.toy]
alice = 2026-12-08T23:59:00+01:00
"bob@x.edu" = 2026-12-02T00:00:00Z
"""


@pytest.mark.parametrize(
    ("over", "days", "percent", "text"),
    [
        (timedelta(days=-3), 0, 0, "in time"),
        (timedelta(0), 0, 0, "in time"),
        (timedelta(minutes=15), 0, 0, "15 minutes late, which is within the grace time"),
        (timedelta(minutes=15, microseconds=1), 1, 10, "1 started day late: 10% taken off"),
        (timedelta(days=1, minutes=15), 1, 10, "1 started day late: 10% taken off"),
        (timedelta(days=1, minutes=16), 2, 20, "2 started days late: 20% taken off"),
        (timedelta(days=6, hours=5), 7, 50, "7 started days late: 50% taken off"),
        (timedelta(days=7, minutes=15), 7, 50, "7 started days late: 50% taken off"),
        (timedelta(days=7, minutes=16), 8, 100, "8 started days late: too late, counts zero"),
    ],
)
def test_each_started_day_costs(over, days, percent, text):
    """Days are counted from the end of the grace time; the cap and the closing hold at their own second."""
    late = lateness(DUE + over, DUE, None, USUAL)

    assert (late.days, late.percent, late.text) == (days, percent, text)


def test_time_zones_are_one_clock():
    """The same moment written in two zones is equally late."""
    arrived = DUE + timedelta(hours=30)

    assert lateness(arrived.astimezone(UTC), DUE, None, USUAL).days == lateness(arrived, DUE, None, USUAL).days == 2


def test_an_extension_moves_the_due_time():
    """Lateness counts from the student's own time, which the text names."""
    late = lateness(DUE + timedelta(days=8), DUE, DUE + timedelta(days=7), USUAL)

    assert (late.days, late.percent) == (1, 10)
    assert late.text.endswith("taken off (extension to Tue 8 Dec 2026, 23:59 (UTC+01:00))")


def test_nothing_said_costs_nothing():
    """Without a policy a submission is late for ever and loses nothing."""
    late = lateness(DUE + timedelta(days=400), DUE, None, Policy())

    assert (late.days, late.percent, late.closed, late.penalty(80)) == (400, 0, False, 0)


@given(
    first=st.integers(-(10**7), 10**7),
    second=st.integers(-(10**7), 10**7),
    policy=st.builds(
        Policy,
        per_day=st.integers(0, 100),
        grace_minutes=st.integers(0, 2000),
        at_most=st.integers(0, 100),
        closed_after_days=st.none() | st.integers(0, 30),
    ),
)
def test_later_never_costs_less(first, second, policy):
    """Whatever the policy, the cost grows with the time, stays within 0 and 100, and is 0 in time."""
    early, late = sorted((first, second))
    costs = [lateness(DUE + timedelta(seconds=over), DUE, None, policy).percent for over in (early, late)]

    assert 0 <= costs[0] <= costs[1] <= 100
    assert early > 0 or costs[0] == 0


def test_a_time_without_an_offset_is_refused():
    """A naive time never reaches the arithmetic."""
    with pytest.raises(DeadlineError, match="has no offset from UTC"):
        lateness(datetime(2026, 12, 1), DUE, None, USUAL)


def test_the_table_of_a_class_is_read(tmp_path):
    """Due times keep their offset, a policy of one assignment wins, extensions are each student's."""
    (tmp_path / "course.toml").write_text(TABLE, "utf-8")

    found = class_deadlines(tmp_path, ["toy", "other", "third"])

    assert found["toy"].deadline == Deadline(due=DUE, policy=USUAL)
    assert found["other"].deadline.policy == Policy()
    assert found["toy"].extensions == {
        "alice": DUE + timedelta(days=7),
        "bob@x.edu": datetime(2026, 12, 2, tzinfo=UTC),
    }
    assert found["toy"].of("alice", "2026-12-05 10:00:00.000000 UTC").percent == 0
    assert found["toy"].of("carol", "2026-12-05 10:00:00.000000 UTC").percent == 40
    assert found["toy"].of("carol", "yesterday") is None


def test_no_table_is_no_deadline(tmp_path):
    """A class without a table has no due times."""
    assert class_deadlines(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("late = 5", "late is no table", "write it like late = { per_day = 10, at_most = 50 }."),
        ("late = { perday = 1 }", "late.perday is unknown", "did you mean per_day?"),
        ("late = { per_day = -1 }", "late.per_day is -1", "it is a number from 0 to 100."),
        ("late = { at_most = true }", "late.at_most is True", "it is a number from 0 to 100."),
        ("late = { per_day = nan }", "late.per_day is nan", "it is a number from 0 to 100."),
        ("[assignments.toy]", "assignments.toy has no due time", "write due = "),
        ("[assignments.toy]\ndue = 2026-12-01", "assignments.toy.due is a day without a time", "write it like"),
        ("[assignments.toy]\ndue = 2026-12-01T23:59:00", "assignments.toy.due has no offset from UTC", "write it like"),
        ('[assignments.toy]\ndue = "soon"', "assignments.toy.due is no time: soon", "write it like"),
        ("[assignments]\ntoy = 3", "assignments.toy is no table", "write [assignments.toy]"),
        ("assignments = 3", "assignments is no table", "write it as [assignments.NAME]."),
        ("[assignments.tyo]\ndue = 2026-12-01T23:59:00Z", "assignments.tyo is no assignment", "did you mean toy?"),
        ("[extensions.toy]\na = 2026-12-01T23:59:00Z", "extensions.toy has no due time", "known are: none."),
        (
            TABLE + "carol = 2026-01-01T00:00:00Z",
            "extensions.toy.carol is before toy is due",
            "an extension is a later",
        ),
        (TABLE + "carol = 7", "extensions.toy.carol is no time: 7", "write it like"),
        ("[extension.toy]", "extension is unknown", "did you mean extensions?"),
        ("late = {", "is no TOML: Invalid initial character", "times are written"),
        (TABLE + 'alice = "x"', "is no TOML: Cannot overwrite a value", "times are written"),
    ],
)
def test_what_is_wrong_in_the_table_is_named(tmp_path, text, what, hint):
    """File, key and value stand in one line, with what to write instead."""
    (tmp_path / "course.toml").write_text(text, "utf-8")

    with pytest.raises(DeadlineError) as refused:
        class_deadlines(tmp_path, ["toy", "other"])

    assert what in refused.value.what
    assert str(tmp_path / "course.toml") in refused.value.what
    assert "\n" not in refused.value.what
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("2026-11-20 10:00:00.000000 UTC", "2026-11-20T10:00:00+00:00"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00+00:00"),
        ("2026-11-20 10:00:00", "2026-11-20T10:00:00+00:00"),
    ],
)
def test_stamps_are_read_as_nbgrader_reads_them(stamp, read):
    """Ours and those of nbgrader's exchange are the same moments as nbgrader's own reader gives."""
    from nbgrader.utils import parse_utc

    assert read_arrival(stamp).isoformat() == read
    assert read_arrival(stamp).replace(tzinfo=None) == parse_utc(stamp)


def test_an_offset_in_a_stamp_is_an_offset():
    """A numeric offset is hours and minutes; nbgrader's reader takes it for seconds."""
    assert read_arrival("2026-11-20 10:00:00.000000 +0100") == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_students_are_told_what_it_costs():
    """The policy in words, and the time left or lost at each moment."""
    deadline = Deadline(due=DUE, policy=USUAL)

    assert policy_words(USUAL) == (
        "Each started day late costs 10% of the points that the work earns, at most 50%. "
        "The first 15 minutes cost nothing. Work that is more than 7 days late counts zero."
    )
    assert policy_words(Policy()) == "Late work loses no points."
    assert policy_words(Policy(closed_after_days=0)) == "Late work counts zero."
    due = "Due Tue 1 Dec 2026, 23:59 (UTC+01:00): "
    assert outlook(DUE - timedelta(hours=50), deadline) == due + "2 days 2 hours left."
    assert outlook(DUE + timedelta(minutes=5), deadline) == due + "5 minutes ago. What arrives now is still in time."
    assert outlook(DUE + timedelta(days=1, hours=1), deadline) == (
        due + "1 day 1 hour ago. What arrives now costs 20% of its points, unless you have an extension."
    )
    assert "What arrives now counts zero, unless" in outlook(DUE + timedelta(days=9), deadline)
