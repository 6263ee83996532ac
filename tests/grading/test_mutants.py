"""The mutation table counts a wrong variant only under exactly its own name."""

import pytest

from seqlib.errors import ReleaseError
from seqlib.grading.mutants import read_variants, run_mutants
from seqlib.grading.source import find_source


def run(toy_root, exercise=None):
    return run_mutants(find_source("a0_toy", toy_root), exercise=exercise)


def append(toy_root, name, text):
    path = toy_root / "solutions/a0_toy" / name
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_every_toy_variant_is_told_apart(toy_root):
    """The four wrong variants are killed by their own names and the two right ones pass."""
    outcomes = run(toy_root)

    assert len(outcomes) == 6
    assert all(outcome.good for outcome in outcomes)
    assert {(o.variant, o.names) for o in outcomes if o.kind == "wrong"} == {
        (name, (name,)) for name in ("first_axis", "without_itself", "swapped", "no_tanh")
    }


@pytest.mark.parametrize(
    ("file", "formula", "told"),
    [
        ("wrong/leak.py", "h + alpha * (x.tanh() - h)", "passed every check"),
        ("wrong/leak.py", "h", "failed leak; named: no mistake"),
        ("wrong/leak.py", "(1 - alpha) * h + alpha * x", "failed leak; named: no_tanh"),
        ("right/leak.py", "(1 - alpha) * h + alpha * x", "failed leak; named: no_tanh"),
    ],
    ids=["survives", "unnamed", "misnamed", "not right"],
)
def test_whatever_is_not_exactly_so_does_not_count(toy_root, file, formula, told):
    """A survivor, an unnamed one, a misnamed one and a right variant that fails are each shown as faults."""
    append(toy_root, file, f"\n\n# %% another\ndef leak(x, h, alpha):\n    return {formula}\n")

    faults = [outcome for outcome in run(toy_root, "leak") if not outcome.good]

    assert [fault.told for fault in faults] == [told]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("\n\n# %% two words\n", "names a variant 'two words'"),
        ("\n\n# %% swapped\n", "names a variant 'swapped'"),
        ("\n\n# %% open\ndef leak(:\n", "is no Python"),
        ("\n\n# %% broken\nraise ValueError('x')\n", "does not run: x"),
    ],
)
def test_a_faulty_variant_file_is_one_line(toy_root, code, what):
    """A variant without a name, with another's name, or that does not run is named with its file."""
    append(toy_root, "wrong/leak.py", code)

    with pytest.raises(ReleaseError) as refused:
        run(toy_root, "leak")

    assert what in refused.value.what
    assert "wrong/leak.py" in refused.value.what


def test_a_line_number_in_a_variant_is_that_of_its_file(toy_root):
    """Tracebacks and errors in a variant point at its line in the file."""
    variants = {name: code for _, _, name, code in read_variants(find_source("a0_toy", toy_root))}
    text = (toy_root / "solutions/a0_toy/wrong/leak.py").read_text("utf-8").splitlines()

    assert text[variants["no_tanh"].body[-1].lineno - 1].startswith("def leak")
