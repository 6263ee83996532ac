"""The trellis of CTC: every way to read a target out of the frames, summed forward and backward in log space."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from seqlib.errors import WidgetError
from seqlib.shapes import Float, Tensor
from seqlib.widgets.modules import inline
from seqlib.widgets.stepper import Stepper

__all__ = ["CtcTrellisStepper"]

BLANK = 0


class CtcTrellisStepper(Stepper):
    r"""Step through $\alpha_t(s) = y_t(l'_s) \sum \alpha_{t-1}$, then $\beta$, then the share $\alpha \beta / p(l)$.

    Args:
        log_probs: Log probabilities of each symbol at each frame; symbol 0 is the blank.
        target: The symbols to read, without blanks.
        symbols: What each symbol is called; the blank is shown as "–".
        title: What the stepper shows.
        predict: Questions by step, see `Stepper`.

    Raises:
        WidgetError: A target symbol is the blank or unknown, or the frames are too few for the target.

    Source: Graves et al. 2006, section 4.1, equations 5 to 10.
    """

    _esm = inline("ctc_trellis")

    def __init__(
        self,
        log_probs: Float[Tensor, "t n"],
        target: Sequence[int],
        symbols: Sequence[str],
        *,
        title: str = "CTC: all alignments at once",
        predict: Mapping[int, str | Mapping[str, Any]] | None = None,
    ) -> None:
        _check(log_probs, target, symbols)
        path = [BLANK, *(symbol for wanted in target for symbol in (wanted, BLANK))]
        skips = [s >= 2 and path[s] != BLANK and path[s] != path[s - 2] for s in range(len(path))]
        rows = log_probs.double()[:, path].tolist()
        alpha = _forward(rows, skips)
        # Read from both ends the trellis is the same, and a skip to s becomes one to its mirror image.
        mirrored = [False, False, *reversed(skips[2:])]
        beta = [row[::-1] for row in _forward([row[::-1] for row in reversed(rows)], mirrored)][::-1]
        total = _log_sum(alpha[-1][-2:])
        share = [
            [math.exp(a + b - y - total) for a, b, y in zip(*at, strict=True)]
            for at in zip(alpha, beta, rows, strict=True)
        ]
        names = ["–" if symbol == BLANK else symbols[symbol] for symbol in path]
        super().__init__(
            {key: torch.tensor(value) for key, value in dict(alpha=alpha, beta=beta, y=rows, share=share).items()},
            _texts(names, alpha, beta, share, total),
            title=title,
            labels={"path": names, "skips": skips, "total": total},
            predict=predict,
        )


def _check(log_probs: Tensor, target: Sequence[int], symbols: Sequence[str]) -> None:
    times, count = log_probs.shape
    if strange := [symbol for symbol in target if not 0 < symbol < count]:
        raise WidgetError(
            f"target symbol {strange[0]} is not between 1 and {count - 1}.", "0 is the blank: leave it out."
        )
    if not target or len(symbols) != count:
        raise WidgetError(
            f"{len(target)} target and {count} symbols, {len(symbols)} names.", "name each symbol, blank too."
        )
    need = len(target) + sum(a == b for a, b in zip(target, target[1:], strict=False))
    if times < need:
        raise WidgetError(
            f"{times} frames cannot spell the target: it needs {need}.", "a repeat needs a blank between."
        )


def _log_sum(values: Sequence[float]) -> float:
    top = max(values)
    return top if math.isinf(top) else top + math.log(sum(math.exp(value - top) for value in values))


def _forward(rows: list[list[float]], skips: list[bool]) -> list[list[float]]:
    table = [[rows[0][s] if s < 2 else -math.inf for s in range(len(skips))]]
    for row in rows[1:]:
        last = table[-1]
        table.append([row[s] + _log_sum(last[max(0, s - 1 - skip) : s + 1]) for s, skip in enumerate(skips)])
    return table


def _texts(names: list[str], alpha: list, beta: list, share: list, total: float) -> list[str]:
    times = range(len(alpha))
    forward = [f"Forward, t = {t + 1}: the prefixes so far weigh {math.exp(_log_sum(alpha[t])):.3g}." for t in times]
    forward[-1] += f" Both ends together give p(l) = {math.exp(total):.3g}."
    back = [f"Backward, t = {t + 1}: the suffixes weigh {math.exp(_log_sum(beta[t])):.3g}." for t in reversed(times)]
    best = [max(range(len(names)), key=row.__getitem__) for row in share]
    path = " ".join(names[s] for s in best)
    return [*forward, *back, f"Forward times backward: the most likely place at each frame reads {path}."]
