"""One step of a vanilla recurrent network, and what is read from its state."""

from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Tensor
from seqlib.trace import tap

__all__ = ["readout", "rnn_step"]


def rnn_step(
    x: Float[Tensor, "*b i"],
    h: Float[Tensor, "*b h"],
    W: Float[Tensor, "h h"],
    U: Float[Tensor, "h i"],
    b: Float[Tensor, "h"],
) -> Float[Tensor, "*b h"]:
    r"""Read one input and update the state.

    $$a_t = W h_{t-1} + U x_t + b \qquad h_t = \tanh a_t$$

    Args:
        x: The input of this step.
        h: The state before it.
        W: How the state acts on the next state.
        U: How the input acts on the state.
        b: The bias of the state.

    Returns:
        The state after this step, each entry between -1 and 1.

    Raises:
        ShapeError: The sizes do not fit together.

    Source: Elman 1990; in this form Goodfellow, Bengio and Courville 2016, section 10.2, equations 10.8 and 10.9.

    >>> import torch
    >>> one, zero = torch.ones(1, 1), torch.zeros(1)
    >>> rnn_step(zero, torch.tensor([0.5]), W=2 * one, U=one, b=-torch.ones(1))
    tensor([0.])
    """
    require_sizes(x=(x, "... i"), h=(h, "... h"), W=(W, "h h"), U=(U, "h i"), b=(b, "h"))
    a = tap("a", h @ W.mT + tap("x", x) @ U.mT + b)
    return tap("h", a.tanh())


def readout(h: Float[Tensor, "*b h"], V: Float[Tensor, "o h"], c: Float[Tensor, "o"]) -> Float[Tensor, "*b o"]:
    r"""Read scores from a state: $o_t = V h_t + c$. Their softmax is the output $y_t$.

    Args:
        h: The state.
        V: What each output looks for in the state.
        c: The score of each output before anything is read.

    Returns:
        One score for each output, as log odds up to a constant.

    Raises:
        ShapeError: The sizes do not fit together.

    Source: Goodfellow, Bengio and Courville 2016, section 10.2, equation 10.10.

    >>> import torch
    >>> readout(torch.tensor([1.0, 2.0]), V=torch.tensor([[3.0, 0.0]]), c=torch.tensor([0.5]))
    tensor([3.5000])
    """
    require_sizes(h=(h, "... h"), V=(V, "o h"), c=(c, "o"))
    return tap("o", h @ V.mT + c)
