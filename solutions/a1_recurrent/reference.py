"""What each exercise should return: vectorised, with gradients from autograd, never shipped to students.

Unlike the solution in a1_recurrent.py: no loop over the batch, no gradient by hand, so the two can check each other.
"""

import math

import torch

from seqlib.shapes import Float, Int, Tensor

PAD = -1

# Planted for the leak test: canary-reference-5b1e90c4.
Weights = tuple[Tensor, Tensor, Tensor, Tensor, Tensor] | list[Tensor]


def embed(ids: Int[Tensor, "t b"], E: Float[Tensor, "n i"]) -> Float[Tensor, "t b i"]:
    """Look up one row of `E` for each character; padding is a row of zeros."""
    return E[ids.clamp(min=0)] * (ids != PAD).unsqueeze(-1)


def character_loss(logits: Float[Tensor, "t b n"], targets: Int[Tensor, "t b"]) -> Float[Tensor, ""]:
    """Mean negative log likelihood, in nats, of the characters that are no padding."""
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)


def leaky_step(
    x: Float[Tensor, "b i"],
    h: Float[Tensor, "b h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> Float[Tensor, "b h"]:
    """Move each unit the share alpha of the way to tanh(W h + U x + b)."""
    return h + alpha * (torch.tanh(h @ W.mT + x @ U.mT + b) - h)


def leaky_run(
    x: Float[Tensor, "t b i"],
    lengths: Int[Tensor, " b"],
    h0: Float[Tensor, "b h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> Float[Tensor, "t b h"]:
    """All states in time; a sequence that has ended keeps its last state."""
    h, states = h0, []
    for t in range(len(x)):
        h = torch.where((t < lengths)[:, None], leaky_step(x[t], h, W, U, b, alpha), h)
        states.append(h)
    return torch.stack(states)


def _from_rest(x: Tensor, lengths: Tensor, weights: Weights, alpha: Tensor) -> Tensor:
    W, U, b, _, _ = weights
    return leaky_run(x, lengths, x.new_zeros(x.shape[1], len(b)), W, U, b, alpha)


def many_to_many(
    x: Float[Tensor, "t b i"], lengths: Int[Tensor, " b"], weights: Weights, alpha: Float[Tensor, " h"]
) -> Float[Tensor, "t b o"]:
    """Logits at every step; zeros after the end of a sequence."""
    valid = torch.arange(len(x))[:, None] < lengths
    return (_from_rest(x, lengths, weights, alpha) @ weights[3].mT + weights[4]) * valid.unsqueeze(-1)


def many_to_one(
    x: Float[Tensor, "t b i"], lengths: Int[Tensor, " b"], weights: Weights, alpha: Float[Tensor, " h"]
) -> Float[Tensor, "b o"]:
    """Logits of the last valid state."""
    return _from_rest(x, lengths, weights, alpha)[-1] @ weights[3].mT + weights[4]


def one_to_many(
    x: Float[Tensor, "b i"], steps: int, weights: Weights, alpha: Float[Tensor, " h"]
) -> Float[Tensor, "t b o"]:
    """Logits of `steps` steps; the input enters at the first one only."""
    inputs = torch.cat([x[None], x.new_zeros(steps - 1, *x.shape)])
    return many_to_many(inputs, torch.full((len(x),), steps), weights, alpha)


def one_to_one(x: Float[Tensor, "b i"], weights: Weights, alpha: Float[Tensor, " h"]) -> Float[Tensor, "b o"]:
    """Logits after one step from rest."""
    return one_to_many(x, 1, weights, alpha)[0]


def logit_gradient(logits: Float[Tensor, "t b n"], targets: Int[Tensor, "t b"]) -> Float[Tensor, "t b n"]:
    """Gradient of the character loss with respect to each logit."""
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(character_loss(logits, targets), logits)[0]


def step_backward(
    dh: Float[Tensor, "b h"],
    x: Float[Tensor, "b i"],
    h: Float[Tensor, "b h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> list[Tensor]:
    """Gradients dx, dh, dW, dU, db of <dh, leaky_step(x, h)>."""
    leaves = [leaf.clone().requires_grad_() for leaf in (x, h, W, U, b)]
    return list(torch.autograd.grad(leaky_step(*leaves, alpha), leaves, dh))


def bptt(
    x: Float[Tensor, "t b i"],
    targets: Int[Tensor, "t b"],
    lengths: Int[Tensor, " b"],
    weights: Weights,
    alpha: Float[Tensor, " h"],
) -> list[Tensor]:
    """Gradients dW, dU, db, dV, dc, dx of the character loss of `many_to_many`."""
    leaves = [leaf.clone().requires_grad_() for leaf in (*weights, x)]
    loss = character_loss(many_to_many(leaves[-1], lengths, leaves[:-1], alpha), targets)
    return list(torch.autograd.grad(loss, leaves))


def clip_gradients(gradients: dict[str, Tensor], max_norm: float) -> list:
    """Gradients scaled to a joint norm of at most `max_norm`, and the norm before; all zeros where it is not finite."""
    norm = torch.cat([gradient.flatten() for gradient in gradients.values()]).norm()
    if not torch.isfinite(norm):
        return [{name: torch.zeros_like(old) for name, old in gradients.items()}, torch.full_like(norm, math.inf)]
    return [{name: old * torch.clamp(max_norm / norm, max=1.0) for name, old in gradients.items()}, norm]


def truncated_gradient(
    x: Float[Tensor, "t b i"],
    dh: Float[Tensor, "b h"],
    k: int,
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> Float[Tensor, "t b i"]:
    """Gradient of <dh, last state> with respect to the inputs, cut k steps before the end."""
    leaf, cut = x.clone().requires_grad_(), len(x) - k
    h = x.new_zeros(x.shape[1], len(b))
    for t in range(len(x)):
        h = leaky_step(leaf[t], h.detach() if t == cut else h, W, U, b, alpha)
    return torch.autograd.grad(h, leaf, dh)[0]


def step_jacobian(
    x: Float[Tensor, " i"],
    h: Float[Tensor, " h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> Float[Tensor, "h h"]:
    """Derivative of the new state (rows) with respect to the old one (columns)."""
    return torch.autograd.functional.jacobian(lambda state: leaky_step(x[None], state[None], W, U, b, alpha)[0], h)


def jacobian_report(
    x: Float[Tensor, "t i"],
    h0: Float[Tensor, " h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, " h"],
    alpha: Float[Tensor, " h"],
) -> list[Tensor]:
    """Singular values of d h_T / d h_0, largest first, and the growth rate: log of the largest per step."""

    def last(state: Tensor) -> Tensor:
        return leaky_run(x[:, None], torch.tensor([len(x)]), state[None], W, U, b, alpha)[-1, 0]

    values = torch.linalg.svdvals(torch.autograd.functional.jacobian(last, h0))
    return [values, values[0].log() / len(x)]


def growth_verdict(largest: Float[Tensor, " t"], smallest: Float[Tensor, " t"], factor: float) -> int:
    """-1: surely shrinks by `factor` or more; 1: surely grows by it; 0: these numbers cannot tell."""
    if largest.log().sum() <= -math.log(factor):
        return -1
    return int(smallest.log().sum() >= math.log(factor))


def sharp_but_fading(size: int, alpha: float) -> Float[Tensor, "h h"]:
    """A recurrent matrix whose steps each stretch something, while their product vanishes."""
    jacobian = 0.5 * torch.eye(size, dtype=torch.float64)
    jacobian[0, 1] = 3.0
    return (jacobian - (1 - alpha) * torch.eye(size, dtype=torch.float64)) / alpha


def sample_symbol(logits: Float[Tensor, "b n"], temperature: float, u: Float[Tensor, " b"]) -> Int[Tensor, " b"]:
    """The first symbol whose cumulative probability exceeds u; at temperature 0 the likeliest one."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    cumulative = (logits / temperature).softmax(dim=-1).cumsum(dim=-1)
    return torch.searchsorted(cumulative, u[:, None], right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


def training_step(
    weights: Weights,
    velocity: list[Tensor],
    x: Float[Tensor, "t b i"],
    targets: Int[Tensor, "t b"],
    lengths: Int[Tensor, " b"],
    alpha: Float[Tensor, " h"],
    rate: float,
    momentum: float,
    max_norm: float,
) -> list:
    """Loss before the step, weights after it, velocity after it."""
    gradients = dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False))
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    clipped = clip_gradients(gradients, max_norm)[0].values()
    velocity = [momentum * old + new for old, new in zip(velocity, clipped, strict=True)]
    return [loss, [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


def train(
    ids: Int[Tensor, "s t b"], targets: Int[Tensor, "s t b"], alpha: Float[Tensor, " h"], levers: int, signals: int
) -> dict[str, Tensor]:
    """Trained weights by name: Adam and autograd, one step for each batch."""
    generator, hidden, one_hot = torch.Generator().manual_seed(0), len(alpha), torch.eye(levers + 1).double()
    shapes = {"W": (hidden, hidden), "U": (hidden, levers), "b": (hidden,), "V": (signals, hidden), "c": (signals,)}
    weights = {n: 0.2 * torch.randn(shape, generator=generator, dtype=torch.float64) for n, shape in shapes.items()}
    weights["W"] += torch.eye(hidden)
    leaves = [weight.requires_grad_() for weight in weights.values()]
    optimiser = torch.optim.Adam(leaves, lr=0.03)
    for batch, truth in zip(ids, targets, strict=True):
        optimiser.zero_grad()
        x, lengths = one_hot[batch, :levers], (batch != PAD).sum(dim=0)
        character_loss(many_to_many(x, lengths, leaves, alpha), truth).backward()
        optimiser.step()
    return {name: weight.detach() for name, weight in weights.items()}
