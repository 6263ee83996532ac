"""Starting an assignment: a copy in work/, never written over."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from seqlib.course.commands import app
from seqlib.course.copies import start
from seqlib.course.deadlines import toml_text
from seqlib.course.lateness import Deadline, Policy, time_words
from seqlib.errors import SubmissionError


def test_start_copies_the_release(course):
    """The copy holds every released file, and the notebook's own name."""
    started = start("a0_toy", course)

    assert started.state == "new"
    assert started.notebook == course / "work/a0_toy/a0_toy.ipynb"
    assert {p.name: p.read_bytes() for p in started.notebook.parent.iterdir()} == {
        p.name: p.read_bytes() for p in (course / "assignments/a0_toy").iterdir()
    }
    assert [path.name for path in (course / "work").iterdir()] == ["a0_toy"]


def test_start_again_leaves_the_copy_as_it_is(course):
    """A second start changes no byte of the student's work."""
    notebook = start("a0_toy", course).notebook
    notebook.write_text("mine", "utf-8")

    again = start("a0_toy", course)

    assert (again.state, again.notebook) == ("kept", notebook)
    assert notebook.read_text("utf-8") == "mine"


def test_a_new_release_goes_beside_the_copy(course):
    """After a new release the old copy stays and the new one lies beside it, once."""
    notebook = start("a0_toy", course).notebook
    notebook.write_text("mine", "utf-8")
    table = course / "assignments/a0_toy/release.json"
    table.write_text(json.dumps(json.loads(table.read_text("utf-8")) | {"digest": "f" * 64}), "utf-8")

    beside = start("a0_toy", course)
    again = start("a0_toy", course)

    assert (beside.state, again.state) == ("beside", "kept")
    assert beside.notebook == again.notebook == course / "work/a0_toy-ffffffff/a0_toy.ipynb"
    assert notebook.read_text("utf-8") == "mine"


def test_an_unknown_name_suggests_the_near_one(course):
    """A misspelt assignment is answered with the name that was meant, and no folder is made."""
    with pytest.raises(SubmissionError) as refused:
        start("a0_toi", course)

    assert (refused.value.what, refused.value.hint) == ("no assignment is called 'a0_toi'.", "did you mean: a0_toy?")
    assert not (course / "work").exists()


def test_the_command_says_where_the_copy_is(course):
    """`seqlib start` prints the notebook's path and how to open it."""
    ran = CliRunner().invoke(app, ["start", "a0_toy", "--course", str(course)])

    assert ran.exit_code == 0
    assert "a0_toy.ipynb" in ran.output
    assert "seqlib lab" in ran.output


@pytest.mark.parametrize(
    ("days", "said"),
    [(3, "2 days 23 hours left."), (-2, "What arrives now costs 20% of its points, unless you have an extension.")],
)
def test_both_commands_say_when_it_is_due(course, days, said):
    """`seqlib start` and `seqlib submit` print the due time, what is left or lost, and the policy in words."""
    due = datetime.now(UTC) + timedelta(days=days, minutes=-1 if days > 0 else 1)
    deadline = Deadline(due=due, policy=Policy(per_day=10))
    (course / "deadlines.toml").write_text(toml_text({"a0_toy": deadline}), "utf-8")

    started = CliRunner().invoke(app, ["start", "a0_toy", "--course", str(course)])
    submitted = CliRunner().invoke(app, ["submit", "a0_toy", "--student", "ada", "--course", str(course)])

    for ran in (started, submitted):
        assert ran.exit_code == 0
        assert f"Due {time_words(due)}: " in ran.output
        assert said in ran.output
        assert "Each started day late costs 10%" in ran.output


def test_a_broken_table_of_due_times_stops_nobody(course):
    """Work can be handed in although the file that tells the due time is damaged."""
    (course / "deadlines.toml").write_text("due", "utf-8")
    start("a0_toy", course)

    ran = CliRunner().invoke(app, ["submit", "a0_toy", "--student", "ada", "--course", str(course)])

    assert ran.exit_code == 0
    assert "deadlines.toml is no TOML" in ran.output
