"""The trellis of CTC: every way to read a target out of the frames, summed forward and backward in log space."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch

from seqlib.errors import WidgetError
from seqlib.shapes import Float, Tensor
from seqlib.widgets.modules import inline
from seqlib.widgets.stepper import Stepper

__all__ = ["CtcTrellisStepper"]


class CtcTrellisStepper(Stepper):
    r"""Step through $\alpha_t(s) = y_t(l'_s) \sum \alpha_{t-1}$, then $\beta$, then the share of each place.

    Args:
        log_probs: Log probabilities of each symbol at each frame; symbol 0 is the blank.
        target: The symbols to read, without blanks.
        symbols: What each symbol is called, the blank too.
        title: What the stepper shows.

    Raises:
        WidgetError: The target is empty, holds a blank, or needs more frames than there are.

    Source: Graves et al. 2006, section 4.1, equations 5 to 10.
    """

    _esm = inline("ctc_trellis")

    def __init__(
        self,
        log_probs: Float[Tensor, "t n"],
        target: Sequence[int],
        symbols: Sequence[str],
        *,
        title: str = "CTC: every alignment at once",
    ) -> None:
        _check(len(log_probs), target, len(symbols))
        path = [0, *(symbol for wanted in target for symbol in (wanted, 0))]
        skips = [s > 1 and path[s] not in (0, path[s - 2]) for s in range(len(path))]
        y = log_probs.double()[:, path].tolist()
        alpha = _forward(y, skips)
        # Read from both ends the trellis is the same, and a skip to s becomes one to its mirror image.
        beta = [row[::-1] for row in _forward([row[::-1] for row in y[::-1]], [False, False, *skips[:1:-1]])[::-1]]
        total = _log_sum(alpha[-1][-2:])
        columns = zip(alpha, beta, y, strict=True)
        share = [[math.exp(a + b - p - total) for a, b, p in zip(*column, strict=True)] for column in columns]
        names = [symbols[symbol] for symbol in path]
        arrays = {"alpha": alpha, "beta": beta, "y": y, "share": share}
        super().__init__(
            {name: torch.tensor(rows) for name, rows in arrays.items()},
            _texts(names, alpha, beta, share, total),
            title=title,
            labels={"path": names, "skips": skips, "total": total},
        )


def _check(times: int, target: Sequence[int], count: int) -> None:
    if not target or any(not 0 < symbol < count for symbol in target):
        raise WidgetError(f"target {list(target)} is not made of symbols 1 to {count - 1}.", "leave the blank, 0, out.")
    need = len(target) + sum(a == b for a, b in pairwise(target))
    if times < need:
        raise WidgetError(
            f"{times} frames cannot spell the target: it needs {need}.", "a repeat needs a blank between."
        )


def _log_sum(values: Sequence[float]) -> float:
    top = max(values)
    return top if math.isinf(top) else top + math.log(sum(math.exp(value - top) for value in values))


def _forward(y: list[list[float]], skips: list[bool]) -> list[list[float]]:
    table = [[y[0][s] if s < 2 else -math.inf for s in range(len(skips))]]
    for row in y[1:]:
        last = table[-1]
        table.append([row[s] + _log_sum(last[max(0, s - 1 - skip) : s + 1]) for s, skip in enumerate(skips)])
    return table


def _texts(names: list[str], alpha: list, beta: list, share: list, total: float) -> list[str]:
    forward = [f"Forward, t = {t}: the beginnings weigh {math.exp(_log_sum(a)):.3g}." for t, a in enumerate(alpha, 1)]
    back = [f"Backward, t = {t}: the endings weigh {math.exp(_log_sum(b)):.3g}." for t, b in enumerate(beta, 1)]
    best = " ".join(names[max(range(len(names)), key=row.__getitem__)] for row in share)
    forward[-1] += f" The last two cells together are p(l) = {math.exp(total):.3g}."
    return [*forward, *back[::-1], f"Forward times backward: the most likely place at each frame reads {best}."]
