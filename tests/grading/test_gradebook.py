"""The gradebook is a projection: idempotent, and a person's marks are never touched."""

import csv
import io
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from seqlib.grading.deadlines import Deadline, Due, Policy
from seqlib.grading.gradebook import gradebook_url, project, read_marks
from seqlib.grading.kit import course_key
from seqlib.grading.scores import safe_cell, scores_csv, totals
from seqlib.grading.store import Store

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def book(small_class, tmp_path):
    """A copy of the graded class's gradebook, with the records that made it."""
    shutil.copy(small_class.course / "gradebook.db", tmp_path)
    key = course_key(small_class.course)
    with Store(small_class.course / "store.db", key) as store:
        records = store.latest("toy")
    return gradebook_url(tmp_path), records


def dump(url: str) -> list[str]:
    """Every row of every table that nbgrader shows."""
    import sqlite3

    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        return [line for line in connection.iterdump() if line.startswith("INSERT")]
    finally:
        connection.close()


def mark_by_hand(url: str, student: str, cell: str, **values) -> None:
    """Do what formgrader does when a person types a mark or a comment."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as gradebook:
        comment = values.pop("comment", None)
        grade = gradebook.find_grade(cell, "toy", "toy", student)
        for name, value in values.items():
            setattr(grade, name, value)
        grade.needs_manual_grade = False
        if comment:
            gradebook.find_comment(cell, "toy", "toy", student).manual_comment = comment
        gradebook.db.commit()


def scores(url: str) -> dict[str, float]:
    """What nbgrader itself adds up."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as gradebook:
        return {found.student.id: found.score for found in gradebook.assignment_submissions("toy")}


def test_nbgrader_adds_up_our_points(small_class, book):
    """nbgrader's own sum of each submission is the sum of the host's verdicts."""
    url, _ = book

    assert scores(url) == {one.student: one.points(small_class.kit) for one in small_class.made}


def test_projecting_twice_changes_nothing(small_class, book):
    """Every row of the database is the same after a second projection."""
    url, records = book
    before = dump(url)

    project(small_class.kit, url, records, dict.fromkeys(records, "2026-11-20 10:00:00.000000 UTC"))

    assert dump(url) == before


def test_manual_marks_comments_and_extra_credit_stay(small_class, book):
    """What a person wrote survives; the cell asks for another look only if our score changed."""
    url, records = book
    mark_by_hand(url, "wrong_forgets", "running_sum", manual_score=25.0, extra_credit=2.0)
    mark_by_hand(url, "wrong_forgets", "why", manual_score=9.0, comment="Well said.")

    project(small_class.kit, url, records, {})
    marks = {mark.cell: mark for mark in read_marks("toy", url)["wrong_forgets"]}

    assert (marks["running_sum"].score, marks["running_sum"].manual) == (27, True)
    assert (marks["why"].score, marks["why"].comment) == (9, "Well said.")
    assert scores(url)["wrong_forgets"] == 20 + 27 + 30 + 9


def test_a_changed_verdict_under_a_manual_mark_is_shown_again(small_class, book):
    """The mark stays, and formgrader asks the person to look."""
    from nbgrader.api import Gradebook

    url, records = book
    mark_by_hand(url, "wrong_forgets", "running_sum", manual_score=25.0)
    record = records["wrong_forgets"]
    verdicts = tuple(
        replace(v, status="passed", earned=v.points, mistake=None) if v.check == "running_sum" else v
        for v in record.verdicts
    )

    project(small_class.kit, url, {"wrong_forgets": replace(record, verdicts=verdicts)}, {})

    with Gradebook(url) as gradebook:
        grade = gradebook.find_grade("running_sum", "toy", "toy", "wrong_forgets")
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (50, 25, True)


def test_scores_are_exported_with_manual_marks(book):
    """The table has one line a student, each cell's points, and what could be earned."""
    url, records = book
    mark_by_hand(url, "wrong_forgets", "why", manual_score=9.0)

    rows = {
        row["student"]: row for row in csv.DictReader(io.StringIO(scores_csv(totals(records, read_marks("toy", url)))))
    }

    assert set(rows) == set(records)
    row = rows["wrong_forgets"]
    assert (row["score"], row["points"], row["running_sum"], row["why"]) == ("59", "110", "0", "9")


