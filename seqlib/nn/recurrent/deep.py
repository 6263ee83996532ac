"""Layers on layers, in one direction or in both: the outputs of one are the inputs of the next."""

import torch
from torch import nn

from seqlib.errors import ModelError
from seqlib.nn.recurrent.layer import rnn
from seqlib.nn.recurrent.parameters import uniform_parameters
from seqlib.nn.sizes import require_sizes
from seqlib.shapes import Float, Int, Tensor

__all__ = ["RNN"]


class RNN(nn.Module):
    """A deep recurrent network, the same function as `torch.nn.RNN`, with one bias where that one has two.

    Args:
        input_size: Features of each input.
        hidden_size: Features of each state.
        num_layers: How many layers lie on one another.
        bidirectional: Read in both directions in each layer, and put the two states side by side.
        batch_first: Inputs and outputs are [b t ...]; [t b ...] otherwise.
        generator: Where the first weights come from.

    >>> outputs, final = RNN(2, 3, num_layers=2, bidirectional=True)(torch.zeros(4, 5, 2))
    >>> outputs.shape, final.shape
    (torch.Size([4, 5, 6]), torch.Size([4, 4, 3]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        batch_first: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.directions = 2 if bidirectional else 1
        sizes = [input_size] + [hidden_size * self.directions] * (num_layers - 1)
        self.layers = nn.ModuleList(
            _Layer(size, hidden_size, generator) for size in sizes for _ in range(self.directions)
        )

    @classmethod
    def from_torch(cls, module: nn.RNN) -> "RNN":
        """Copy the weights of a `torch.nn.RNN`, adding its two biases.

        Raises:
            ModelError: The module has another nonlinearity than tanh, or drops units between layers.
        """
        if module.nonlinearity != "tanh":
            raise ModelError(
                f"the module's nonlinearity is {module.nonlinearity}, not tanh.", "make it with nonlinearity='tanh'."
            )
        if module.dropout:
            raise ModelError(f"the module drops units (dropout={module.dropout}).", "make it with dropout=0.")
        sizes = module.input_size, module.hidden_size, module.num_layers
        made = cls(*sizes, bidirectional=module.bidirectional, batch_first=module.batch_first)
        made.to(next(module.parameters()))
        for layer, (U, W, *biases) in zip(made.layers, module.all_weights, strict=True):
            layer.load_state_dict({"W": W, "U": U, "b": sum(biases, torch.zeros(len(W)).to(W))})
        return made

    def forward(
        self,
        x: Float[Tensor, "*s i"],
        h0: Float[Tensor, "l b h"] | None = None,
        lengths: Int[Tensor, "b"] | None = None,
    ) -> tuple[Float[Tensor, "*s m"], Float[Tensor, "l b h"]]:
        """Run all layers over the sequences.

        A deep or bidirectional network taps `layer0.h`, `layer0.reverse.h`, `layer1.h` and so on; a plain one `h`.

        Args:
            x: The inputs, [b t i], or [t b i] without `batch_first`.
            h0: The first state of each layer and direction; zero when None.
            lengths: How many steps of each sequence are real; all of them when None.

        Returns:
            The states of the last layer, both directions side by side, and each layer's and direction's last state.

        Raises:
            ShapeError: The sizes do not fit together, or a length does not fit the sequence.
        """
        require_sizes(
            U=(self.get_parameter("layers.0.U"), "h i"),
            x=(x, "b t i" if self.batch_first else "t b i"),
            layers=(x.new_empty(len(self.layers)), "l"),
            h0=(h0, "l b h"),
        )
        starts = [None] * len(self.layers) if h0 is None else list(h0)
        below = x if self.batch_first else x.transpose(0, 1)
        final = []
        for first in range(0, len(self.layers), self.directions):
            sides = []
            for index in range(first, first + self.directions):
                reverse = index > first
                states = self.layers[index](below, starts[index], lengths, reverse, self._prefix(index))
                sides.append(states)
                final.append(_last(states, lengths, reverse))
            below = torch.cat(sides, dim=-1)
        return below if self.batch_first else below.transpose(0, 1), torch.stack(final)

    def _prefix(self, index: int) -> str:
        if len(self.layers) == 1:
            return ""
        depth, side = divmod(index, self.directions)
        return f"layer{depth}.reverse." if side else f"layer{depth}."


class _Layer(nn.Module):
    def __init__(self, inputs: int, hidden: int, generator: torch.Generator | None) -> None:
        super().__init__()
        start = uniform_parameters(inputs, hidden, 0, generator)
        self.W, self.U, self.b = nn.Parameter(start.W), nn.Parameter(start.U), nn.Parameter(start.b)

    def forward(
        self,
        x: Float[Tensor, "b t i"],
        h0: Float[Tensor, "b h"] | None,
        lengths: Int[Tensor, "b"] | None,
        reverse: bool,
        prefix: str,
    ) -> Float[Tensor, "b t h"]:
        return rnn(x, self.W, self.U, self.b, h0, lengths, reverse, prefix)


def _last(states: Float[Tensor, "b t h"], lengths: Int[Tensor, "b"] | None, reverse: bool) -> Float[Tensor, "b h"]:
    if reverse:
        return states[:, 0]
    if lengths is None:
        return states[:, -1]
    return states[torch.arange(len(states), device=states.device), lengths.to(states.device) - 1]
