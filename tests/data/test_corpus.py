"""The corpus: one alphabet, whatever Python carries it."""

import sys
from collections import Counter
from itertools import pairwise
from math import log2
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlib.data import corpus
from seqlib.errors import DataError


@pytest.fixture
def python_with(monkeypatch):
    """Put other help topics into this Python, and forget the text that was read before."""

    def install(module: ModuleType | None) -> None:
        monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)
        corpus.load.cache_clear()

    yield install
    corpus.load.cache_clear()


def _topics(**content) -> ModuleType:
    module = ModuleType("pydoc_data.topics")
    module.__dict__.update(content)
    return module


def test_the_alphabet_is_fixed():
    """Seventy characters in this order: a checkpoint's numbers mean the same on every Python."""
    assert corpus.ALPHABET == "\n abcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    assert len(set(corpus.ALPHABET)) == 70


def test_this_python_carries_a_text_worth_reading():
    """Long enough to learn from, almost nothing outside the alphabet, and about Python."""
    text = corpus.load()

    assert len(text) > 300_000
    assert text.count("\n\n\n") < len(text) / 1000
    assert 'the "for" statement' in text
    assert corpus.decode(corpus.encode(text)) == text


@pytest.mark.parametrize(
    "written",
    [
        'The "for" statement\n*******************\n\nUse it.\n',
        'The "for" statement\n*******************\n\nUse it.\n\n\n',
        '\nThe "for" statement\n*******************\n\nUse it.',
    ],
)
def test_every_layout_gives_the_same_text(python_with, written):
    """Topics begin and end differently from version to version; the text does not."""
    python_with(_topics(topics={"in": "Membership…\n", "for": written}))

    assert corpus.load() == 'the "for" statement\n***\n\nuse it.\n\nmembership...\n'


@settings(deadline=None)
@given(st.text())
def test_any_text_folds_onto_the_alphabet(text):
    """Folded text can be encoded, decodes to itself, and folds to itself."""
    folded = corpus.fold(text)

    assert corpus.decode(corpus.encode(folded)) == folded
    assert corpus.fold(folded) == folded


def test_pieces_are_consecutive(rng):
    """Each target is the character after the one that was read, and places vary."""
    tokens = torch.arange(50)

    x, y = next(corpus.batches(tokens, batch=64, length=5, generator=rng))

    assert torch.equal(y, x + 1)
    assert torch.equal(x[:, 1:], x[:, :-1] + 1)
    assert x[:, 0].min() >= 0
    assert len(x[:, 0].unique()) > 20


def test_every_place_can_be_drawn(rng):
    """The first and the last piece come too."""
    drawn = corpus.batches(torch.arange(4), batch=50, length=2, generator=rng)

    assert next(drawn)[0].unique(dim=0).tolist() == [[0, 1], [1, 2]]


def test_split_keeps_all_characters_in_order():
    """Both parts together are the text."""
    tokens = torch.arange(10)

    learned, measured = corpus.split(tokens)

    assert torch.equal(torch.cat([learned, measured]), tokens)
    assert len(measured) == 1


def test_bigram_bits_are_counted_pairs():
    """The same number from a table kept in dictionaries."""
    learned, measured = "the state that the text leaves", "the text"
    pairs, firsts = Counter(pairwise(learned)), Counter(learned[:-1])
    expected = [-log2((pairs[a, b] + 1) / (firsts[a] + 70)) for a, b in pairwise(measured)]

    bits = corpus.bigram_bits(corpus.encode(learned), corpus.encode(measured))

    assert bits == pytest.approx(sum(expected) / len(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: corpus.encode("a Big one"),
            "character 2 is 'B', which is not in the alphabet.\nHint: bring the text onto it first: fold(text).",
        ),
        (
            lambda: corpus.decode(torch.tensor([1, 70])),
            "tokens[1] is 70, but the alphabet has 70 characters.\nHint: pass numbers from 0 to 69.",
        ),
        (
            lambda: corpus.split(torch.arange(10), share=1.0),
            "a share of 1.0 of 10 characters leaves one part empty.\nHint: pass a share such as 0.9.",
        ),
        (
            lambda: corpus.batches(torch.arange(5), 2, 5, torch.Generator()),
            "the text has 5 characters, too few for pieces of 5 and the character after.\n"
            "Hint: pass a length between 1 and 4.",
        ),
    ],
)
def test_bad_input_is_named(act, message):
    """The whole message."""
    with pytest.raises(DataError) as caught:
        act()

    assert str(caught.value) == message


@pytest.mark.parametrize("content", [{}, {"topics": {}}, {"topics": ["for"]}, {"topics": {"for": 3}}])
def test_an_unknown_layout_is_an_error(python_with, content):
    """A Python that keeps its topics in another way is named, not half read."""
    python_with(_topics(**content))

    with pytest.raises(DataError) as caught:
        corpus.load()

    assert str(caught.value) == (
        "pydoc_data.topics holds no table of topics and their texts.\n"
        "Hint: install the complete standard library; on Debian and Ubuntu it is the package libpython3-stdlib."
    )


def test_a_python_without_topics_is_an_error(python_with):
    """A stripped installation says what to install."""
    python_with(None)

    with pytest.raises(DataError) as caught:
        corpus.load()

    assert str(caught.value) == (
        "this Python has no help topics (import of pydoc_data.topics halted; None in sys.modules).\n"
        "Hint: install the complete standard library; on Debian and Ubuntu it is the package libpython3-stdlib."
    )
