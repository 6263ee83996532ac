"""A vanilla recurrent network does not learn to add two numbers 100 steps apart, although it can when they are near."""

from dataclasses import dataclass, replace

import torch

from seqlib.claims.claim import Claim, Measured
from seqlib.claims.recurrent.adder import Adder, squared_error, train
from seqlib.data.tasks import adding
from seqlib.train import recipes
from seqlib.train.seeds import stream
from seqlib.train.settings import Settings

__all__ = ["CLAIM"]

_FORGOTTEN_MSE = 0.12  # against 1/6, which is reached by always saying 1
_LEARNED_MSE = 0.05


@dataclass(frozen=True, kw_only=True)
class _Adding:
    training: Settings
    hidden: int = 32
    long: int = 200
    short: int = 10
    tested: int = 2000


def _experiment(seed: int, settings: _Adding) -> Measured:
    return {"long_mse": _mse(seed, settings.long, settings), "short_mse": _mse(seed, settings.short, settings)}


def _mse(seed: int, length: int, settings: _Adding) -> float:
    model = Adder(settings.hidden, seed)
    train(model, length, replace(settings.training, seed=seed))
    with torch.no_grad():
        return squared_error(model, *adding(settings.tested, length, stream(seed, "test"))).item()


def _holds(measured: Measured) -> bool:
    return measured["long_mse"] >= _FORGOTTEN_MSE and measured["short_mse"] <= _LEARNED_MSE


_SETTINGS = _Adding(training=recipes.adding())

CLAIM = Claim(
    name="rnn_forgets",
    source="lecture 2: the problem of long-range dependence; Hochreiter and Schmidhuber 1997, section 5.4",
    statement="A tanh RNN stays at the variance of the adding problem at 200 steps, and solves it at 10.",
    criterion=f"after {_SETTINGS.training.steps} steps, mse >= {_FORGOTTEN_MSE} at length {_SETTINGS.long} "
    f"(the variance is 0.167) and <= {_LEARNED_MSE} at length {_SETTINGS.short}",
    experiment=_experiment,
    holds=_holds,
    settings=_SETTINGS,
    seconds=50.0,
)
