"""A job has one form and one digest, and refuses what is none."""

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlib.errors import GradingError
from seqlib.grading.jobs import DEVICES, Facts, Job

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.text(min_size=1, max_size=40).filter(lambda name: "\0" not in name and name.isprintable())
LIMITS = st.dictionaries(NAMES, st.one_of(st.integers(0, 2**40), st.floats(0, 1e9)), max_size=4)
FIELDS = st.fixed_dictionaries(
    {
        "assignment": NAMES,
        "student": NAMES,
        "submission": HEX,
        "checks": HEX,
        "environment": st.one_of(st.just(""), HEX),
        "limits": LIMITS.map(lambda limits: tuple(limits.items())),
        "device": st.sampled_from(DEVICES),
    }
)
JOB = Job(assignment="a1", student="ada", submission="5" * 64, checks="c" * 64, limits=(("cell_s", 30),))


@given(FIELDS)
def test_a_job_survives_its_json(fields):
    """Read back it is equal, also in its digest, and its form is plain ASCII on one line."""
    job = Job(**fields)
    text = job.to_json()

    assert Job.from_json(text) == job
    assert Job.from_json(text).digest == job.digest
    assert text.isascii()
    assert "\n" not in text


def test_the_order_of_limits_does_not_matter():
    """Equal jobs are equal in every byte, also where one says 30.0 and the other 30."""
    one = replace(JOB, limits=(("cell_s", 30.0), ("memory", 5)))
    other = replace(JOB, limits=(("memory", 5), ("cell_s", 30)))

    assert (one, one.digest) == (other, other.digest)


@pytest.mark.parametrize(
    "change",
    [
        {"assignment": "a2"},
        {"student": "bob"},
        {"submission": "6" * 64},
        {"checks": "d" * 64},
        {"environment": "e" * 64},
        {"limits": (("cell_s", 31),)},
        {"device": "cuda"},
    ],
)
def test_every_field_counts(change):
    """What may change a verdict changes the digest."""
    assert replace(JOB, **change).digest != JOB.digest


def test_the_digest_stays():
    """Stores hold digests for years: this one may only change together with a new table."""
    assert JOB.digest == "a8c254661fe2016a22c6d2cb98cb5af138d82bf66c5c4021c7671dfd31ce40db"
    assert pickle.loads(pickle.dumps(JOB)).digest == JOB.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": ""}, "its student is ''"),
        ({"student": "a\0b"}, "its student is 'a"),
        ({"student": "x" * 256}, "its student is 'xxx"),
        ({"submission": "5" * 63}, "its submission is '555"),
        ({"submission": ""}, "its submission is ''"),
        ({"checks": "C" * 64}, "its checks is 'CCC"),
        ({"environment": "new"}, "its environment is 'new'"),
        ({"device": "tpu"}, "its device is 'tpu'"),
        ({"limits": (("cell_s", float("inf")),)}, "is no size"),
        ({"limits": (("cell_s", -1),)}, "is no size"),
        ({"limits": (("cell_s", 1), ("cell_s", 2))}, "a limit stands twice"),
    ],
)
def test_what_is_no_job_is_refused(change, message):
    """The error names the field and what it holds."""
    with pytest.raises(GradingError, match=message):
        replace(JOB, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": None}, "device is of type NoneType"),
        ({"limits": [["cell_s", 1]]}, "limits is of type list"),
        ({"limits": {"cell_s": True}}, "the limit cell_s is of type bool"),
        ({"student": 5}, "student is of type int"),
        ({"more": 1}, "its names are not assignment, checks,"),
    ],
)
def test_json_that_is_no_job_is_refused(change, message):
    """Types are exact, and nothing is missing or more."""
    text = json.dumps(json.loads(JOB.to_json()) | change)

    with pytest.raises(GradingError, match=message):
        Job.from_json(text)


@pytest.mark.parametrize("text", ["", "[]", "nothing", "[" * 100_000, "{}"])
def test_any_other_text_is_refused(text):
    """Broken, empty or too deep: one error of ours."""
    with pytest.raises(GradingError, match="this is no job"):
        Job.from_json(text)
    with pytest.raises(GradingError, match="this is no run"):
        Facts.from_json(text)
