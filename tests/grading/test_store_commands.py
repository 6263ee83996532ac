"""`seqlib store`: seals, jobs and another try, from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.jobs import Job
from seqlib.grading.kit import course_key
from seqlib.grading.states import State
from seqlib.grading.store import Store
from seqlib.grading.store_commands import app


def job(student: str) -> Job:
    """Some work."""
    return Job(assignment="a1", student=student, submission="5" * 64, checks="c" * 64)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A class with ada done, bob set aside, cyd waiting."""
    with Store(tmp_path / "store.db", course_key(tmp_path)) as store:
        store.enqueue(map(job, ("ada", "bob", "cyd")), {"step": 4})
        [ada] = store.claim("w1")
        store.finish(ada, [Verdict(check="step", points=4, earned=4, status="passed", message="")])
        for _ in range(2):
            [bob] = store.claim("w1", only=[job("bob").digest])
            store.fault(bob, "killed by signal 9", lost=True)
    return tmp_path


def run(course: Path, *arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, [*arguments, "--course", str(course)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_verify_counts_and_prints_the_head(course):
    """Whole seals are said in a line, beside the head; a head that is gone is an error."""
    output = run(course, "store", "verify")

    assert "2 verdicts, all seals whole." in output
    assert run(course, "store", "verify", "--head", output.split()[-1]) == output
    with pytest.raises(GradingError, match="the head ffff"):
        run(course, "store", "verify", "--head", "f" * 64)


def test_jobs_counts_states_and_tells_reasons(course):
    """Each state with its count; what is set aside with attempts and the reason, and what to do."""
    output = run(course, "store", "jobs")

    assert "1 queued, 0 claimed, 1 done, 1 set aside" in output
    [line] = [line for line in output.splitlines() if "bob" in line]
    assert line.split() == ["bob", "a1", "set", "aside", "2", "w1", "killed", "by", "signal", "9"]
    assert "seqlib store retry --set-aside" in output
    assert "0 queued" in run(course, "store", "jobs", "--assignment", "a2")


def test_retry_queues_what_is_set_aside(course):
    """The job waits for its second run, and the old verdicts are still there."""
    output = run(course, "store", "retry", "--set-aside")

    assert "bob's a1 waits for run 2." in output
    with Store(course / "store.db", course_key(course)) as store:
        assert store.state(job("bob")) is State.QUEUED
        assert store.state(job("ada")) is State.DONE
        assert store.verify() == 2


def test_what_was_overtaken_neither_waits_nor_comes_back(course):
    """Newer work withdraws what waited, and a retry leaves older work that is set aside where it is."""
    newer = [Job(assignment="a1", student=name, submission="6" * 64, checks="c" * 64) for name in ("bob", "cyd")]
    with Store(course / "store.db", course_key(course)) as store:
        store.enqueue(newer, {"step": 4})

    assert "2 queued, 0 claimed, 1 done, 1 set aside, 1 withdrawn" in run(course, "store", "jobs")
    assert "cyd" not in run(course, "store", "jobs")
    assert "0 jobs queued" in run(course, "store", "retry", "--set-aside")


def test_retry_queues_a_student(course):
    """One student by name; who has nothing graded is named."""
    assert "ada's a1 waits for run 2." in run(course, "store", "retry", "ada")

    for name in ("eve", "cyd"):
        with pytest.raises(GradingError, match=f"the store has no graded job of {name}"):
            run(course, "store", "retry", name)


@pytest.mark.parametrize("arguments", [(), ("ada", "--set-aside")])
def test_retry_needs_one_of_two(course, arguments):
    """Neither or both is an error that says what to give."""
    with pytest.raises(GradingError, match="give either a student or --set-aside"):
        run(course, "store", "retry", *arguments)


def test_no_store_is_one_line(tmp_path):
    """A class that was never graded has no store, and none is made."""
    course_key(tmp_path)

    with pytest.raises(GradingError, match="there is no store"):
        run(tmp_path, "store", "jobs")
    assert not (tmp_path / "store.db").exists()
