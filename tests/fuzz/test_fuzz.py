"""A short run of the fuzzers; `python -m tests.fuzz` is the long one."""

import random

from tests.fuzz.answers import Answers
from tests.fuzz.outputs import Outputs


def test_mutated_answers_break_nothing_and_earn_nothing():
    """Whatever a process answers, the check ends with a verdict without points."""
    with Answers(random.Random(1)) as answers:
        outcomes = [answers.one() for _ in range(400)]

    assert {earned for _, earned in outcomes} == {0}
    assert len({status for status, _ in outcomes}) > 1


def test_mutated_outputs_stay_small_and_valid():
    """Whatever a cell's process sends, what is kept is a valid notebook's, within limits."""
    outputs = Outputs(random.Random(1))

    assert len({outputs.one() for _ in range(300)}) > 1
