"""Replaying shows whether recorded verdicts come out again, and writes nothing."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, SeqlibError
from seqlib.grading.graded import Graded
from seqlib.grading.jobs import Job
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.replay import Difference, compare_verdicts, replay
from seqlib.grading.store import Record, Store
from seqlib.grading.submitted import Submitted, read_submission

ONE = Verdict(check="doubling", points=4, earned=4, status="passed", message="", seconds=1.0)
OTHER = replace(ONE, earned=0, status="failed", message="Not right.", mistake="forgets", seconds=2.0)


@pytest.fixture
def kit(released: Path) -> Any:
    """The released assignment `toy`."""
    return load_kit("toy", released)


@pytest.fixture
def course(tmp_path: Path, released: Path) -> Path:
    """A class folder in which two handed in what they were given."""
    for student in ("ada", "bob"):
        folder = tmp_path / "submitted" / student / "toy"
        folder.mkdir(parents=True)
        shutil.copy(released / "assignments" / "toy" / "toy.ipynb", folder)
    return tmp_path


@pytest.fixture
def key(course: Path) -> bytes:
    """The course key."""
    return course_key(course)


@pytest.fixture
def records(kit: Any, course: Path, key: bytes) -> dict[str, Record]:
    """What the store has of both."""
    with Store(course / "store.db", key) as store:
        for student in ("ada", "bob"):
            submitted = read_submission(student, course / "submitted" / student / "toy", "toy")
            checks = kit.checks_digest(key)
            store.append(Job(assignment="toy", student=student, submission=submitted.digest, checks=checks), [ONE])
        return store.latest("toy")


def giving(*verdicts: Verdict) -> Any:
    """What grades everything alike."""
    return lambda submitted: Graded(submitted=submitted, verdicts=verdicts, cells=())


def test_the_same_verdicts_are_the_same(kit, course, key, records):
    """Seconds may differ, and nothing in the class folder changes."""
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()}

    found = list(replay(kit, key, records, course, giving(replace(ONE, seconds=9.0))))

    assert [(one.student, one.same) for one in found] == [("ada", True), ("bob", True)]
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*") if path.is_file()} == before


def test_a_difference_names_check_and_field(kit, course, key, records):
    """Every field that parts is shown, of the one student that was asked for."""
    [found] = replay(kit, key, records, course, giving(OTHER), ("bob",))

    assert (found.student, found.same) == ("bob", False)
    assert {d.name for d in found.differences} == {"earned", "status", "message", "mistake"}
    assert Difference(check="doubling", name="earned", recorded="4", replayed="0") in found.differences


def test_a_check_on_one_side_only_is_a_difference():
    """No verdict is lost in the comparison."""
    [found] = compare_verdicts((ONE,), ())

    assert found == Difference(check="doubling", name="", recorded="passed", replayed="no verdict")


def test_what_changed_since_is_not_graded(kit, course, key, records):
    """Other work, no work, other checks and a fault of ours: each has its reason, and the rest goes on."""
    reasons = {}

    def refuses(submitted: Submitted) -> Graded:
        raise GradingError("the sandbox is gone.", "install bubblewrap.")

    [one, _] = replay(kit, key, records, course, refuses)
    reasons["fault"] = one.fault
    [one, _] = replay(replace(kit, digest="other"), key, records, course, giving(ONE))
    reasons["checks"] = one.fault
    (course / "submitted/ada/toy/toy.ipynb").write_text("{}")
    [one, other] = replay(kit, key, records, course, giving(ONE))
    reasons["work"] = one.fault
    assert other.same
    shutil.rmtree(course / "submitted/ada")
    [one, _] = replay(kit, key, records, course, giving(ONE))
    reasons["gone"] = one.fault

    assert reasons == {
        "fault": "it can't be graded now: the sandbox is gone.",
        "checks": "the checks, the release or the key have changed since",
        "work": "other work lies in the class folder by now",
        "gone": "what was handed in is gone from the class folder",
    }


def test_other_software_is_not_compared(kit, course, key, records):
    """A record that says what it was made with is replayed with that only; one that does not, with anything."""
    work = replace(records["ada"].work, environment="e" * 64)
    records["ada"] = replace(records["ada"], work=work)

    found = list(replay(kit, key, records, course, giving(ONE), environment="f" * 64))

    assert [one.fault for one in found] == ["the software or its isolation is not what it was then", ""]
    assert all(one.same for one in replay(kit, key, records, course, giving(ONE), environment="e" * 64))


def test_who_is_not_graded_is_named(kit, course, key, records):
    """An unknown student is an error with the command that grades."""
    with pytest.raises(SeqlibError, match=r"toy of eve is not graded\.\nHint: run: seqlib grade toy"):
        list(replay(kit, key, records, course, giving(ONE), ("eve",)))
