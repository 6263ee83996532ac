"""A small English with exact odds, in which the verb agrees with a noun several characters back."""

import math

import torch

from seqlib.shapes import Int, Tensor

__all__ = ["SYMBOLS", "bigram_bits", "grammar_bits", "text"]

_ADJECTIVES = ("old", "quiet", "clever", "yellow")
_NOUNS = ("cat", "dog", "bird", "friend")
_VERBS = ("see", "hear", "follow", "trust")
SYMBOLS = " .adefhbcgilnoqrstuvwy"


def text(length: int, generator: torch.Generator) -> Int[Tensor, "t"]:
    """Write sentences such as `the old cat sees the birds. ` and number their characters.

    >>> "".join(SYMBOLS[number] for number in text(30, torch.Generator().manual_seed(0)))
    'the old friends hear the cats.'
    """
    numbers = {symbol: number for number, symbol in enumerate(SYMBOLS)}
    written: list[int] = []
    while len(written) < length:
        written += [numbers[symbol] for symbol in _sentence(generator)]
    return torch.tensor(written[:length])


def grammar_bits() -> float:
    """Give the entropy of the grammar in bits a character: what no model can go below on average.

    Sentences are independent, so it is the entropy of one over its mean length, ending included.
    """
    words = [math.log2(len(group)) for group in (_ADJECTIVES, _NOUNS, _VERBS, _NOUNS)]
    coins = 2  # one for each noun's number
    return (sum(words) + coins) / _mean_length()


def bigram_bits(numbers: Int[Tensor, "t"]) -> float:
    """Give the entropy of a character after the one before it, in bits, by counting.

    >>> bigram_bits(torch.tensor([0, 1, 0, 1, 0, 1]))
    0.0
    """
    counts = torch.zeros(len(SYMBOLS), len(SYMBOLS), dtype=torch.float64)
    counts.index_put_((numbers[:-1], numbers[1:]), torch.ones(len(numbers) - 1, dtype=torch.float64), accumulate=True)
    pairs = counts / counts.sum()
    nats = torch.special.entr(pairs).sum() - torch.special.entr(pairs.sum(dim=1)).sum()
    return nats.item() / math.log(2)


def _sentence(generator: torch.Generator) -> str:
    pick = torch.randint(4, (4,), generator=generator).tolist()
    plural, plural_object = torch.randint(2, (2,), generator=generator).tolist()
    adjective, noun, verb, other = (
        group[index] for group, index in zip((_ADJECTIVES, _NOUNS, _VERBS, _NOUNS), pick, strict=True)
    )
    subject = f"the {adjective} {noun}{'s' * plural}"
    return f"{subject} {verb}{'s' * (1 - plural)} the {other}{'s' * plural_object}. "


def _mean_length() -> float:
    def mean(words: tuple[str, ...]) -> float:
        return sum(map(len, words)) / len(words)

    fixed = len("the ") + len(" ") + len(" ") + len(" the ") + len(". ")
    return fixed + mean(_ADJECTIVES) + 2 * mean(_NOUNS) + mean(_VERBS) + 3 * 0.5
