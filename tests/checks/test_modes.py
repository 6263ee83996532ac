"""One source, three modes and two transports: the same verdict, points and mistake."""

import math
from dataclasses import replace

import pytest
import torch

from seqlib.checks.proxy import local_student
from seqlib.checks.recorded import Recorded
from seqlib.checks.runner import Author, Grader, run_check, run_suite

KEY = b"k" * 32


class LyingFloat(float):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __hash__ = float.__hash__


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


def in_place(x, factor):
    x *= factor
    return x


def zeroes_its_input(x, factor):
    result = x.clone() * 0
    x.zero_()
    return result


def loops(x, factor):
    deep = x
    for _ in range(100):
        deep = [deep]
    return deep


def not_written(x, factor):
    raise NotImplementedError


def raises(x, factor):
    raise ValueError("no")


def exits(x, factor):
    raise SystemExit(0)


VARIANTS = {
    "right": {},
    "in_place": {"scale": in_place},
    "adds": {"scale": lambda x, factor: x + factor},
    "divides": {"scale": lambda x, factor: x / factor},
    "unsigned": {"scale": lambda x, factor: (x * factor).abs()},
    "own_mistake": {"scale": lambda x, factor: x * factor + 1},
    "zeroes_its_input": {"scale": zeroes_its_input},
    "none": {"scale": lambda x, factor: None},
    "not_written": {"scale": not_written},
    "raises": {"scale": raises},
    "exits": {"scale": exits},
    "deep": {"scale": loops},
    "float32": {"scale": lambda x, factor: (x * factor).float()},
    "nan": {"scale": lambda x, factor: x * math.nan},
    "broadcastable": {"scale": lambda x, factor: (x * factor)[:1]},
    "lying_tensor": {"scale": lambda x, factor: torch.zeros(1).as_subclass(LyingTensor)},
    "lying_float": {"loss": lambda x: LyingFloat(0.0)},
    "sums": {"loss": lambda x: float((x**2).sum())},
    "int_for_float": {"loss": lambda x: 1},
    "tensor_for_float": {"loss": lambda x: (x**2).mean()},
    "one_of_two": {"split": lambda x: (x[0],)},
    "list_for_tuple": {"split": lambda x: [x[0], x[1:]]},
    "object": {"split": lambda x: object()},
    "other_order": {"named_parts": lambda x: {"first": x, "second": x + 1}},
    "swapped": {"named_parts": lambda x: {"first": x + 1, "second": x}},
    "untrained": {"train": lambda x, y, steps: {"w": torch.zeros(1, dtype=torch.float64)}},
    "other_names": {"train": lambda x, y, steps: {"v": torch.zeros(1, dtype=torch.float64)}},
    "other_shape": {"train": lambda x, y, steps: {"w": torch.zeros(1, 1, dtype=torch.float64)}},
}
RIGHT = ("right", "in_place", "list_for_tuple", "other_order")


def touched(suite, variant):
    """The suite with only the checks that a variant can change."""
    names = set(VARIANTS[variant])
    checks = {name: check for name, check in suite.checks.items() if not names or names & set(check.uses)}
    return replace(suite, checks=checks)


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_modes_agree(variant, suite, public_suite, cases, socket_student):
    """Author, student and grader, here and over a socket, give one status, score, mistake and public message."""
    namespace = {**suite.reference, **VARIANTS[variant]}
    author = Author(touched(suite, variant))
    recorded = Recorded(touched(public_suite, variant), cases, full=True)
    grader = Grader(touched(suite, variant), KEY)

    first = run_suite(local_student(namespace), author)
    second = run_suite(local_student(namespace), recorded)
    third = run_suite(socket_student(namespace), grader)

    assert [replace(v, seconds=0) for v in first] == [replace(v, seconds=0) for v in second]
    assert [(v.check, v.status, v.earned, v.mistake) for v in first] == [
        (v.check, v.status, v.earned, v.mistake) for v in third
    ]
    assert all(v.status == "passed" for v in first) == (variant in RIGHT)


@pytest.mark.parametrize(
    ("variant", "check", "name"),
    [
        ("adds", "scaling", "adds"),
        ("divides", "scaling", "divides"),
        ("own_mistake", "scaling", None),
        ("adds", "ambiguous", "adds"),
        ("divides", "ambiguous", None),
        ("unsigned", "odd", "unsigned"),
        ("zeroes_its_input", "odd", None),
        ("sums", "mean_square", "sums"),
        ("right", "scaling", None),
    ],
)
def test_a_mistake_is_named_only_when_it_is_the_one(variant, check, name, suite):
    """The name needs equal outputs and no second mistake that would explain them."""
    verdict = run_check(suite[check], local_student({**suite.reference, **VARIANTS[variant]}), Author(suite))

    assert verdict.mistake == name


