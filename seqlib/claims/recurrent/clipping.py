"""One training run, twice: it diverges, and with its gradients clipped it converges."""

from dataclasses import dataclass, replace

from seqlib.claims.claim import Claim, Measured
from seqlib.claims.recurrent.adder import Adder, train
from seqlib.train import recipes
from seqlib.train.settings import Settings

__all__ = ["CLAIM"]

_CONVERGED_MSE = 0.05
_LAST = 100


@dataclass(frozen=True, kw_only=True)
class _Clipping:
    training: Settings
    max_norm: float = 0.1
    hidden: int = 32
    length: int = 10
    radius: float = 1.5


def _experiment(seed: int, settings: _Clipping) -> Measured:
    free, clipped = (
        train(
            Adder(settings.hidden, seed, settings.radius),
            settings.length,
            replace(settings.training, seed=seed, max_norm=max_norm),
        )
        for max_norm in (None, settings.max_norm)
    )
    return {
        "unclipped_steps_until_diverged": settings.training.steps if free.diverged_at is None else free.diverged_at,
        "clipped_steps": len(clipped),
        "clipped_mse": clipped.smoothed(_LAST)[-1],
    }


def _holds(measured: Measured) -> bool:
    return (
        measured["unclipped_steps_until_diverged"] < measured["clipped_steps"]
        and measured["clipped_steps"] == _SETTINGS.training.steps
        and measured["clipped_mse"] <= _CONVERGED_MSE
    )


_SETTINGS = _Clipping(training=recipes.clipping())

CLAIM = Claim(
    name="clipping_converges",
    source="lecture 2: clipping; Pascanu, Mikolov and Bengio 2013, section 3.2",
    statement="Clipping the gradient's norm turns a run that diverges into one that converges.",
    criterion=f"unclipped, the loss is not finite or above {_SETTINGS.training.divergence_loss:g}; clipped, all steps "
    f"are made and mse <= {_CONVERGED_MSE} over the last {_LAST} (the variance is 0.167)",
    experiment=_experiment,
    holds=_holds,
    settings=_SETTINGS,
    seconds=5.0,
)
