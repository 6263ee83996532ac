"""The `seqlib claims` command, as a person meets it."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from seqlib.claims.commands import app
from seqlib.errors import ClaimError


def claims(*arguments):
    return CliRunner().invoke(app, arguments)


def test_it_runs_stores_and_shows(small, results):
    """Each job leaves a line, the table has the measured range, and the file has the seeds."""
    answer = claims()

    assert answer.exit_code == 0
    assert "seed_is_small, seed 2: held" in answer.stderr
    for column in ("claim", "source", "criterion", "measured", "seeds", "CPU s", "held"):
        assert column in answer.stdout
    assert "room 8 to 10" in answer.stdout
    assert list(json.loads(results.read_text())["seed_is_small"]["seeds"]) == ["0", "1", "2"]


def test_it_runs_only_what_changed(small, results):
    """A second call runs nothing and shows the same table; `--again` runs it all."""
    first, second, again = claims(), claims(), claims("--again")

    assert second.exit_code == 0
    assert second.stdout == first.stdout
    assert "seed_is_small, seed" not in second.stderr
    assert "seed_is_small, seed 0" in again.stderr


def test_a_claim_that_is_not_held_is_a_failure(small, results):
    """A seed that does not satisfy the criterion is shown, and the exit status is 1."""
    answer = claims("--seeds", "0,11")

    assert answer.exit_code == 1
    assert "seed_is_small, seed 11: NOT HELD" in answer.stderr


def test_the_ci_tier_stores_nothing(small, results):
    """One seed runs whatever is stored, and the results file is not touched."""
    answer = claims("--tier", "ci")

    assert answer.exit_code == 0
    assert "seed_is_small, seed 0: held" in answer.stderr
    assert not results.exists()


def test_list_says_how_each_claim_stands(small, results):
    """The list has the statement, the cost and the standing, before a run and after it."""
    before = claims("--list").stdout
    claims()

    assert "A seed is small." in before
    assert "never run" in before
    assert "never run" not in claims("--list").stdout


def test_check_passes_on_current_results(small, results):
    """After a run the check succeeds and runs nothing."""
    claims()
    answer = claims("--check")

    assert answer.exit_code == 0
    assert "All 1 claims stand" in answer.stdout
    assert "seed_is_small, seed" not in answer.stderr


def test_check_fails_on_a_stale_result(results, changed):
    """Changed settings are an error that names the claim, the reason and the command."""
    claims()
    changed()
    answer = claims("--check")

    assert isinstance(answer.exception, ClaimError)
    assert answer.exception.what == "1 of 1 claims do not stand: seed_is_small (its code or settings changed)."
    assert answer.exception.hint == "run: seqlib claims. It runs only what changed; commit the results file."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "seed_is_smal"), "no claim is called seed_is_smal.\nHint: did you mean seed_is_small?"),
        (("--seeds", "a,b"), "--seeds is 'a,b'.\nHint: give whole numbers with commas between, such as 3,4,5."),
    ],
)
def test_bad_input_is_an_error_with_a_hint(small, results, arguments, message):
    """A wrong name or a wrong list of seeds runs nothing and says what to do."""
    answer = claims(*arguments)

    assert str(answer.exception) == message
    assert not results.exists()


def test_an_interrupt_says_how_to_go_on(small, results, monkeypatch):
    """After an interrupt the exit status is the shell's, and the message counts what is kept."""

    def interrupt(jobs, *rest):
        raise KeyboardInterrupt

    monkeypatch.setattr("seqlib.claims.runner.run", interrupt)
    answer = claims()

    assert answer.exit_code == 130
    assert "Interrupted: 0 of 3 results are stored; the same command does the rest." in answer.stdout


def test_reading_results_does_not_import_torch():
    """The command line's help, and a page that shows a result, do not wait for torch."""
    code = "import sys, seqlib.claims, seqlib.claims.commands; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
