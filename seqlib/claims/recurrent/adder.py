"""The network of the adding claims: a vanilla recurrent network that reads a list and says one number."""

import torch
from torch import nn

from seqlib.data.tasks import adding
from seqlib.nn.recurrent.heads import many_to_one
from seqlib.nn.recurrent.jacobian import spectral_radius
from seqlib.nn.recurrent.parameters import Parameters, uniform_parameters
from seqlib.shapes import Float, Tensor
from seqlib.train.fit import fit
from seqlib.train.history import History
from seqlib.train.seeds import stream
from seqlib.train.settings import Settings

__all__ = ["Adder", "squared_error", "train"]

_BATCH = 32


class Adder(nn.Module):
    """Many inputs, one output, trained from a seed.

    Args:
        hidden: Features of the state.
        seed: Where the first weights come from.
        radius: The spectral radius that the first recurrent matrix is scaled to; left as drawn when None.
    """

    def __init__(self, hidden: int, seed: int, radius: float | None = None) -> None:
        super().__init__()
        generator = stream(seed, "weights")
        start = uniform_parameters(2, hidden, 1, generator)
        if radius is not None:
            W = torch.randn(hidden, hidden, generator=generator)
            start = start._replace(W=W * radius / spectral_radius(W))
        self.tensors = nn.ParameterList(start)

    def forward(self, x: Float[Tensor, "b t 2"]) -> Float[Tensor, "b"]:
        """Guess the sum of the two marked numbers of each list."""
        return many_to_one(Parameters(*self.tensors), x)[:, 0]


def squared_error(model: nn.Module, x: Float[Tensor, "b t 2"], y: Float[Tensor, "b"]) -> Float[Tensor, ""]:
    """Average the squared difference between guess and sum."""
    return (model(x) - y).square().mean()


def train(model: nn.Module, length: int, settings: Settings) -> History:
    """Train on fresh lists at every step; a run that diverges ends there."""
    return fit(
        model,
        squared_error,
        lambda generator: adding(_BATCH, length, generator),
        settings,
        on_divergence="stop",
        progress=False,
    )
