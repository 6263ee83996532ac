"""What a training run is told: one frozen value, complete, with no default taken from anywhere else."""

import math
from dataclasses import dataclass
from typing import Literal

from seqlib.errors import TrainError

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The numbers of one training run; vary them with `dataclasses.replace`.

    Attributes:
        steps: Optimiser steps, a resumed run's earlier ones counted in.
        learning_rate: The optimiser's step size.
        optimiser: `adam`, or `sgd` with `momentum`.
        momentum: Read by `sgd` only.
        max_norm: Gradients whose norm is above it are scaled down to it; None leaves them.
        seed: Of the batches and of whatever the model itself draws, such as dropout.
        device: Where the model and its batches go.
        divergence_loss: A loss above it counts as diverged, as one that is not finite always does.
        evaluate_every: Steps between evaluations, where `fit` is given one.
        checkpoint_every: Steps between checkpoints, where `fit` is given a file.

    >>> from dataclasses import replace
    >>> replace(Settings(steps=100, learning_rate=0.01), max_norm=1.0).max_norm
    1.0
    """

    steps: int
    learning_rate: float
    optimiser: Literal["adam", "sgd"] = "adam"
    momentum: float = 0.0
    max_norm: float | None = None
    seed: int = 0
    device: str = "cpu"
    divergence_loss: float = math.inf
    evaluate_every: int = 100
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "learning_rate", "max_norm", "evaluate_every", "checkpoint_every"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise TrainError(f"{name} is {value}.", f"give {name} a number above 0.")
        if self.optimiser not in ("adam", "sgd"):
            raise TrainError(f"optimiser is {self.optimiser!r}.", "use 'adam' or 'sgd'.")
