"""The five tensors of a vanilla recurrent network with an output."""

from typing import Any, NamedTuple

import torch

from seqlib.shapes import Float, Tensor

__all__ = ["Parameters", "uniform_parameters"]


class Parameters(NamedTuple):
    """W, U, b make the state; V, c read it. Also holds one gradient for each of the five.

    Attributes:
        W: How the state acts on the next state.
        U: How the input acts on the state.
        b: The bias of the state.
        V: What each output looks for in the state.
        c: The bias of the outputs.
    """

    W: Float[Tensor, "h h"]
    U: Float[Tensor, "h i"]
    b: Float[Tensor, "h"]
    V: Float[Tensor, "o h"]
    c: Float[Tensor, "o"]

    def labels(self) -> dict[str, Any]:
        """The numbers as JSON data for a recording's labels: `rec.labels.update(parameters.labels())`."""
        return {name: value.tolist() for name, value in self._asdict().items()}


def uniform_parameters(
    inputs: int, hidden: int, outputs: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
) -> Parameters:
    """Draw all five uniformly within one over the root of the number of hidden units, as `torch.nn.RNN` starts.

    >>> [tuple(tensor.shape) for tensor in uniform_parameters(2, 3, 4)]
    [(3, 3), (3, 2), (3,), (4, 3), (4,)]
    """
    shapes = ((hidden, hidden), (hidden, inputs), (hidden,), (outputs, hidden), (outputs,))
    device = generator.device if generator else None
    scale = hidden**-0.5
    return Parameters(
        *((torch.rand(shape, generator=generator, dtype=dtype, device=device) * 2 - 1) * scale for shape in shapes)
    )
