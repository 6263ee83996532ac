"""A checks file becomes a suite, or one line says why not."""

import pickle

import pytest
import torch

from seqlib.checks.case import Case, live_answer
from seqlib.checks.faults import CheckFailed, StudentFault
from seqlib.checks.recorded import RecordedCases, record_cases
from seqlib.checks.registry import check, load_suite, mistake, named, suite_of
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError


def test_a_suite_keeps_the_order_of_its_file(suite):
    """Checks stand in the order of their file, with the points that stand there alone."""
    assert list(suite.checks)[:3] == ["scaling", "ambiguous", "mean_square"]
    assert suite.points == 100
    assert suite["scaling"].title == "Multiplies by the factor."


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, "there are no checks at {path}."),
        ("x = 1", "toy defines no check."),
        ("import no_such_module", "{path} does not run: ModuleNotFoundError: No module named 'no_such_module'"),
        (
            "from seqlib.checks.registry import check\n@check(points=-1)\ndef a(student, case): ...",
            "a check has -1 points and 3 cases.",
        ),
        (
            "from seqlib.checks.registry import check, named\nm = named('m', 's')\n"
            "@check(points=1, mistakes=[m, m])\ndef a(student, case): ...",
            "the check a lists a mistake twice.",
        ),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, text, what):
    """Each way in which a checks file can be wrong has its own sentence."""
    path = tmp_path / "checks.py"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    with pytest.raises(GradingError) as error:
        load_suite(path, "toy")

    assert error.value.what == what.format(path=path)


def test_recording_twice_gives_the_same_bytes(suite):
    """The file of cases is a function of the suite."""
    first, second = record_cases(suite).to_bytes(), record_cases(suite).to_bytes()

    assert first == second


def test_recorded_values_come_back(suite, cases, tmp_path):
    """Tensors, floats, tuples and dicts are read as they were kept."""
    path = tmp_path / "cases.safetensors"
    path.write_bytes(cases.to_bytes({"checks_public.py": "00"}))

    back = RecordedCases.load(path)

    assert isinstance(back.get("scaling/0/0/expected"), torch.Tensor)
    assert type(back.get("mean_square/0/0/expected")) is float
    assert [t.shape for t in back.get("splitting/0/0/expected")] == [(), (3,)]
    assert list(back.get("line/0/0/expected")) == ["weight"]
    assert "scaling/0/0/mistake/adds" in back.tensors
    assert "training~smoke/0/0/expected" in back.forms


@pytest.mark.parametrize("data", [b"", b"12345678", b"\x02\0\0\0\0\0\0\0{}", b"\xff" * 40])
def test_a_file_that_is_not_ours_is_refused(tmp_path, data):
    """Any other file in its place is one error."""
    path = tmp_path / "cases.safetensors"
    path.write_bytes(data)

    with pytest.raises(GradingError, match="is no file of recorded cases"):
        RecordedCases.load(path)


def test_a_reference_that_fails_is_not_recorded():
    """The release stops where the reference does not pass its own check."""

    @check(points=1)
    def wrong(student, case):
        case.close(student.f(1.0), lambda: 2.0, what="f(1)")

    with pytest.raises(GradingError) as error:
        record_cases(suite_of({"wrong": wrong, "REFERENCE": {"f": lambda x: x}}, "toy"))

    assert error.value.what == "the reference fails the check wrong in case 0: f(1) is 1; expected 2."


def test_a_mistake_that_cannot_show_is_not_recorded():
    """A listed mistake whose values are right in every case would never be named."""

    @mistake("It is the same.", replaces="f")
    def same(x):
        return x + 1.0

    @check(points=1, mistakes=[same])
    def blind(student, case):
        case.close(student.f(1.0), lambda: 2.0)

    with pytest.raises(GradingError) as error:
        record_cases(suite_of({"blind": blind, "REFERENCE": {"f": lambda x: x + 1.0}}, "toy"))

    assert error.value.what == "the check blind cannot see the mistake same: its values are right in every case."


def test_a_named_mistake_has_no_code():
    """The students' edition has names and sentences only."""
    with pytest.raises(GradingError) as error:
        named("w_transposed", "W is transposed.")(1)

    assert error.value.what == "the mistake w_transposed is only named here."


def test_cases_repeat(suite):
    """Equal seeds give equal inputs, and another case gives others."""
    one, two, other = (Case(bytes([n]) * 8, live_answer, suite.inputs) for n in (1, 1, 2))

    assert torch.equal(one.randn(3), two.randn(3))
    assert not torch.equal(one.randn(3), other.randn(3))
    assert all(1 <= one.randint(1, 3) <= 3 for _ in range(50))
    assert one.choice("a") == "a"
    assert sorted(one.permutation(4).tolist()) == [0, 1, 2, 3]


def test_numeric_gradients_are_gradients(rng):
    """Central differences of outside calls equal autograd to the square of the step."""
    case = Case(b"12345678", live_answer)
    x = torch.randn(2, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    (exact,) = torch.autograd.grad(x.sin().sum(), x)

    numeric = case.numeric_gradient(lambda z: z.sin().sum(), x.detach())

    torch.testing.assert_close(numeric, exact, rtol=0, atol=1e-9)  # step 1e-5: error about 1e-10 / 6


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (None, "return a dict of tensors with the names W, b."),
        ({"W": 1.0, "b": 2.0, "extra": 3.0}, "return a dict of tensors with the names W, b."),
        (
            {"W": torch.full((2, 2), torch.nan, dtype=torch.float64), "b": torch.zeros(2, dtype=torch.float64)},
            "the weights W are not all finite; did training diverge?",
        ),
    ],
)
def test_weights_are_declared(reply, message):
    """Only the declared table passes: names, and finite values."""
    case = Case(b"12345678", live_answer)

    with pytest.raises(CheckFailed) as error:
        case.weights(reply, {"W": (2, 2), "b": (2,)})

    assert error.value.message == message


@pytest.mark.parametrize(("W", "kind"), [(torch.zeros(2, 2), "dtype"), (torch.zeros(2, 1), "shape"), (1.0, "type")])
def test_weights_have_a_form(W, kind):
    """A weight of another dtype, shape or type is named with both."""
    case = Case(b"12345678", live_answer)

    with pytest.raises(CheckFailed) as error:
        case.weights({"W": W}, {"W": (2, 2)})

    assert (error.value.what, error.value.mismatch.kind) == ("weights['W']", kind)


def test_a_fault_survives_pickling():
    """A fault crosses processes with all that it says."""
    fault = pickle.loads(pickle.dumps(StudentFault("exception", "no", "ValueError", "f", 3, "raise")))

    assert (fault.kind, fault.what, fault.error, fault.function, fault.line, fault.source) == (
        "exception",
        "no",
        "ValueError",
        "f",
        3,
        "raise",
    )


@pytest.mark.parametrize(
    "change",
    [{"earned": 5}, {"earned": -1}, {"status": "failed"}, {"status": "perfect"}, {"points": float("nan")}],
)
def test_a_verdict_cannot_earn_too_much(change):
    """Only a passed check earns points, and no more than its own."""
    fields = {"check": "a", "points": 4, "earned": 4, "status": "passed", "message": "", **change}

    with pytest.raises(GradingError):
        Verdict(**fields)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"check": 1}', "[" * 10_000])
def test_a_text_that_is_no_verdict_is_refused(text):
    """Any other JSON is one error."""
    with pytest.raises(GradingError, match="this is no verdict"):
        Verdict.from_json(text)
