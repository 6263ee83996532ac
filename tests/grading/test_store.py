"""The store keeps every verdict, gives the last of each student, and notices an edit."""

import sqlite3

import pytest

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.jobs import Job
from seqlib.grading.store import EMPTY_HEAD, Store

KEY = b"k" * 32


def verdict(check: str, *, right: bool) -> Verdict:
    """A verdict over four points."""
    return Verdict(check=check, points=4, earned=4 if right else 0, status="passed" if right else "failed", message="")


def work(student: str = "ada") -> Job:
    """Some work."""
    return Job(assignment="a1", student=student, submission="5" * 64, checks="c" * 64)


@pytest.fixture
def store(tmp_path):
    """A store with two students, one of them graded twice."""
    with Store(tmp_path / "store.db", KEY) as made:
        made.append(work("ada"), [verdict("step", right=False), verdict("loss", right=True)])
        made.append(work("bob"), [verdict("step", right=True)])
        made.append(work("ada"), [verdict("step", right=True), verdict("loss", right=True)])
        yield made


def edit(tmp_path, statement: str) -> None:
    """Change the database behind the store's back."""
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute(statement)
    connection.close()


def test_the_last_grading_counts_and_the_first_is_kept(store):
    """`latest` gives one record a student, and all five verdicts are still there."""
    latest = store.latest("a1")

    assert {name: record.earned for name, record in latest.items()} == {"ada": 8, "bob": 4}
    assert store.verify() == 5


def test_an_empty_store_has_a_head(tmp_path):
    """Nothing is a chain of length zero."""
    with Store(tmp_path / "s.db", KEY) as store:
        assert store.head() == EMPTY_HEAD
        assert store.verify() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verdicts SET verdict = replace(verdict, '\"earned\": 0', '\"earned\": 4') WHERE number = 1",
        "UPDATE verdicts SET student = 'eve' WHERE number = 3",
        "UPDATE verdicts SET made_at = '2000-01-01' WHERE number = 2",
        "DELETE FROM verdicts WHERE number = 2",
    ],
)
def test_an_edit_is_noticed(store, tmp_path, statement):
    """A record that was changed or taken out breaks the chain."""
    edit(tmp_path, statement)

    with pytest.raises(GradingError, match="was changed or does not follow"):
        store.verify()


def test_cutting_the_end_off_is_noticed_by_a_printed_head(store, tmp_path):
    """The chain alone can't show that its end is missing with its job; a head written down before can."""
    head = store.head()
    edit(tmp_path, "DELETE FROM verdicts WHERE number > 3")
    with pytest.raises(GradingError, match="the job of ada"):
        store.verify()

    edit(tmp_path, "DELETE FROM jobs WHERE run = 2")

    assert store.verify() == 3
    with pytest.raises(GradingError, match="is not in"):
        store.verify(head)


def test_another_key_does_not_verify(store, tmp_path):
    """Seals can only be made by the holder of the course key."""
    with Store(tmp_path / "store.db", b"x" * 32) as other, pytest.raises(GradingError, match="record 1"):
        other.verify()


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    """The error names the file and what to do."""
    (tmp_path / "store.db").write_text("not a database, not at all, but long enough to be looked at" * 20)

    with pytest.raises(GradingError, match=r"store\.db fails: file is not a database"):
        Store(tmp_path / "store.db", KEY)
