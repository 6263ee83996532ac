"""The style of every figure: transparent, grey text that reads on white and on black, colours told apart by all."""

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "figure"]

INK = "#7d7d7d"  # 4.2 : 1 on white, 5.0 : 1 on #111: one grey for both pages
# Orange, blue, green and purple of Okabe and Ito 2008, darkened or lightened to 3 : 1 on white and on #111.
COLOURS = ("#c2760c", "#3d8fd1", "#1f9e77", "#b3679b", "#8a8a8a")

_STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "font.size": 10.5,
    "lines.linewidth": 2,
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
}


def figure(columns: int = 1, *, width: float = 7.4, height: float = 2.7, **options: Any) -> tuple[Figure, Any]:
    """Open a figure in the house style, with one axes or a row of them.

    Args:
        columns: Axes beside one another.
        width: In inches, of the whole figure.
        height: In inches.
        options: What `matplotlib.pyplot.subplots` takes besides, such as `sharey=True`.

    Returns:
        The figure, and its axes: one, or an array of `columns`.

    >>> fig, ax = figure()
    >>> ax.get_facecolor()[3]  # transparent
    0.0
    >>> plt.close(fig)
    """
    # Not rc_context: it would also undo that a notebook turns on drawing when the first figure opens.
    before = {name: plt.rcParams[name] for name in _STYLE}
    plt.rcParams.update(_STYLE)
    try:
        return plt.subplots(1, columns, figsize=(width, height), **options)
    finally:
        plt.rcParams.update(before)
