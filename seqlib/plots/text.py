"""A text whose characters are coloured by a number each."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes

from seqlib.errors import ShapeError
from seqlib.plots.style import INK

__all__ = ["ribbon"]

_PUOR = plt.get_cmap("PuOr_r")


def ribbon(ax: Axes, text: str, values: Sequence[float] | torch.Tensor, *, columns: int = 84) -> None:
    """Write a text in lines, each character on a patch coloured from -1 (purple) over 0 to 1 (orange).

    Raises:
        ShapeError: There is not one value for each character.

    >>> from seqlib.plots import figure
    >>> fig, ax = figure()
    >>> ribbon(ax, "ab", [0.0, 1.0])
    >>> len(ax.patches), len(ax.texts)
    (2, 2)
    >>> plt.close(fig)
    """
    numbers = [float(value) for value in values]
    if len(numbers) != len(text):
        raise ShapeError(
            f"{len(numbers)} values were given for {len(text)} characters.", "pass one value for each character."
        )
    lines = -(-len(text) // columns)
    for place, (character, value) in enumerate(zip(text, numbers, strict=True)):
        row, column = divmod(place, columns)
        colour = _PUOR(0.5 + 0.5 * max(-1.0, min(1.0, value)))
        ax.add_patch(plt.Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="none"))
        dark = abs(value) > 0.6
        shown = {"\n": "↵", "\t": "→"}.get(character, character)
        ax.text(
            column + 0.5, row + 0.55, shown, ha="center", va="center", family="monospace", fontsize=8.5,
            color="white" if dark else "#222",
        )  # fmt: skip
    ax.set(xlim=(0, columns), ylim=(lines, 0))
    ax.axis("off")
    ax.set_title("purple: -1    orange: +1", fontsize=9, color=INK)
