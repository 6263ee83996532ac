"""A real text that is already on the machine: the reference of the Python language, one character at a time.

Every CPython carries it for `help()`. Its bytes differ from version to version, so nothing may depend on them: only the
alphabet is fixed.
"""

import functools
import importlib
import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from seqlib.errors import DataError
from seqlib.shapes import Int, Tensor

__all__ = ["ALPHABET", "batches", "bigram_bits", "decode", "encode", "fold", "load", "split"]

ALPHABET = "\n " + string.ascii_lowercase + string.digits + string.punctuation

_NUMBER = {character: number for number, character in enumerate(ALPHABET)}
_TYPESET = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\t": " "})
_ODD = re.compile(f"[^{re.escape(ALPHABET)}]")
_RULE = re.compile(r"([-*=~^.])\1{3,}")


@functools.cache
def load() -> str:
    """Read all topics of the language reference, in alphabetical order, folded onto the alphabet.

    Raises:
        DataError: This Python was installed without its help topics, or keeps them in a way that is not known.

    >>> set(load()) <= set(ALPHABET), 'the "for" statement' in load()
    (True, True)
    """
    topics = _topics()
    return fold("\n\n".join(topics[name].strip() for name in sorted(topics))) + "\n"


def fold(text: str) -> str:
    """Bring any text onto the alphabet: small letters, plain quotes and dashes, short rules, `?` for all the rest.

    >>> fold("Él said “Ça va…”\\n==========")
    'el said "ca va..."\\n==='
    """
    plain = unicodedata.normalize("NFKD", text.translate(_TYPESET))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _RULE.sub(r"\1\1\1", _ODD.sub("?", plain.lower()))


def encode(text: str) -> Int[Tensor, "t"]:
    """Number each character by its place in the alphabet.

    Raises:
        DataError: A character is not in the alphabet.

    >>> encode("a b")
    tensor([2, 1, 3])
    """
    try:
        return torch.tensor([_NUMBER[character] for character in text], dtype=torch.long)
    except KeyError as error:
        at = text.index(error.args[0])
        raise DataError(
            f"character {at} is {error.args[0]!r}, which is not in the alphabet.",
            "bring the text onto it first: fold(text).",
        ) from None


def decode(tokens: Int[Tensor, "t"]) -> str:
    """Turn numbers back into characters.

    Raises:
        DataError: A number is no character's.

    >>> decode(encode("while true:"))
    'while true:'
    """
    wrong = (tokens < 0) | (tokens >= len(ALPHABET))
    if wrong.any():
        at = int(wrong.nonzero()[0])
        raise DataError(
            f"tokens[{at}] is {int(tokens[at])}, but the alphabet has {len(ALPHABET)} characters.",
            f"pass numbers from 0 to {len(ALPHABET) - 1}.",
        )
    return "".join(ALPHABET[number] for number in tokens.tolist())


def split(tokens: Int[Tensor, "t"], share: float = 0.9) -> tuple[Int[Tensor, "s"], Int[Tensor, "q"]]:
    """Cut a text in two: the first part to learn from, the rest to be measured on.

    Raises:
        DataError: The share leaves one part empty.

    >>> [part.tolist() for part in split(encode("abcd"), share=0.5)]
    [[2, 3], [4, 5]]
    """
    cut = round(len(tokens) * share)
    if not 0 < cut < len(tokens):
        raise DataError(
            f"a share of {share} of {len(tokens)} characters leaves one part empty.", "pass a share such as 0.9."
        )
    return tokens[:cut], tokens[cut:]


def batches(
    tokens: Int[Tensor, "t"], batch: int, length: int, generator: torch.Generator
) -> Iterator[tuple[Int[Tensor, "b t"], Int[Tensor, "b t"]]]:
    """Draw pieces of a text without end: what to read, and at each place the character that comes next.

    Args:
        tokens: The text.
        batch: How many pieces at a time.
        length: Characters in a piece.
        generator: Where the places come from.

    Raises:
        DataError: The text is shorter than a piece and the character after it.

    >>> x, y = next(batches(encode("abc"), batch=1, length=2, generator=torch.Generator()))
    >>> decode(x[0]), decode(y[0])
    ('ab', 'bc')
    """
    places = len(tokens) - length
    if places < 1 or length < 1:
        raise DataError(
            f"the text has {len(tokens)} characters, too few for pieces of {length} and the character after.",
            f"pass a length between 1 and {len(tokens) - 1}.",
        )
    return _draw_pieces(tokens, batch, length, generator)


def bigram_bits(learned: Int[Tensor, "t"], measured: Int[Tensor, "s"]) -> float:
    """What a table of pairs of characters reaches: the bits a character costs when only the one before it is known.

    Args:
        learned: The text in which pairs are counted, each once more than it occurs.
        measured: The text whose characters are predicted.

    Returns:
        Bits a character.

    >>> bigram_bits(encode("ab" * 5000), encode("ab" * 10)) < 0.02
    True
    """
    size = len(ALPHABET)
    counts = torch.ones(size, size, dtype=torch.float64)
    counts.index_put_((learned[:-1], learned[1:]), torch.ones((), dtype=torch.float64), accumulate=True)
    odds = counts / counts.sum(dim=1, keepdim=True)
    return float(-odds[measured[:-1], measured[1:]].log2().mean())


def _draw_pieces(
    tokens: Tensor, batch: int, length: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    pieces = tokens.unfold(0, length + 1, 1)
    while True:
        starts = torch.randint(len(pieces), (batch,), generator=generator, device=generator.device)
        drawn = pieces[starts.to(tokens.device)]
        yield drawn[:, :-1], drawn[:, 1:]


def _topics() -> Mapping[str, str]:
    hint = "install the complete standard library; on Debian and Ubuntu it is the package libpython3-stdlib."
    try:
        topics: Any = getattr(importlib.import_module("pydoc_data.topics"), "topics", None)
    except ImportError as error:
        raise DataError(f"this Python has no help topics ({error}).", hint) from error
    if not isinstance(topics, Mapping) or not topics or not all(isinstance(text, str) for text in topics.values()):
        raise DataError("pydoc_data.topics holds no table of topics and their texts.", hint)
    return topics
