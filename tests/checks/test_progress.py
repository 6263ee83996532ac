"""The bar of a full training check: it counts the student's own steps, and no verdict hangs on it."""

import re
import threading
import time
from types import FunctionType

import pytest
import torch

from seqlib.checks.notebook import Checker
from seqlib.checks.progress import Bar, counted_calls, progress_bar
from seqlib.checks.proxy import local_student
from seqlib.checks.recorded import Recorded, record_cases
from seqlib.checks.registry import check, suite_of
from seqlib.checks.runner import Author, Grader, run_check
from seqlib.errors import GradingError

STEPS = 6


def training_step(weight, target):
    return weight + 0.5 * (target - weight)


def train(target, steps):
    weight = torch.zeros((), dtype=torch.float64)
    for _ in range(steps):
        weight = training_step(weight, target)
    return {"w": weight}


@check(points=3, slow=True, cases=2, uses=["train"], progress="training_step")
def training(student, case):
    """The weight comes near the target."""
    steps = 2 if case.smoke else STEPS
    target = case.uniform(1, 2)
    case.expect_steps(steps)
    weight = case.weights(student.train(target, steps), {"w": ()})["w"]
    case.require(bool((weight - target).abs() < 1), "the weight is off.", seen=weight)


@check(points=1, slow=True, cases=1, uses=["train"])
def uncounted(student, case):
    """A check that trains and declares no step."""
    case.require(isinstance(student.train(case.uniform(1, 2), 1), dict), "no dict.")


SUITE = suite_of({"training": training, "uncounted": uncounted, "REFERENCE": {"train": train}}, "toy")


@pytest.fixture
def names():
    """A notebook's names: functions that find each other there, as cells do."""
    made = {"torch": torch}
    made |= {f.__name__: FunctionType(f.__code__, made) for f in (training_step, train)}
    return made


@pytest.fixture
def checker(names):
    """What the first cell gives."""
    return Checker(Recorded(SUITE, record_cases(SUITE)), names)


def last_bar(capsys):
    """What the terminal shows of the bar in the end."""
    return capsys.readouterr().err.replace("\n", "\r").rstrip("\r").split("\r")[-1].rstrip()


def test_steps_are_counted(checker, capsys):
    """Steps done, all of them, the time, the rate: each case counts anew."""
    verdict = checker.run("training", full=True)

    assert verdict.status == "passed"
    assert re.fullmatch(r"training: 100%\|.*\| 6/6 \[00:0\d<00:00, .*step/s\]", last_bar(capsys))


def test_short_run_shows_no_bar(checker, capsys):
    """A smoke test is over in a second."""
    checker.run("training")

    assert capsys.readouterr().err == ""


def test_step_that_is_never_called_is_told(checker, names, capsys):
    """Any optimiser will do: then the time is shown, and why no steps are."""
    names["train"] = lambda target, steps: {"w": target.clone()}

    verdict = checker.run("training", full=True)

    assert verdict.status == "passed"
    assert last_bar(capsys) == "training: 00:00, training_step was never called, so there are no steps to count"


@pytest.mark.parametrize("step", ["absent", 3, torch.nn.Identity])
def test_step_that_is_no_function_is_left_alone(checker, names, capsys, step):
    """A missing function, a number and a class are not replaced; the check runs."""
    names |= {"training_step": step, "train": lambda target, steps: {"w": target + isinstance(step, str)}}
    if step == "absent":
        del names["training_step"]

    checker.run("training", full=True)

    assert names.get("training_step", "absent") is step or step == "absent"
    assert "never called" in last_bar(capsys)


def test_check_without_a_declared_step_shows_the_time(checker, capsys):
    """Where a check declares no step there is nothing to miss."""
    checker.run("uncounted", full=True)

    assert last_bar(capsys) == "uncounted: 00:00"


def test_clock_goes_on_without_steps(capsys, monkeypatch):
    """While nothing is counted the time is drawn again and again, and nothing draws after the end."""
    monkeypatch.setattr("seqlib.checks.progress._REDRAW_S", 0.05)
    bar = Bar("training", "training_step")
    time.sleep(1.2)
    bar.close()
    shown = capsys.readouterr().err
    time.sleep(0.2)

    assert "training: 00:01, no call of training_step yet" in shown
    assert capsys.readouterr().err == ""


def test_function_is_counted_only_while_the_check_runs(checker, names):
    """During the run the name holds a wrapper, and after it the student's own function."""
    own, seen = names["training_step"], []
    plain = names["train"]
    names["train"] = lambda target, steps: seen.append(names["training_step"]) or plain(target, steps)

    checker.run("training", full=True)

    assert names["training_step"] is own
    assert [function.__wrapped__ is own for function in seen] == [True, True]


@pytest.mark.parametrize("crash", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_end_by_an_exception_restores_the_function(names, crash, capsys):
    """An interrupt or an error closes the bar, stops its clock and gives the function back."""
    own, threads = names["training_step"], threading.active_count()

    def stopped():
        with progress_bar(training, names) as bar:
            bar.expect(4)
            names["training_step"](0.0, 1.0)
            raise crash

    with pytest.raises(crash):
        stopped()

    assert names["training_step"] is own
    assert threading.active_count() == threads
    assert "| 1/4 [" in last_bar(capsys)


def test_interrupt_goes_through_the_check(checker, names):
    """Interrupting the kernel ends the check, and the function is the student's again."""
    own = names["training_step"]

    def interrupted(target, steps):
        names["training_step"](target, target)
        raise KeyboardInterrupt

    names["train"] = interrupted
    with pytest.raises(KeyboardInterrupt):
        checker.run("training", full=True)

    assert names["training_step"] is own


def test_function_that_was_defined_anew_stays(names):
    """A definition that the student's code makes while the check runs is not thrown away."""
    other = lambda weight, target: target  # noqa: E731

    with counted_calls(names, "training_step", lambda: None):
        names["training_step"] = other

    assert names["training_step"] is other


def test_step_that_raises_is_no_step(names):
    """A call that fails is not counted, and its error comes through as it is."""
    told = []

    with counted_calls(names, "training_step", lambda: told.append(1)):
        names["training_step"](0.0, 1.0)
        with pytest.raises(TypeError):
            names["training_step"](None, 1.0)

    assert told == [1]


@pytest.mark.parametrize("full", [True, False])
def test_verdict_is_the_same_without_a_bar(checker, names, full):
    """What a notebook says with its bar, author and grader say without one, but for the seconds."""
    shown = checker.run("training", full=full)
    author = run_check(training, local_student(names), Author(SUITE, full=full))
    graded = run_check(training, local_student(names), Grader(SUITE, b"k" * 32, full=full))

    for verdict in (author, graded):
        assert (verdict.status, verdict.earned, verdict.message) == (shown.status, shown.earned, shown.message)
    assert author.seed_digest == shown.seed_digest


def test_grading_draws_nothing(names, capsys):
    """The grader's case takes the number of steps and does nothing with it."""
    own = names["training_step"]
    names["train"] = lambda target, steps: {"w": target * (names["training_step"] is own)}

    verdict = run_check(training, local_student(names), Grader(SUITE, b"k" * 32))

    assert verdict.status == "passed"
    assert capsys.readouterr().err == ""


def test_progress_of_a_quick_check_is_refused():
    """A check that is over in a second has no bar to declare a step for."""
    with pytest.raises(GradingError) as error:
        check(points=1, progress="step")

    assert error.value.what == "a quick check shows no progress of step."
