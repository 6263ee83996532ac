"""Figures: what is drawn is what was given, and what can't be drawn says why."""

import itertools

import matplotlib as mpl
import pytest
import torch

from seqlib.errors import ShapeError
from seqlib.plots import COLOURS, curves, figure, gradient_by_lag, ribbon

mpl.use("Agg")


@pytest.fixture
def ax():
    """One axes of a figure that is closed afterwards."""
    fig, axes = figure()
    yield axes
    mpl.pyplot.close(fig)


def contrast(a, b):
    """The contrast of two colours as WCAG 2 defines it."""

    def luminance(colour):
        rgb = torch.tensor(mpl.colors.to_rgb(colour))
        linear = torch.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ torch.tensor([0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_lines_are_seen_on_both_pages(page):
    """Each colour has the 3 : 1 that WCAG asks of graphics, on a light and on a dark page."""
    assert min(contrast(colour, page) for colour in COLOURS) >= 3


def test_curves_draw_the_values(ax):
    """Each line has the values that were given, and its name stands at its end."""
    curves(ax, {"a": [1.0, 2.0], "b": torch.tensor([3.0, 5.0])})

    assert [list(line.get_ydata()) for line in ax.lines] == [[1.0, 2.0], [3.0, 5.0]]
    assert {text.get_text() for text in ax.texts} == {"a", "b"}


def test_names_of_lines_that_meet_stay_apart(ax):
    """Lines that end in one point have names one above the other."""
    curves(ax, {"a": [1.0, 2.0], "b": [3.0, 2.0], "c": [0.0, 2.0]})

    heights = sorted(text.xy[1] for text in ax.texts)
    assert min(b - a for a, b in itertools.pairwise(heights)) > 0.06


def test_gradients_are_on_a_logarithmic_axis(ax):
    """A gradient that halves at each step is a straight line."""
    gradient_by_lag(ax, {"halving": [2.0**-k for k in range(5)]})

    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(
    ("lines", "x", "what"),
    [
        ({}, None, "there is no line to draw."),
        ({"a": []}, None, "line 'a' has 0 values for 0 places on the axis."),
        ({"a": [1.0]}, [1, 2], "line 'a' has 1 values for 2 places on the axis."),
    ],
)
def test_lines_that_cannot_be_drawn(ax, lines, x, what):
    """Nothing to draw, an empty line, or a line of another length is an error with its sizes."""
    with pytest.raises(ShapeError) as caught:
        curves(ax, lines, x=x)

    assert caught.value.what == what


def test_ribbon_wants_a_value_a_character(ax):
    """A value too few is an error."""
    with pytest.raises(ShapeError) as caught:
        ribbon(ax, "abc", [0.0])

    assert str(caught.value) == ("1 values were given for 3 characters.\nHint: pass one value for each character.")
