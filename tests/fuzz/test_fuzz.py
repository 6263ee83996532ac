"""A short run of the fuzzers; `python -m tests.fuzz` is the long one."""

import random

from seqlib.grading.outputs import NotebookOutputs, OutputLimits
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


def test_what_is_shown_is_text_or_json():
    """A bundle whose names and values do not fit loses what does not: found by the fuzzer."""
    outputs = NotebookOutputs(OutputLimits()).cell()
    outputs.add("display_data", {"data": {"text/htmadata": {}, "text/plain": "x", "application/json": {"a": 1}}})

    assert outputs.finished()[0]["data"] == {"text/plain": "x", "application/json": {"a": 1}}
