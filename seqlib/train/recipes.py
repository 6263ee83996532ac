"""Recipes: each function returns the complete settings of one run; vary one with `dataclasses.replace`."""

from seqlib.train.settings import Settings

__all__ = ["adding", "characters", "clipping"]


def adding(seed: int = 0) -> Settings:
    """Train on the adding problem: as many steps as an LSTM of 32 units needs to solve it at 200 time steps."""
    return Settings(steps=1000, learning_rate=5e-3, max_norm=1.0, seed=seed)


def characters(seed: int = 0) -> Settings:
    """Train a character model on windows of text."""
    return Settings(steps=400, learning_rate=5e-3, max_norm=1.0, seed=seed)


def clipping(seed: int = 0) -> Settings:
    """Train by gradient descent with momentum, fast enough that a gradient that explodes ends the run."""
    return Settings(
        steps=1500, learning_rate=0.1, optimiser="sgd", momentum=0.9, seed=seed, divergence_loss=1e4, max_norm=None
    )
