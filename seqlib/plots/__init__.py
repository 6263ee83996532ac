"""Arrays and recordings drawn on matplotlib axes, in one style that reads on a light and on a dark page."""

from seqlib.plots.lines import curves, gradient_by_lag
from seqlib.plots.style import COLOURS, figure
from seqlib.plots.text import ribbon

__all__ = ["COLOURS", "curves", "figure", "gradient_by_lag", "ribbon"]
