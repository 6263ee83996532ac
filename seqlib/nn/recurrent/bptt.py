"""Backpropagation through time, written out: one sum over the steps, since every step uses the same weights.

The loss of a sequence is the sum over its steps of the cross-entropy, and the batch is averaged: J = sum_t L_t.
"""

from typing import NamedTuple

import torch
from torch.nn.functional import cross_entropy, one_hot

from seqlib.nn.recurrent.layer import rnn
from seqlib.nn.recurrent.parameters import Parameters
from seqlib.nn.recurrent.steps import tap_steps
from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Int, Tensor

__all__ = ["Backward", "Forward", "backward", "forward", "losses_to_uses"]


class Forward(NamedTuple):
    """What the way forward leaves for the way back.

    Attributes:
        states: h_0 and then the state after each step, one more than there are steps.
        logits: The scores of each step.
        losses: The cross-entropy of each step, in nats, averaged over the batch.
    """

    states: Float[Tensor, "b t+1 h"]
    logits: Float[Tensor, "b t o"]
    losses: Float[Tensor, "t"]

    @property
    def loss(self) -> Float[Tensor, ""]:
        """The sum of the losses over the steps, in nats."""
        return self.losses.sum()


class Backward(NamedTuple):
    """The gradient of the loss, as a whole and step by step.

    Attributes:
        total: The gradient of each parameter: the sum over the steps of its pieces.
        pieces: The same with a leading axis of steps: what each step's use of the parameter adds.
        states: The gradient of each state, h_0 first.
        inputs: The gradient of each input.
    """

    total: Parameters
    pieces: Parameters
    states: Float[Tensor, "b t+1 h"]
    inputs: Float[Tensor, "b t i"]


def forward(
    parameters: Parameters,
    x: Float[Tensor, "b t i"],
    targets: Int[Tensor, "b t"],
    h0: Float[Tensor, "b h"] | None = None,
) -> Forward:
    """Run the network, read each step, and score it against its target.

    Raises:
        ShapeError: The sizes do not fit together.
    """
    W, U, b, V, c = parameters
    h = x.new_zeros(len(x), len(W)) if h0 is None else h0
    states = rnn(x, W, U, b, h)
    require_sizes(h=(states, "b t h"), targets=(targets, "b t"), V=(V, "o h"), c=(c, "o"))
    logits = tap_steps("o", states @ V.mT + c)
    losses = cross_entropy(logits.mT, targets, reduction="none").mean(dim=0)
    return Forward(torch.cat([h[:, None], states], dim=1), logits, losses)


def backward(parameters: Parameters, x: Float[Tensor, "b t i"], targets: Int[Tensor, "b t"], run: Forward) -> Backward:
    r"""Carry the gradient of the loss from the last step to the first.

    $$\frac{\partial J}{\partial o_t} = y_t - \mathrm{onehot}_t \qquad
      \frac{\partial J}{\partial h_t} = V^\top \frac{\partial J}{\partial o_t}
        + W^\top \frac{\partial J}{\partial a_{t+1}} \qquad
      \frac{\partial J}{\partial a_t} = (1 - h_t^2) \odot \frac{\partial J}{\partial h_t}$$

    $$\frac{\partial J}{\partial W} = \sum_t \frac{\partial J}{\partial a_t} h_{t-1}^\top \qquad
      \frac{\partial J}{\partial U} = \sum_t \frac{\partial J}{\partial a_t} x_t^\top \qquad
      \frac{\partial J}{\partial b} = \sum_t \frac{\partial J}{\partial a_t}$$

    Args:
        parameters: The five tensors of the network.
        x: The inputs.
        targets: The class that is right at each step.
        run: What `forward` returned for the same three.

    Returns:
        The gradient of the loss, equal to autograd's.

    Source: Goodfellow, Bengio and Courville 2016, section 10.2.2, equations 10.17 to 10.28.
        Ours averages over a batch.
    """
    W, U, _b, V, c = parameters
    before, states = run.states[:, :-1], run.states[:, 1:]
    do = (run.logits.softmax(dim=-1) - one_hot(targets, len(c))) / len(x)
    da = torch.empty_like(states)
    dh = torch.zeros_like(run.states)
    for t in reversed(range(x.shape[1])):
        dh[:, t + 1] += do[:, t] @ V
        da[:, t] = (1 - states[:, t] ** 2) * dh[:, t + 1]
        dh[:, t] = da[:, t] @ W
    pieces = Parameters(W=_outer(da, before), U=_outer(da, x), b=da.sum(dim=0), V=_outer(do, states), c=do.sum(dim=0))
    return Backward(Parameters(*(piece.sum(dim=0) for piece in pieces)), pieces, states=dh, inputs=da @ U)


def losses_to_uses(
    parameters: Parameters, x: Float[Tensor, "b t i"], targets: Int[Tensor, "b t"], run: Forward
) -> Float[Tensor, "t t h h"]:
    r"""Split the gradient of W in two sums: entry (t, k) is what the loss of step t says about the use of W at step k.

    $$\frac{\partial J}{\partial W} = \sum_t \frac{\partial L_t}{\partial W} = \sum_t \sum_{k \le t}
      \frac{\partial L_t}{\partial a_k} h_{k-1}^\top$$

    It costs a way back for each step, so it is for short sequences and small states.

    Args:
        parameters: The five tensors of the network.
        x: The inputs.
        targets: The class that is right at each step.
        run: What `forward` returned for the same three.

    Returns:
        One matrix for each pair of steps, zero where the use comes after the loss.
    """
    W, _U, _b, V, c = parameters
    before, states = run.states[:, :-1], run.states[:, 1:]
    do = (run.logits.softmax(dim=-1) - one_hot(targets, len(c))) / len(x)
    slope = 1 - states**2
    rows = []
    for t in range(x.shape[1]):
        da = torch.zeros_like(states)
        dh = do[:, t] @ V
        for k in reversed(range(t + 1)):
            da[:, k] = slope[:, k] * dh
            dh = da[:, k] @ W
        rows.append(_outer(da, before))
    return torch.stack(rows)


def _outer(left: Float[Tensor, "b t m"], right: Float[Tensor, "b t d"]) -> Float[Tensor, "t m d"]:
    return torch.einsum("btm,btd->tmd", left, right)
