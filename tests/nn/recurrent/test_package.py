"""The package imports its parts when they are first used."""

import importlib
import subprocess
import sys

import pytest

import seqlib.nn.recurrent as package


def test_every_name_is_where_the_table_says():
    """Each listed name can be had, is defined in the module named beside it, and is public there."""
    for name, home in package._HOME.items():
        module = importlib.import_module(f"{package.__name__}.{home}")
        assert getattr(package, name) is getattr(module, name)
        assert name in module.__all__
        assert name in dir(package)


def test_names_that_are_absent_are_attribute_errors():
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match=r"^module 'seqlib\.nn\.recurrent' has no attribute 'lstm'$"):
        package.lstm  # noqa: B018 -- the access is the act


def test_a_module_that_is_left_out_breaks_nothing_else():
    """Without bptt.py and clipping.py the rest imports, and the missing name says which module it lived in."""
    program = """
import sys
sys.modules["seqlib.nn.recurrent.clipping"] = None
sys.modules["seqlib.nn.recurrent.bptt"] = None
import seqlib.nn.recurrent as package
from seqlib.nn.recurrent import CharModel, RNN, many_to_many, singular_values
try:
    package.clip_by_norm
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.strip() == (
        "clip_by_norm lives in seqlib.nn.recurrent.clipping, which this edition of the course leaves out"
    )


def test_importing_the_package_imports_no_model():
    """The table alone is read: torch and the models wait until a name is used."""
    program = (
        "import sys, seqlib.nn.recurrent; print('torch' in sys.modules, 'seqlib.nn.recurrent.layer' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.split() == ["False", "False"]