def test_a_mistake_must_explain_every_case(suite):
    """Who makes a mistake in one case only is told where it is wrong, and no name."""
    calls = []

    def sometimes(x, factor):
        calls.append(1)
        return x + factor if len(calls) == 1 else x * factor

    verdict = run_check(suite["scaling"], local_student({"scale": sometimes}), Author(suite))

    assert (verdict.status, verdict.mistake, len(calls)) == ("failed", None, 3)


def test_a_class_can_be_a_mistake(suite):
    """A mistake may replace a class, whose objects live on the student's side."""

    class Wrong(torch.nn.Module):
        def __init__(self, size):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(size, dtype=torch.float64))

        def forward(self, x):
            return x + 0

    verdict = run_check(suite["line"], local_student({"Line": Wrong}), Author(suite))

    assert verdict.mistake == "Ignores"


def test_messages_say_where(suite):
    """A public message has the quantity, the first index, both values and both shapes."""

    def off(x, factor):
        result = x * factor
        result[1, 2] = 7.0
        return result

    verdict = run_check(suite["scaling"], local_student({"scale": off}), Author(suite))

    rows = dict(verdict.rows)
    assert verdict.message.startswith("scale(x, factor) at [1, 2] is 7; expected ")
    assert rows["First index that differs"] == "[1, 2]"
    assert rows["Got"] == "7"
    assert rows["Expected shape"] == rows["Your shape"]


@pytest.mark.parametrize(
    ("namespace", "check", "status", "message"),
    [
        (
            {"scale": lambda x, factor: None},
            "scaling",
            "failed",
            "scale(x, factor) is None; expected a tensor of shape [4, 3]. Does the function end with return?",
        ),
        (
            {"scale": lambda x, factor: (x * factor).float()},
            "scaling",
            "failed",
            "scale(x, factor) has dtype float32; expected float64.",
        ),
        (
            {"scale": lambda x, factor: x[0]},
            "scaling",
            "failed",
            "scale(x, factor) has shape [3]; expected [4, 3].",
        ),
        ({"split": lambda x: (x[0],)}, "splitting", "failed", "split(x) has 1 part; expected 2 parts."),
        (
            {"split": lambda x: (x[0], 2)},
            "splitting",
            "failed",
            "split(x)[1] is the int 2; expected a tensor of shape [3].",
        ),
        ({}, "scaling", "missing", "scale is not defined."),
        ({"scale": not_written}, "scaling", "missing", "scale is not written yet."),
        (
            {"scale": raises},
            "scaling",
            "error",
            'Your code raised ValueError: no\nIn raises, line 2: raise ValueError("no")',
        ),
        (
            {"loss": lambda x: LyingFloat(1)},
            "mean_square",
            "failed",
            "loss returned a value that cannot be checked: its type LyingFloat is a subclass of float; "
            "a plain float is asked.",
        ),
    ],
)
def test_public_messages(namespace, check, status, message, suite):
    """Every way to be wrong has its own sentence."""
    verdict = run_check(suite[check], local_student(namespace), Author(suite))

    assert (verdict.status, verdict.message) == (status, message)


@pytest.mark.parametrize("variant", VARIANTS)
def test_secret_messages_give_nothing_away(variant, suite):
    """On secret cases no message has a digit of a value or an index, and there are no rows."""
    grader = Grader(touched(suite, variant), KEY)

    verdicts = run_suite(local_student({**suite.reference, **VARIANTS[variant]}), grader)

    for verdict in verdicts:
        assert verdict.rows == ()
        assert "." not in verdict.message.rstrip(".").replace(". ", "")
        assert "[" not in verdict.message


def test_a_secret_case_cannot_be_raised_out(suite):
    """An exception's text and its type's name, both of which a student chooses, stay out of a secret message."""

    def tells(x, factor):
        raise type(f"Value{factor}", (ValueError,), {})(f"the input is {x.tolist()}")

    verdict = run_check(suite["scaling"], local_student({"scale": tells}), Grader(suite, KEY))

    assert verdict.message == "Your code raised an exception."


def test_one_score_under_many_keys(suite):
    """A right student gets all points under every course key, and the seeds differ."""
    student = local_student(suite.reference)

    runs = [run_suite(student, Grader(suite, bytes([key]) * 32)) for key in range(4)]

    assert {sum(v.earned for v in run) for run in runs} == {suite.points}
    assert len({run[0].seed_digest for run in runs}) == 4


def test_a_smoke_run_earns_nothing(public_suite, cases, suite):
    """The short form of a slow check can pass, and gives no points."""
    verdict = run_check(suite["training"], local_student(suite.reference), Recorded(public_suite, cases))

    assert (verdict.status, verdict.smoke, verdict.earned) == ("passed", True, 0)
