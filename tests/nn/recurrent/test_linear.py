"""The linear recurrence and its closed form."""

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ShapeError
from seqlib.nn.recurrent import linear_recurrence
from seqlib.trace import recording


def test_equals_its_closed_form(draw):
    """h_t is W^t h_0 plus each input times the powers of W since."""
    x, W, h0 = draw(2, 5, 3), draw(3, 3), draw(2, 3)

    states = linear_recurrence(x, W, h0)

    for t in range(5):
        power = torch.linalg.matrix_power
        expected = h0 @ power(W, t + 1).mT + sum(x[:, k] @ power(W, t - k).mT for k in range(t + 1))
        assert_close(states[:, t], expected, rtol=1e-12, atol=1e-12)


def test_is_linear_and_recorded(draw):
    """A sum of inputs gives the sum of states; x and h are recorded at each step."""
    x, y, W = draw(2, 5, 3), draw(2, 5, 3), draw(3, 3)

    with recording() as frames:
        both = linear_recurrence(x + y, W)

    assert_close(both, linear_recurrence(x, W) + linear_recurrence(y, W), rtol=1e-12, atol=1e-12)
    assert_close(frames["h"].transpose(0, 1), both, rtol=0, atol=0)
    assert_close(frames["x"].transpose(0, 1), x + y, rtol=0, atol=0)


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named():
    """W must fit what it multiplies."""
    with pytest.raises(ShapeError) as caught:
        linear_recurrence(torch.zeros(2, 5, 3), torch.zeros(4, 4))

    assert str(caught.value) == (
        "W has shape (4, 4), which is not [h h]: h is 3 in x.\nHint: pass W with shape (3, 3)."
    )
