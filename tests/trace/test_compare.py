"""Where two recordings part."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from seqlib.trace import Recording, compare


def rec(**arrays):
    return Recording.from_arrays({name: torch.tensor(value) for name, value in arrays.items()})


@given(st.integers(0, 4), st.integers(0, 2))
def test_first_changed_entry_is_found(frame, position):
    """Whichever entry is changed, it is the one that is reported."""
    right = torch.arange(15, dtype=torch.float64).reshape(5, 3)
    left = right.clone()
    left[frame, position] += 1

    found = compare(Recording.from_arrays({"h": left}), Recording.from_arrays({"h": right}))

    assert found is not None
    assert (found.name, found.index, found.position) == ("h", frame, (position,))


def test_equal_recordings_have_no_difference():
    """Equal values, infinities and not-a-numbers included, do not differ."""
    values = [[1.0, float("inf")], [float("nan"), 0.0]]

    assert compare(rec(h=values), rec(h=values)) is None


def test_order_is_the_right_ones():
    """The first difference is first in the order in which the right recording was made."""
    found = compare(rec(b=[1.0], a=[1.0]), rec(a=[2.0], b=[2.0]))

    assert found is not None
    assert found.name == "a"


def test_shapes_are_compared_before_values():
    """A frame of another shape is told by both shapes, never broadcast."""
    found = compare(rec(h=[[1.0]]), rec(h=[[1.0, 1.0]]))

    assert str(found) == "h, frame 0: shape (1,) against (2,)"


def test_missing_and_extra_frames():
    """A step too few and a step too many are both differences."""
    assert str(compare(rec(h=[1.0]), rec(h=[1.0, 2.0]))) == "h, frame 1: missing on the left"
    assert str(compare(rec(h=[1.0, 2.0]), rec(h=[1.0]))) == "h, frame 1: missing on the right"


def test_names_of_one_side_only_are_left_out():
    """A recording with fewer taps is compared on what it has."""
    assert compare(rec(h=[1.0]), rec(a=[5.0], h=[1.0])) is None