def test_names_cannot_break_the_table(book):
    """Commas, quotes and line ends are quoted; what a spreadsheet would compute is text."""
    _, records = book
    hostile = ['a,"b"', "=cmd|' /C calc'!A0", "new\nline", " @x", "+1", "plain"]
    [total] = totals({"wrong_forgets": records["wrong_forgets"]}, {})

    text = scores_csv([replace(total, student=name) for name in sorted(hostile)])
    names = [row["student"] for row in csv.DictReader(io.StringIO(text, newline=""))]

    assert names == [safe_cell(name) for name in sorted(hostile)]
    assert not any(name.lstrip().startswith(("=", "+", "-", "@")) for name in names)


DUE = datetime(2026, 11, 18, 23, 59, tzinfo=timezone(timedelta(hours=1)))
POLICY = Policy(per_day=10, grace_minutes=15, at_most=50, closed_after_days=7)
ARRIVED = "2026-11-20 10:00:00.000000 UTC"  # a day and 11 hours late


def due(**extensions: datetime) -> Due:
    """The class's table for `toy`."""
    return Due(deadline=Deadline(due=DUE, policy=POLICY), extensions=extensions)


def times(url: str) -> dict[str, tuple]:
    """What nbgrader knows of each submission's times and penalty."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as gradebook:
        return {
            found.student.id: (found.assignment.duedate, found.extension, found.late_submission_penalty)
            for found in gradebook.assignment_submissions("toy")
        }


def test_lateness_is_nbgraders_own(small_class, book):
    """Due date, extension and penalty stand where nbgrader reads them, and its lateness is ours."""
    from nbgrader.api import Gradebook

    url, records = book

    project(
        small_class.kit,
        url,
        records,
        dict.fromkeys(records, ARRIVED),
        due(right_with_scripts=DUE + timedelta(days=1)),
    )

    naive = datetime(2026, 11, 18, 22, 59)  # nbgrader keeps UTC without saying so
    found = times(url)
    assert found["right_with_scripts"] == (naive, timedelta(days=1), 10)
    assert found["wrong_forgets"] == (naive, None, 10)
    assert found["empty"] == (naive, None, 0)
    with Gradebook(url) as gradebook:
        late = gradebook.find_submission("toy", "wrong_forgets").total_seconds_late
    assert late == (datetime(2026, 11, 20, 10, tzinfo=UTC) - DUE).total_seconds()


def test_projecting_lateness_twice_changes_nothing(small_class, book):
    """Every row is the same after a second projection, and a penalty goes when its reason goes."""
    url, records = book
    arrivals = dict.fromkeys(records, ARRIVED)
    project(small_class.kit, url, records, arrivals, due())
    before = dump(url)

    project(small_class.kit, url, records, arrivals, due())
    again = dump(url)
    project(small_class.kit, url, records, arrivals, due(wrong_forgets=DUE + timedelta(days=7)))

    assert again == before
    assert times(url)["wrong_forgets"][1:] == (timedelta(days=7), 0)


def test_the_penalty_is_of_what_counts(small_class, book):
    """It is computed from the manual marks too, which stay as they are."""
    url, records = book
    mark_by_hand(url, "wrong_forgets", "running_sum", manual_score=25.0, extra_credit=2.0)

    project(small_class.kit, url, records, dict.fromkeys(records, ARRIVED), due())

    assert times(url)["wrong_forgets"][2] == (20 + 27 + 30) * 0.2
    marks = {mark.cell: mark for mark in read_marks("toy", url)["wrong_forgets"]}
    assert (marks["running_sum"].score, marks["running_sum"].manual) == (27, True)


def test_too_late_counts_zero(small_class, book):
    """After the class has closed, the penalty is all that was earned."""
    url, records = book

    project(small_class.kit, url, records, dict.fromkeys(records, "2026-11-27 10:00:00.000000 UTC"), due())

    assert {name: row[2] for name, row in times(url).items()} == scores(url)


def test_nbgrader_adds_no_penalty_of_its_own():
    """With our configuration nbgrader's autograder holds no step that could write or erase a penalty."""
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()

    steps = [*config.Autograde.sanitize_preprocessors, *config.Autograde.autograde_preprocessors]
    assert not any("LatePenalties" in str(step) for step in steps)
    assert config.LateSubmissionPlugin.penalty_method == "none"
