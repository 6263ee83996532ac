"""Far back in time, the gradient of a linear recurrence shrinks or grows by the spectral radius at each step."""

import math
from dataclasses import dataclass

import torch

from seqlib.claims.claim import Claim, Measured
from seqlib.nn.recurrent.jacobian import spectral_radius
from seqlib.nn.recurrent.linear import linear_recurrence
from seqlib.train.seeds import stream

__all__ = ["CLAIM"]

_TOLERANCE = 0.02


@dataclass(frozen=True, kw_only=True)
class _Slope:
    hidden: int = 32
    # Two eigenvalues that nearly tie delay the limit: at 500 steps they move the slope by at most 0.2 / 500.
    steps: int = 1000
    gradients: int = 64
    radii: tuple[float, ...] = (0.8, 0.95, 1.05, 1.2)


def _experiment(seed: int, settings: _Slope) -> Measured:
    errors = []
    for radius in settings.radii:
        generator = stream(seed, f"matrix of radius {radius}")
        W = _symmetric(settings.hidden, radius, generator)
        rate = _slope(_log_norms(W, settings, generator)[settings.steps // 2 :])
        errors.append(abs(rate / math.log(spectral_radius(W)) - 1))
    return {"largest_relative_error": max(errors)}


def _symmetric(hidden: int, radius: float, generator: torch.Generator) -> torch.Tensor:
    drawn = torch.randn(hidden, hidden, generator=generator, dtype=torch.float64)
    W = drawn + drawn.T
    return W * radius / spectral_radius(W)


def _log_norms(W: torch.Tensor, settings: _Slope, generator: torch.Generator) -> torch.Tensor:
    """Give the log norm of the gradient at each lag behind the last step, by autograd.

    Each input is added to its state, so the gradient of an input is the gradient of that state.
    """
    x = torch.zeros(settings.gradients, settings.steps, settings.hidden, dtype=W.dtype, requires_grad=True)
    last = linear_recurrence(x, W)[:, -1]
    wanted = torch.randn(last.shape, generator=generator, dtype=W.dtype)
    (gradient,) = torch.autograd.grad((last * wanted).sum(), x)
    return gradient.norm(dim=(0, 2)).log().flip(0)


def _slope(values: torch.Tensor) -> float:
    """Fit a line by least squares."""
    lags = torch.arange(len(values), dtype=values.dtype)
    lags -= lags.mean()
    return float(lags @ values / (lags @ lags))


_SETTINGS = _Slope()

CLAIM = Claim(
    name="gradient_slope",
    source="lecture 2: the chain of Jacobians; Pascanu, Mikolov and Bengio 2013, section 2.1",
    statement="For a symmetric W, the log of the gradient's norm falls or rises by log of the spectral radius a step.",
    criterion=f"slope within {_TOLERANCE:.0%} of log radius, for the radii {_SETTINGS.radii}",
    experiment=_experiment,
    holds=lambda measured: measured["largest_relative_error"] <= _TOLERANCE,
    settings=_SETTINGS,
    seconds=1.0,
)
