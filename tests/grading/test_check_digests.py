"""A change in the checks changes the digests of those that it may touch, and only of those."""

import pytest

from seqlib.errors import GradingError
from seqlib.grading.check_digests import check_digests

CHECKS = '''
"""Checks."""
import torch
from helpers import tidy
SCALE = 2

def double(x):
    return SCALE * x

def mean(x):
    return x.mean()

REFERENCE = {"double": double, "mean": mean}

@mistake("Adds.", replaces="double")
def adds(x):
    return x + 2

@inputs
def series(case):
    return case.randn(3)

@check(points=2, mistakes=[adds], uses=["double"])
def doubling(student, case):
    case.close(student.double(case.series()), lambda: REFERENCE["double"](1))

@check(points=3, uses=["mean"])
def time_mean(student, case):
    case.close(student.mean(case.randn(4)), lambda: REFERENCE["mean"](1))
'''


@pytest.fixture
def digests(tmp_path):
    """The digests of both checks, of a changed text."""
    (tmp_path / "helpers.py").write_text("tidy = 1\n")
    (tmp_path / "other.py").write_text("1\n")

    def of(old="", new="", public=()):
        assert old in CHECKS
        (tmp_path / "checks.py").write_text(CHECKS.replace(old, new, 1) if old else CHECKS)
        return check_digests(tmp_path / "checks.py", ["doubling", "time_mean"], dict(public))

    return of


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("(1))\n\n@check", "(2))\n\n@check", ["doubling"]),
        ("points=3", "points=4", ["time_mean"]),
        ("x + 2", "x + 3", ["doubling"]),
        ("randn(3)", "randn(5)", ["doubling"]),
        ("SCALE = 2", "SCALE = 3", ["doubling"]),
        ("x.mean()", "x.mean(0)", ["time_mean"]),
        ("import torch", "import torch  # why", []),
        ('"""Checks."""', '"""All checks."""', []),
        ("SCALE = 2", "SCALE = 2\ntorch.manual_seed(1)", ["doubling", "time_mean"]),
        ("x + 2", "globals()['x']", ["doubling", "time_mean"]),
        ('REFERENCE["mean"](1)', "dict(REFERENCE)", ["time_mean"]),
    ],
)
def test_a_change_counts_for_what_uses_it(digests, old, new, changed):
    """By way of names, attributes, texts and answers; comments are nothing."""
    before, after = digests(), digests(old, new)

    assert [name for name in before if before[name] != after[name]] == changed


def test_files_that_are_mentioned_count_for_all(digests, tmp_path):
    """One that the checks import does, one that lies there does not; what students are given does."""
    before = digests()
    (tmp_path / "other.py").write_text("2\n")
    assert digests() == before
    assert all(digests(public={"data.txt": b"1"})[name] != before[name] for name in before)
    (tmp_path / "helpers.py").write_text("tidy = 2\n")
    assert all(digests()[name] != before[name] for name in before)


def test_what_is_no_python_is_one_line(tmp_path):
    """The error names the file."""
    (tmp_path / "checks.py").write_text("def")

    with pytest.raises(GradingError, match=r"checks\.py can't be read"):
        check_digests(tmp_path / "checks.py", ["a"], {})
