"""Backpropagation through time written out by hand is what autograd computes."""

from dataclasses import dataclass

import torch

from seqlib.claims.claim import Claim, Measured
from seqlib.nn.recurrent.bptt import backward, forward
from seqlib.nn.recurrent.parameters import uniform_parameters
from seqlib.train.seeds import stream

__all__ = ["CLAIM"]

_TOLERANCE = 1e-10


@dataclass(frozen=True, kw_only=True)
class _Bptt:
    networks: int = 10
    largest: int = 12
    longest: int = 40


def _experiment(seed: int, settings: _Bptt) -> Measured:
    generator = stream(seed, "networks")
    return {"largest_relative_error": max(_error(settings, generator) for _ in range(settings.networks))}


def _error(settings: _Bptt, generator: torch.Generator) -> float:
    """Draw a network, sequences and targets of random sizes, and compare all gradients."""
    batch, inputs, hidden, classes = (_size(settings.largest, generator) for _ in range(4))
    steps = _size(settings.longest, generator)
    drawn = uniform_parameters(inputs, hidden, classes, generator, torch.float64)
    x = torch.randn(batch, steps, inputs, generator=generator, dtype=torch.float64)
    h0 = torch.randn(batch, hidden, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes, (batch, steps), generator=generator)

    by_hand = backward(drawn, x, targets, forward(drawn, x, targets, h0))
    leaves = [tensor.clone().requires_grad_() for tensor in (*drawn, x, h0)]
    parameters = type(drawn)(*leaves[:5])
    by_autograd = torch.autograd.grad(forward(parameters, leaves[5], targets, leaves[6]).loss, leaves)
    pairs = zip((*by_hand.total, by_hand.inputs, by_hand.states[:, 0]), by_autograd, strict=True)
    return max(_relative(ours, theirs) for ours, theirs in pairs)


def _relative(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    tiny = torch.finfo(theirs.dtype).tiny  # one class has no gradient at all
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=tiny))


def _size(largest: int, generator: torch.Generator) -> int:
    return int(torch.randint(2, largest + 1, (), generator=generator))


_SETTINGS = _Bptt()

CLAIM = Claim(
    name="bptt_equals_autograd",
    source="lecture 2: backpropagation through time; Goodfellow, Bengio and Courville 2016, section 10.2.2",
    statement="The backward pass written out as a sum over time equals autograd's, for all five parameters, "
    "the inputs and the first state.",
    criterion=f"relative difference <= {_TOLERANCE:g} in float64, over {_SETTINGS.networks} networks of random sizes",
    experiment=_experiment,
    holds=lambda measured: measured["largest_relative_error"] <= _TOLERANCE,
    settings=_SETTINGS,
    seconds=1.0,
)
