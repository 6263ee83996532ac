"""Layers on layers, in one direction or in both: the outputs of one are the inputs of the next."""

import torch
from torch import nn

from seqlib.errors import ModelError
from seqlib.nn.recurrent.layer import rnn
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
        made = cls(
            module.input_size, module.hidden_size, module.num_layers, module.bidirectional, module.batch_first
        ).to(module.weight_hh_l0)
        with torch.no_grad():
            for layer, (U, W, *biases) in zip(made.layers, module.all_weights, strict=True):
                layer.W.copy_(W)
                layer.U.copy_(U)
                layer.b.copy_(sum(biases, torch.zeros_like(layer.b)))
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
        names = "b t i" if self.batch_first else "t b i"
        require_sizes(
            U=(self.layers[0].U, "h i"),
            x=(x, names),
            layers=(x.new_empty(len(self.layers)), "l"),
            h0=(h0, "l b h"),
        )
        below = x if self.batch_first else x.transpose(0, 1)
        final = []
        for depth in range(0, len(self.layers), self.directions):
            sides = []
            for side in range(self.directions):
                states = self._run(depth + side, below, h0, lengths)
                sides.append(states)
                final.append(_last(states, lengths, reverse=side == 1))
            below = torch.cat(sides, dim=-1)
        return below if self.batch_first else below.transpose(0, 1), torch.stack(final)

    def _run(
        self, index: int, x: Float[Tensor, "b t i"], h0: Float[Tensor, "l b h"] | None, lengths: Int[Tensor, "b"] | None
    ) -> Float[Tensor, "b t h"]:
        depth, side = divmod(index, self.directions)
        prefix = f"layer{depth}." + ("reverse." if side else "") if len(self.layers) > 1 else ""
        layer = self.layers[index]
        start = None if h0 is None else h0[index]
        return rnn(x, layer.W, layer.U, layer.b, start, lengths, reverse=side == 1, prefix=prefix)


class _Layer(nn.Module):
    W: nn.Parameter
    U: nn.Parameter
    b: nn.Parameter

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator | None) -> None:
        super().__init__()
        for name, shape in (("W", (hidden, hidden)), ("U", (hidden, inputs)), ("b", (hidden,))):
            values = torch.empty(shape).uniform_(-(hidden**-0.5), hidden**-0.5, generator=generator)
            setattr(self, name, nn.Parameter(values))


def _last(states: Float[Tensor, "b t h"], lengths: Int[Tensor, "b"] | None, reverse: bool) -> Float[Tensor, "b h"]:
    if reverse:
        return states[:, 0]
    if lengths is None:
        return states[:, -1]
    return states[torch.arange(len(states), device=states.device), lengths.to(states.device) - 1]
