"""The error tree."""

import pickle

import pytest

from seqlib import errors


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_survive_pickling(name):
    """An error that crosses a process boundary still says what and what next."""
    error = getattr(errors, name)("the what.", "the next action.")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert str(copy) == "the what.\nHint: the next action."


def test_tree_in_docstring_is_the_tree():
    """Every error of the module stands in the picture in its docstring, and nothing else does."""
    drawn = {line.split()[1] for line in errors.__doc__.splitlines() if line.strip().startswith(("├──", "└──"))}

    assert drawn | {"SeqlibError"} == set(errors.__all__)
