"""The training loop: draw a batch, find the gradient, clip it, step."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from seqlib.errors import TrainError
from seqlib.train.checkpoint import restore, store
from seqlib.train.history import History
from seqlib.train.seeds import seeded, stream
from seqlib.train.settings import Settings

__all__ = ["fit"]

_REDRAW_S = 0.2


def fit(
    model: nn.Module,
    loss_fn: Callable[..., Tensor],
    batches: Callable[[torch.Generator], tuple[Any, ...]],
    settings: Settings,
    *,
    evaluate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    checkpoint: str | Path | None = None,
    on_divergence: Literal["raise", "stop"] = "raise",
    progress: bool = True,
    label: str = "training",
) -> History:
    """Train `model` in place for `settings.steps` optimiser steps.

    Args:
        model: What is trained.
        loss_fn: `loss_fn(model, *batch)`, a single number to make small.
        batches: Draws one batch with the generator that it is given, so that a resumed run draws the same ones.
        settings: The numbers of this run.
        evaluate: Called now and then, with the model in evaluation mode and without gradients.
        checkpoint: A file to resume from where it is there, and to write to. A run that was interrupted and
            resumed gives the same weights and curves, bit for bit, as one that was not.
        on_divergence: Whether a loss or gradient that can't be used is an error or the end of the run.
        progress: Whether to show a bar.
        label: What the bar says.

    Returns:
        The curves, with `diverged_at` where the run was stopped.

    Raises:
        TrainError: The run diverged, or the checkpoint belongs to another run.

    >>> model = nn.Linear(1, 1)
    >>> def batch(generator):
    ...     x = torch.rand(8, 1, generator=generator)
    ...     return x, 3 * x
    >>> settings = Settings(steps=300, learning_rate=0.1)
    >>> curves = fit(model, lambda model, x, y: (model(x) - y).square().mean(), batch, settings, progress=False)
    >>> curves.loss[-1] < 0.01
    True
    """
    model.to(settings.device).train()
    optimiser = _optimiser(model, settings)
    generator = stream(settings.seed, "batches")
    history = History()
    file = None if checkpoint is None else Path(checkpoint)
    with seeded(settings.seed, "training", settings.device):
        if file is not None and file.exists():
            history = restore(file, model, optimiser, generator, settings)
        first = len(history)
        bar = tqdm(
            total=settings.steps, initial=first, desc=label, disable=not progress, leave=False, mininterval=_REDRAW_S
        )
        with bar:
            for step in range(first, settings.steps):
                started = time.perf_counter()
                usable = _step(model, loss_fn, batches(generator), optimiser, settings, history)
                history.seconds += time.perf_counter() - started
                if not usable:
                    _report_divergence(history, step, on_divergence)
                    break
                done = step + 1
                if evaluate is not None and (done % settings.evaluate_every == 0 or done == settings.steps):
                    history.evaluations.append((done, _evaluated(model, evaluate, settings)))
                if file is not None and (done % settings.checkpoint_every == 0 or done == settings.steps):
                    store(file, model, optimiser, generator, history, settings)
                bar.set_postfix_str(f"loss {history.loss[-1]:.4g}", refresh=False)
                bar.update()
    return history


def _optimiser(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    if settings.optimiser == "adam":
        return torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    return torch.optim.SGD(model.parameters(), lr=settings.learning_rate, momentum=settings.momentum)


def _step(
    model: nn.Module,
    loss_fn: Callable[..., Tensor],
    batch: tuple[Any, ...],
    optimiser: torch.optim.Optimizer,
    settings: Settings,
    history: History,
) -> bool:
    """Make one step, and say whether it could be made; where it could not, the weights stay as they were."""
    moved = (part.to(settings.device) if isinstance(part, Tensor) else part for part in batch)
    optimiser.zero_grad()
    loss = loss_fn(model, *moved)
    loss.backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    history.loss.append(loss.item())
    history.gradient_norm.append(norm.item())
    finite = math.isfinite(history.loss[-1]) and math.isfinite(history.gradient_norm[-1])
    if not finite or history.loss[-1] > settings.divergence_loss:
        return False
    if settings.max_norm is not None:
        nn.utils.clip_grads_with_norm_(model.parameters(), settings.max_norm, norm)
    optimiser.step()
    return True


def _report_divergence(history: History, step: int, on_divergence: str) -> None:
    history.diverged_at = step
    if on_divergence == "raise":
        before = f", {history.loss[-2]:.4g} one step before" if step else ""
        raise TrainError(
            f"training diverged at step {step}: loss {history.loss[-1]:.4g}, "
            f"gradient norm {history.gradient_norm[-1]:.4g}{before}.",
            "lower learning_rate, or set max_norm so that a large gradient is clipped.",
        )


def _evaluated(
    model: nn.Module, evaluate: Callable[[nn.Module], Mapping[str, float]], settings: Settings
) -> dict[str, float]:
    """Evaluate without a trace in the run: each time from the same seed, and training's generators stay put."""
    model.eval()
    with torch.no_grad(), seeded(settings.seed, "evaluation", settings.device):
        values = {name: float(value) for name, value in evaluate(model).items()}
    model.train()
    return values
