"""The cell unrolled over a sequence: forward or backward in time, with sequences of different lengths in one batch."""

import torch

from seqlib.errors import ShapeError
from seqlib.nn.recurrent.steps import tap_steps
from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Bool, Float, Int, Tensor
from seqlib.trace import is_recording, tap

__all__ = ["rnn"]


def rnn(
    x: Float[Tensor, "b t i"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, "h"],
    h0: Float[Tensor, "b h"] | None = None,
    lengths: Int[Tensor, "b"] | None = None,
    reverse: bool = False,
    prefix: str = "",
) -> Float[Tensor, "b t h"]:
    r"""Run the cell over each sequence, with the same weights at every step.

    $$h_t = \tanh(W h_{t-1} + U x_t + b)$$

    Past the end of a sequence the state is held and nothing is read, so padding never matters.
    Frames are recorded in the order in which steps are computed: the last step first when `reverse` is set.

    Args:
        x: The inputs.
        W: How the state acts on the next state.
        U: How the input acts on the state.
        b: The bias of the state.
        h0: The state before the first step that is computed; zero when None.
        lengths: How many steps of each sequence are real; all of them when None.
        reverse: Read from the last real step to the first.
        prefix: What to put before the names of the taps `x`, `a` and `h`.

    Returns:
        The state after each step, in the order of the inputs; zero where there is only padding.

    Raises:
        ShapeError: The sizes do not fit together, or a length does not fit the sequence.

    Source: Goodfellow, Bengio and Courville 2016, section 10.2; lengths as `torch.nn.utils.rnn.pack_padded_sequence`.

    >>> one = torch.ones(1, 1)
    >>> rnn(torch.tensor([[[1.0], [0.0], [0.0]]]), W=one, U=one, b=torch.zeros(1)).flatten()
    tensor([0.7616, 0.6420, 0.5663])
    """
    require_sizes(x=(x, "b t i"), W=(W, "h h"), U=(U, "h i"), b=(b, "h"), h0=(h0, "b h"), lengths=(lengths, "b"))
    real = None if lengths is None else _real_steps(x, lengths)
    if real is not None:
        x = x.masked_fill(~real, 0)  # else a NaN in the padding would reach the gradient of U
    h = x.new_zeros(len(x), W.shape[0]) if h0 is None else h0
    steps = range(x.shape[1])
    transposed = W.mT
    recorded = is_recording()  # asked once: two idle taps at each step are 3 % of a small layer

    # U x_t + b needs no memory, so it is made for all steps at once; only W h_{t-1} has to wait its turn.
    drive = (tap_steps(prefix + "x", x) @ U.mT + b).unbind(1)
    states = list(drive)
    for t in reversed(steps) if reverse else steps:
        a = torch.addmm(drive[t], h, transposed)
        # In place where nobody looks at a: it is made anew at each step, and the way back needs h alone.
        new = a.tanh() if recorded else a.tanh_()
        h = new if real is None else torch.where(real[:, t], new, h)
        if recorded:
            tap(prefix + "a", a)
            tap(prefix + "h", h)
        states[t] = h
    outputs = torch.stack(states, dim=1)
    return outputs if real is None else outputs.masked_fill(~real, 0)


def _real_steps(x: Float[Tensor, "b t i"], lengths: Int[Tensor, "b"]) -> Bool[Tensor, "b t 1"]:
    steps = x.shape[1]
    wrong = (lengths < 1) | (lengths > steps)
    if wrong.any():
        at = int(wrong.nonzero()[0])
        raise ShapeError(
            f"lengths[{at}] is {int(lengths[at])}, but x has {steps} steps.",
            f"pass lengths between 1 and {steps}.",
        )
    return (torch.arange(steps, device=x.device) < lengths.to(x.device)[:, None])[..., None]
