"""Lines with their names at their ends, so that no legend has to be looked up."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes

from seqlib.errors import ShapeError
from seqlib.plots.style import COLOURS

__all__ = ["curves", "gradient_by_lag"]

_ROOM = 0.07  # of the axis, between two names


def curves(
    ax: Axes, lines: Mapping[str, Sequence[float] | torch.Tensor], *, x: Sequence[float] | Sequence[int] | None = None
) -> None:
    """Draw each line over its index, or over `x`, and write its name where it ends.

    Raises:
        ShapeError: There is no line, a line is empty, or its length is not that of `x`.
    """
    if not lines:
        raise ShapeError("there is no line to draw.", "pass at least one, by name.")
    ends = []
    for number, (name, values) in enumerate(lines.items()):
        points = [float(value) for value in values]
        over = list(range(1, len(points) + 1)) if x is None else list(x)
        if not points or len(points) != len(over):
            raise ShapeError(
                f"line {name!r} has {len(points)} values for {len(over)} places on the axis.",
                "give each place on the axis one value.",
            )
        colour = COLOURS[number % len(COLOURS)]
        ax.plot(over, points, color=colour)
        ends.append((float(over[-1]), points[-1], name, colour))
    _name_ends(ax, ends)


def gradient_by_lag(ax: Axes, norms: Mapping[str, Sequence[float] | torch.Tensor]) -> None:
    """Draw how the norm of a gradient changes as it goes back in time, on a logarithmic axis."""
    ax.set_yscale("log")
    curves(ax, norms)
    ax.set_xlabel("steps back in time")
    ax.set_ylabel("norm of the gradient")


def _name_ends(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    (
        ax.get_figure(root=True) or plt.gcf()
    ).draw_without_rendering()  # settles the limits, which the places of the names depend on
    to_axes = ax.transData + ax.transAxes.inverted()
    floor = -1.0
    for x, y, name, colour in sorted(ends, key=lambda end: end[1]):
        height = max(float(to_axes.transform((x, y))[1]), floor + _ROOM)
        floor = height
        ax.annotate(
            name,
            (1.015, height),
            xycoords="axes fraction",
            color=colour,
            va="center",
            annotation_clip=False,
            fontsize=10,
        )
