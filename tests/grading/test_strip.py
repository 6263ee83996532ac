"""The public half of the checks: what stays, what goes, and what is refused."""

from pathlib import Path

import pytest

from seqlib.errors import ReleaseError
from seqlib.grading.strip import public_checks, secret_spans

HEAD = """
import torch
import answers_elsewhere
from seqlib.checks.registry import check, inputs, mistake
from seqlib.nn import recurrent

@inputs
def numbers(case):
    return case.randn(3)

@mistake("One too many.", replaces="f")
def one_more(x):
    return x + 1 + 0 * torch.ones(1)

def right(x):
    return x * 1.0

REFERENCE = {"f": right}
"""


def strip(tmp_path: Path, body: str, answers: tuple[str, ...] = ()) -> str:
    path = tmp_path / "checks.py"
    path.write_text(HEAD + body, "utf-8")
    return public_checks(path, answers)


def test_thunks_references_and_mistakes_go(tmp_path):
    """The check and its input maker stay; the reference, the lambda and the mistake's code do not."""
    text = strip(
        tmp_path,
        "@check(points=1, mistakes=[one_more])\n"
        "def f(student, case):\n"
        "    x = case.numbers()\n"
        "    case.close(student.f(x), lambda: right(x), rtol=1e-6, what='f')\n",
    )

    assert "case.close(student.f(x), rtol=1e-06, what='f')" in text
    assert "one_more = named('one_more', 'One too many.')" in text
    for secret in ("right", "REFERENCE", "lambda", "torch", "answers_elsewhere", "recurrent"):
        assert secret not in text


def test_a_thunk_by_name_or_in_a_local_function_goes(tmp_path):
    """A thunk may be a local function or come by its keyword; both go with what only they used."""
    text = strip(
        tmp_path,
        "@check(points=1)\n"
        "def f(student, case):\n"
        "    x = case.numbers()\n"
        "    def wanted():\n"
        "        return right(x)\n"
        "    case.close(student.f(x), wanted)\n"
        "    case.equal(student.f(x), expected=lambda: right(x))\n",
    )

    assert "wanted" not in text
    assert "right" not in text


def test_a_thunk_handed_to_a_helper_goes(tmp_path):
    """A lambda with an answer in it that goes to a helper becomes None, and the helper stays."""
    text = strip(
        tmp_path,
        "def both(case, actual, expected):\n"
        "    case.close(actual, expected)\n"
        "@check(points=1)\n"
        "def f(student, case):\n"
        "    both(case, student.f(case.numbers()), lambda: right(1))\n",
    )

    assert "both(case, student.f(case.numbers()), None)" in text
    assert "def both(case, actual, expected):" in text


def test_helpers_are_kept_only_when_reached(tmp_path):
    """A helper that a check calls stays, one that only a reference calls goes."""
    text = strip(
        tmp_path,
        "LIMIT = 3\n"
        "HIDDEN = 4\n"
        "def small(x):\n    return x < LIMIT\n"
        "def only_for_answers(x):\n    return HIDDEN\n"
        "@check(points=1)\n"
        "def f(student, case):\n"
        "    case.require(small(2), 'small')\n",
    )

    assert "LIMIT = 3" in text
    assert "HIDDEN" not in text
    assert "only_for_answers" not in text


@pytest.mark.parametrize(
    "line",
    [
        "    wanted = right(case.numbers())\n    case.close(student.f(1), lambda: wanted)\n",
        "    case.require(REFERENCE['f'](1) == student.f(1), 'equal')\n",
        "    case.require(computed == student.f(1), 'equal')\n",
        "    case.require(recurrent.rnn(1) == 1, 'equal')\n",
        "    case.require(beside.answer(1) == 1, 'equal')\n",
    ],
)
def test_an_answer_outside_a_thunk_is_refused(tmp_path, line):
    """A check that computes an answer by itself can't be made public; the line is named."""
    (tmp_path / "beside.py").write_text("def answer(x): return x\n", "utf-8")

    with pytest.raises(ReleaseError) as refused:
        strip(
            tmp_path,
            f"import beside\ncomputed = right(3)\n@check(points=1)\ndef f(student, case):\n{line}",
            answers=("seqlib.nn.recurrent",),
        )

    assert "which is an answer" in refused.value.what
    assert "checks.py line " in refused.value.what


def test_secret_spans_name_all_that_goes(tmp_path):
    """References, mistakes and thunks are secret; checks and input makers are not."""
    path = tmp_path / "checks.py"
    body = "@check(points=1)\ndef f(student, case):\n    case.close(student.f(1), lambda: right(1) + 0)\n"
    path.write_text(HEAD + body, "utf-8")

    spans = "\n".join(secret_spans(path))

    assert "x * 1.0" in spans
    assert "x + 1 + 0 * torch.ones(1)" in spans
    assert "right(1) + 0" in spans
    assert "case.randn" not in spans
