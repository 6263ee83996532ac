"""Assignment 1: the checks tell right from wrong, and each known slip by its own name."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest
import torch

from seqlib.checks.proxy import local_student
from seqlib.checks.registry import load_suite
from seqlib.checks.runner import Author, Grader, run_check
from seqlib.checks.sources import reference_student
from seqlib.grading.skeleton import clear_solutions


def _beside(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


table = _beside("variants")
WRONG, RIGHT = table.variants("wrong"), table.variants("right")
EXERCISES = {"bptt", "characters", "clipping", "forward", "jacobian", "sampling", "training"}


@pytest.fixture(scope="module")
def suite():
    return load_suite(table.FOLDER / "checks.py")


@pytest.fixture(scope="module")
def author(suite):
    return Author(suite, full=False)


def _verdicts(suite, source, names, *, only=None, slow=False):
    student = local_student(names)
    checks = [check for check in suite.checks.values() if slow or not check.slow]
    return {check.name: run_check(check, student, source) for check in checks if only is None or only & set(check.uses)}


def _names(variant):
    return f"{variant[0]}-{variant[1]}"


def test_points_add_up(suite):
    """All checks together give 100 points."""
    assert suite.points == 100
    assert len(suite.checks) == 16


def test_every_exercise_has_its_variants(suite):
    """Each of the seven exercises has at least 8 wrong and 3 right variants; a wrong one is named as a mistake is."""
    wrong, right = Counter(v[0] for v in WRONG), Counter(v[0] for v in RIGHT)
    known = {mistake.name for check in suite.checks.values() for mistake in check.mistakes}

    assert set(wrong) == set(right) == EXERCISES
    assert min(wrong.values()) >= 8
    assert min(right.values()) >= 3
    assert {v[1] for v in WRONG} <= known


def test_mistakes_have_names_of_their_own(suite):
    """No two mistakes of the assignment share a name or a sentence within a check."""
    names = [mistake.name for check in suite.checks.values() for mistake in check.mistakes]

    assert len(names) == len(set(names))
    for check in suite.checks.values():
        assert len({mistake.sentence for mistake in check.mistakes}) == len(check.mistakes)


@pytest.mark.parametrize("variant", WRONG, ids=_names)
def test_wrong_variant_is_named(suite, author, variant):
    """A wrong variant fails, and the only mistake named anywhere is its own."""
    _, name, code = variant

    verdicts = _verdicts(suite, author, table.solution(code), only=table.defined(code))

    assert {v.mistake for v in verdicts.values() if v.mistake} == {name}


@pytest.mark.parametrize("variant", RIGHT, ids=_names)
def test_right_variant_passes(suite, author, variant):
    """A right variant passes every check that calls it, and everything built on it."""
    _, _, code = variant

    verdicts = _verdicts(suite, author, table.solution(code), slow="train" in table.defined(code))

    assert {v.status for v in verdicts.values()} == {"passed"}
    assert not any(v.mistake for v in verdicts.values())


@pytest.mark.parametrize("key", [None, b"a" * 32], ids=["public", "secret"])
def test_every_mistake_is_told_from_every_other(suite, author, key):
    """On public and on secret cases the code of each mistake is named by that mistake and no other."""
    source = author if key is None else Grader(suite, key, full=False)
    for check in suite.checks.values():
        for mistake in check.mistakes:
            verdict = run_check(check, reference_student(suite, mistake), source)

            assert (verdict.status == "passed", verdict.mistake) == (False, mistake.name)


@pytest.mark.parametrize("key", [bytes([number]) * 32 for number in range(3)], ids=str)
def test_solution_passes_under_any_key(suite, key):
    """The solution passes all checks on secret cases, training by its short run."""
    verdicts = _verdicts(suite, Grader(suite, key, full=False), table.solution(), slow=True)

    assert {name for name, v in verdicts.items() if v.status != "passed"} == set()


@pytest.mark.slow
def test_solution_trains_under_any_key(suite):
    """Full training reaches the share that is asked under several secret boxes."""
    for number in range(4):
        verdict = run_check(suite["train"], local_student(table.solution()), Grader(suite, bytes([number]) * 32))

        assert (verdict.status, verdict.earned) == ("passed", 5)


def _train_of(change):
    """A student whose training returns the solution's weights, changed."""
    names = table.solution()
    train = names["train"]
    return {**names, "train": lambda *args: change(train(*args))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda w: {n: torch.zeros_like(v) for n, v in w.items()},
        lambda w: w | {"W": w["W"].mT.contiguous()},
        lambda w: w | {"W": 0 * w["W"]},
        lambda w: w | {"V": w["V"].flip(0)},
        lambda w: w | {"V": w["V"].float()},
        lambda w: {n: v for n, v in w.items() if n != "c"},
        lambda w: w | {"b": torch.full_like(w["b"], torch.nan)},
        lambda w: list(w.values()),
    ],
    ids=["untrained", "transposed", "no memory", "signals swapped", "float32", "c missing", "not finite", "a list"],
)
def test_wrong_weights_fail(suite, change):
    """Weights that do not work the box, or are not the declared table, earn nothing."""
    verdict = run_check(suite["train"], local_student(_train_of(change)), Grader(suite, b"k" * 32))

    assert (verdict.status, verdict.earned) == ("failed", 0)


def _score(suite, names):
    verdicts = _verdicts(suite, Grader(suite, b"k" * 32), names, slow=True)
    return sum(v.earned for v in verdicts.values()), {name for name, v in verdicts.items() if v.earned}


@pytest.mark.slow
def test_copying_does_not_suffice(suite):
    """Who fills in from the lecture, seqlib and torch.nn alone gets at most 30 of 100 points."""
    score, earned = _score(suite, vars(_beside("copy_paste_a1")))

    assert score <= 30, earned


@pytest.mark.slow
def test_perfect_work_on_the_lectures_unit_does_not_suffice(suite):
    """Even a solution that is right but for the leak (alpha = 1 throughout) gets at most 30 of 100 points."""
    names = table.solution()
    for name in ("leaky_step", "step_backward", "step_jacobian"):
        names[name] = (lambda function: lambda *args: function(*args[:-1], torch.ones_like(args[-1])))(names[name])
    without = names["sharp_but_fading"]
    names["sharp_but_fading"] = lambda size, alpha: without(size, 1.0)

    score, earned = _score(suite, names)

    assert score <= 30, earned


def test_skeleton_keeps_its_taps():
    """What students get still taps x, a and h under the names that the stepper draws."""
    import jupytext

    cells = jupytext.read(table.FOLDER / "a1_recurrent.py").cells
    answer = next(cell.source for cell in cells if "def leaky_step" in cell.source)

    stub = clear_solutions(answer, "leaky_step_answer")

    assert all(f'tap("{name}"' in stub for name in "xah")
    assert "torch.tanh" not in stub
