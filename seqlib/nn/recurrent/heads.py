"""The four shapes of sequence problems: one layer, and where inputs enter and outputs leave."""

import torch

from seqlib.errors import ModelError
from seqlib.nn.recurrent.cell import readout, rnn_step
from seqlib.nn.recurrent.layer import rnn
from seqlib.nn.recurrent.parameters import Parameters
from seqlib.nn.recurrent.steps import tap_steps
from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Int, Tensor

__all__ = ["many_to_many", "many_to_one", "one_to_many", "one_to_one"]


def one_to_one(
    parameters: Parameters, x: Float[Tensor, "b i"], h0: Float[Tensor, "b h"] | None = None
) -> Float[Tensor, "b o"]:
    """Read one input, give one output: a network with one hidden layer, such as an image and its class."""
    W, U, b, V, c = parameters
    h = x.new_zeros(len(x), len(W)) if h0 is None else h0
    return readout(rnn_step(x, h, W, U, b), V, c)


def one_to_many(
    parameters: Parameters, x: Float[Tensor, "b i"], steps: int, h0: Float[Tensor, "b h"] | None = None
) -> Float[Tensor, "b t o"]:
    """Read one input at the first step and zeros after it; give an output at each step: an image and its caption.

    Raises:
        ModelError: Fewer than one step is asked for.
    """
    if steps < 1:
        raise ModelError(f"steps is {steps}, but an output needs a step.", "ask for one step or more.")
    silence = x.new_zeros(len(x), steps - 1, x.shape[1])
    return many_to_many(parameters, torch.cat([x[:, None], silence], dim=1), h0)


def many_to_one(
    parameters: Parameters,
    x: Float[Tensor, "b t i"],
    h0: Float[Tensor, "b h"] | None = None,
    lengths: Int[Tensor, "b"] | None = None,
) -> Float[Tensor, "b o"]:
    """Read all inputs, give one output from the last real state: a sentence and its mood."""
    W, U, b, V, c = parameters
    states = rnn(x, W, U, b, h0, lengths)
    last = states[:, -1] if lengths is None else states[torch.arange(len(x)), lengths - 1]
    return readout(last, V, c)


def many_to_many(
    parameters: Parameters,
    x: Float[Tensor, "b t i"],
    h0: Float[Tensor, "b h"] | None = None,
    lengths: Int[Tensor, "b"] | None = None,
) -> Float[Tensor, "b t o"]:
    """Give an output at each step, from what was read so far: a text and, at each character, the next one.

    Args:
        parameters: The five tensors of the network.
        x: The inputs.
        h0: The state before the first step; zero when None.
        lengths: How many steps of each sequence are real; all of them when None.

    Returns:
        Scores, whose softmax are the outputs; a padded step scores what an empty state scores.

    Raises:
        ShapeError: The sizes do not fit together, or a length does not fit the sequence.
    """
    W, U, b, V, c = parameters
    states = rnn(x, W, U, b, h0, lengths)
    require_sizes(h=(states, "b t h"), V=(V, "o h"), c=(c, "o"))
    return tap_steps("o", states @ V.mT + c)
