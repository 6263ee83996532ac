"""Four tasks that ask for memory, each drawn from a generator, with answers that are right by construction."""

import torch
from torch.nn.functional import one_hot

from seqlib.errors import DataError
from seqlib.shapes import Float, Int, Tensor

__all__ = ["adding", "copy", "echo", "parity"]


def adding(batch: int, length: int, generator: torch.Generator) -> tuple[Float[Tensor, "b t 2"], Float[Tensor, "b"]]:
    """Add the two marked numbers of a long list.

    Args:
        batch: How many sequences.
        length: How many numbers each has, at least 2.
        generator: Where the numbers come from.

    Returns:
        At each step a number between 0 and 1 and its mark, with one mark in each half; and the sum of the marked two.
        Answering 1 always gives a mean squared error of 1/6, the variance of the sum.

    Raises:
        DataError: The batch is empty, or the list is too short.

    Source: Hochreiter and Schmidhuber 1997, section 5.4, with the marks of Le, Jaitly and Hinton 2015, section 4.1.

    >>> x, y = adding(1, 4, torch.Generator().manual_seed(0))
    >>> bool((x[..., 0] * x[..., 1]).sum() == y)
    True
    """
    _require(batch=(batch, 1), length=(length, 2))
    device = generator.device
    values = torch.rand(batch, length, generator=generator, device=device)
    half = length // 2
    first = torch.randint(half, (batch,), generator=generator, device=device)
    second = torch.randint(half, length, (batch,), generator=generator, device=device)
    rows = torch.arange(batch, device=device)
    marks = torch.zeros_like(values)
    marks[rows, first] = 1
    marks[rows, second] = 1
    return torch.stack([values, marks], dim=-1), values[rows, first] + values[rows, second]


def copy(
    batch: int, length: int, generator: torch.Generator, *, delay: int = 10, symbols: int = 8
) -> tuple[Float[Tensor, "b t i"], Int[Tensor, "b t"]]:
    """Repeat a word after a silence, when the cue comes.

    Args:
        batch: How many sequences.
        length: Symbols in the word.
        generator: Where the word comes from.
        delay: Silent steps between the word and the cue.
        symbols: How many different symbols there are, numbered from 1; 0 is silence and `symbols + 1` the cue.

    Returns:
        One-hot inputs: word, silence, cue, and silence again while the word is due; and the answer at each step, which
        is silence and then, from the step after the cue, the word.

    Raises:
        DataError: A size is too small.

    Source: Arjovsky, Shah and Bengio 2016, section 4.1, with the cue one step before the answer.

    >>> x, y = copy(1, 2, torch.Generator().manual_seed(0), delay=1)
    >>> x.argmax(-1).tolist(), y.tolist()
    ([[5, 8, 0, 9, 0, 0]], [[0, 0, 0, 0, 5, 8]])
    """
    _require(batch=(batch, 1), length=(length, 1), delay=(delay, 0), symbols=(symbols, 1))
    word = torch.randint(1, symbols + 1, (batch, length), generator=generator, device=generator.device)
    tokens = word.new_zeros(batch, 2 * length + delay + 1)
    tokens[:, :length] = word
    tokens[:, length + delay] = symbols + 1
    answer = torch.zeros_like(tokens)
    answer[:, -length:] = word
    return one_hot(tokens, symbols + 2).to(torch.get_default_dtype()), answer


def echo(
    batch: int, length: int, generator: torch.Generator, *, delay: int = 3
) -> tuple[Float[Tensor, "b t 1"], Int[Tensor, "b t"]]:
    """Say each bit again, some steps later.

    Args:
        batch: How many sequences.
        length: How many bits.
        generator: Where the bits come from.
        delay: How many steps later; the answer is 0 before anything is due.

    Returns:
        The bits as numbers, and the answer at each step.

    Raises:
        DataError: A size is too small.

    >>> x, y = echo(1, 5, torch.Generator().manual_seed(0), delay=2)
    >>> bool((y[:, 2:] == x[:, :-2, 0]).all()), y[0, :2].tolist()
    (True, [0, 0])
    """
    _require(batch=(batch, 1), length=(length, 1), delay=(delay, 0))
    bits = _bits(batch, length, generator)
    answer = torch.cat([bits.new_zeros(batch, delay), bits], dim=1)[:, :length]
    return bits[..., None].to(torch.get_default_dtype()), answer


def parity(batch: int, length: int, generator: torch.Generator) -> tuple[Float[Tensor, "b t 1"], Int[Tensor, "b t"]]:
    """Say at each step whether the number of ones so far is odd.

    Args:
        batch: How many sequences.
        length: How many bits.
        generator: Where the bits come from.

    Returns:
        The bits as numbers, and the answer at each step: 1 for odd.

    Raises:
        DataError: A size is too small.

    >>> x, y = parity(1, 5, torch.Generator().manual_seed(1))
    >>> [int(bit) for bit in x.flatten()], y.flatten().tolist()
    ([1, 1, 0, 0, 1], [1, 0, 0, 0, 1])
    """
    _require(batch=(batch, 1), length=(length, 1))
    bits = _bits(batch, length, generator)
    return bits[..., None].to(torch.get_default_dtype()), bits.cumsum(dim=1) % 2


def _bits(batch: int, length: int, generator: torch.Generator) -> Int[Tensor, "b t"]:
    return torch.randint(2, (batch, length), generator=generator, device=generator.device)


def _require(**sizes: tuple[int, int]) -> None:
    for name, (size, least) in sizes.items():
        if size < least:
            raise DataError(f"{name} is {size}, but this task needs at least {least}.", f"pass {name}={least} or more.")
