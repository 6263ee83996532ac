"""A character model: at each character, the odds of the next one."""

import math

import torch
from torch import nn
from torch.nn.functional import one_hot

from seqlib.errors import ModelError
from seqlib.nn.recurrent.deep import RNN
from seqlib.nn.recurrent.parameters import Parameters, uniform_parameters
from seqlib.nn.recurrent.steps import tap_steps
from seqlib.shapes import Float, Int, Tensor

__all__ = ["CharModel", "sample"]


class CharModel(nn.Module):
    """One-hot characters, a recurrent network, and a score for each character that may follow.

    Args:
        symbols: How many characters there are.
        hidden_size: Features of each state.
        num_layers: How many layers lie on one another.
        generator: Where the first weights come from.

    >>> logits, final = CharModel(symbols=7, hidden_size=4)(torch.tensor([[1, 2, 6]]))
    >>> logits.shape, final.shape
    (torch.Size([1, 3, 7]), torch.Size([1, 1, 4]))
    """

    def __init__(
        self, symbols: int, hidden_size: int, num_layers: int = 1, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.symbols = symbols
        self.rnn = RNN(symbols, hidden_size, num_layers, generator=generator)
        start = uniform_parameters(0, hidden_size, symbols, generator)
        self.V, self.c = nn.Parameter(start.V), nn.Parameter(start.c)

    def forward(
        self, tokens: Int[Tensor, "b t"], h0: Float[Tensor, "l b h"] | None = None
    ) -> tuple[Float[Tensor, "b t n"], Float[Tensor, "l b h"]]:
        """Read characters.

        Args:
            tokens: The number of each character.
            h0: The first state of each layer, such as the last of the text before; zero when None.

        Returns:
            At each character the scores of the next one, and the last state of each layer.

        Raises:
            ModelError: A number is no character's.
            ShapeError: The sizes do not fit together.
        """
        wrong = (tokens < 0) | (tokens >= self.symbols)
        if wrong.any():
            at = tuple(wrong.nonzero()[0].tolist())
            raise ModelError(
                f"tokens{list(at)} is {int(tokens[at])}, but the model knows {self.symbols} characters.",
                f"pass numbers from 0 to {self.symbols - 1}, as seqlib.data.corpus.encode makes them.",
            )
        states, final = self.rnn(one_hot(tokens, self.symbols).to(self.V), h0)
        return tap_steps("o", states @ self.V.mT + self.c), final

    def parameters_of_layer(self, layer: int = 0) -> Parameters:
        """The five tensors of one layer and the readout, detached, such as for the labels of a recording."""
        W, U, b = (self.get_parameter(f"rnn.layers.{layer}.{name}").detach() for name in "WUb")
        return Parameters(W, U, b, self.V.detach(), self.c.detach())


@torch.no_grad()
def sample(
    model: CharModel,
    prefix: Int[Tensor, "t"],
    length: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "m"]:
    r"""Go on writing, a character at a time, each drawn by the odds that the model gives after all before it.

    $$p(\text{next}) = \mathrm{softmax}(o_t / \tau)$$

    Args:
        model: The character model.
        prefix: The characters to begin with, at least one.
        length: How many characters to add.
        temperature: Below 1 likely characters become likelier; above 1 all become more alike; 0 takes the likeliest.
        generator: Where the draws come from.

    Returns:
        The prefix and the new characters.

    Raises:
        ModelError: The prefix is empty, or the temperature is negative or not finite.

    >>> model = CharModel(symbols=5, hidden_size=4, generator=torch.Generator().manual_seed(0))
    >>> sample(model, torch.tensor([1, 2]), length=6, temperature=0.0).shape
    torch.Size([8])
    """
    if not len(prefix):
        raise ModelError("the prefix is empty, so there is nothing to go on from.", "begin with one character or more.")
    if not 0 <= temperature < math.inf:
        raise ModelError(
            f"temperature is {temperature}, which is not a finite number from 0 up.",
            "pass 0.0 for the likeliest character, or 1.0 for the model's own odds.",
        )
    written = list(prefix)
    unread, state = prefix[None], None
    for _ in range(length):
        logits, state = model(unread, state)
        unread = _draw(logits[:, -1], temperature, generator)
        written.append(unread[0, 0])
    return torch.stack(written)


def _draw(logits: Float[Tensor, "b n"], temperature: float, generator: torch.Generator | None) -> Int[Tensor, "b 1"]:
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    # The largest score is moved to zero first: divided by a small temperature, it would overflow.
    calm = (logits - logits.max(dim=-1, keepdim=True).values) / temperature
    return torch.multinomial(calm.softmax(dim=-1), 1, generator=generator)
