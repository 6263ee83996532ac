"""The one check of sizes says which tensor, what it should be, and who said so."""

import pytest
import torch

from seqlib.errors import ShapeError
from seqlib.nn.sizes import require_sizes


def test_sizes_that_fit_pass_with_any_leading_axes():
    """Letters agree, leading axes are free under `...`, and None is skipped."""
    require_sizes(
        x=(torch.zeros(7, 2, 3), "... i"), y=(torch.zeros(3), "... i"), U=(torch.zeros(4, 3), "h i"), z=(None, "h")
    )


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"x": (torch.zeros(5, 2), "b t i")},
            "x has shape (5, 2), which is not [b t i]: it has 2 axes, not 3.\nHint: pass x with shape (b, t, i).",
        ),
        (
            {"x": (torch.zeros(2, 3), "b i"), "U": (torch.zeros(4, 5), "h i")},
            "U has shape (4, 5), which is not [h i]: i is 3 in x.\nHint: pass U with shape (4, 3).",
        ),
        (
            {"h": (torch.zeros(2, 4), "b h"), "x": (torch.zeros(2, 3), "b i"), "U": (torch.zeros(3, 4), "h i")},
            "U has shape (3, 4), which is not [h i]: h is 4 in h.\nHint: pass U with shape (4, 3); U.mT has it.",
        ),
        (
            {"W": (torch.zeros(2, 4), "h h")},
            "W has shape (2, 4), which is not [h h]: h is 2 in W.\nHint: pass W with shape (2, 2).",
        ),
        (
            {"h": (torch.zeros(4), "h"), "b": (torch.zeros(3), "h")},
            "b has shape (3,), which is not [h]: h is 4 in h.\nHint: pass b with shape (4,).",
        ),
        (
            {"h": (torch.zeros(4), "h"), "x": (torch.zeros(()), "... h")},
            "x has shape (), which is not [... h]: it has 0 axes, not 1.\nHint: pass x with shape (..., 4).",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_named(tensors, message):
    """The whole message, with the offending shape, the reason and the shape that would fit."""
    with pytest.raises(ShapeError) as caught:
        require_sizes(**tensors)

    assert str(caught.value) == message
