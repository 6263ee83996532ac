"""Forbidden shortcuts are found however they are written, and nothing else is."""

import pytest

from seqlib.grading.forbidden import find_forbidden
from seqlib.grading.submitted import Cell

FORBIDDEN = ["torch.nn.RNN", "torch.cumsum", "numpy"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch\ntorch.cumsum(x, 0)", ["torch.cumsum"]),
        ("import torch.nn as n\nn . \\\n RNN(3, 4)", ["torch.nn.RNN"]),
        ("from torch.nn import RNN as layer\nlayer(3, 4)", ["torch.nn.RNN"] * 2),
        ("import torch\ntorch.nn.\uff32\uff2e\uff2e(3, 4)", ["torch.nn.RNN"]),  # fullwidth letters: the same name
        ("import \U0001d427umpy", ["numpy"]),
        ("import torch\ntorch.sum(x)\ncumsum = RNN = 1", []),
        ("def f(:\n    torch.cumsum", []),
        ("x = '\ud800'\nimport torch\ntorch.tanh(x)", []),
    ],
)
def test_names_are_found_however_they_are_written(source, names):
    """Aliases, line breaks and letters that Python reads as others; a cell that is no Python is passed over."""
    cells = [Cell(kind="markdown", source="torch.cumsum"), Cell(kind="code", source=source)]

    assert [found.name for found in find_forbidden(cells, FORBIDDEN)] == names
