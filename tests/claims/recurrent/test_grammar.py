"""The small grammar: its exact odds agree with counting what it writes."""

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch

from seqlib.claims.recurrent.grammar import SYMBOLS, bigram_bits, grammar_bits, text

WRITTEN = 60_000


@pytest.fixture(scope="module")
def written():
    return text(WRITTEN, torch.Generator().manual_seed(0))


def test_the_entropy_of_the_grammar_is_that_of_its_sentences(written):
    """Counted sentences have the stated number of bits a character, to the spread of their mean length."""
    said = "".join(SYMBOLS[number] for number in written.tolist())
    sentences = said.split(". ")[:-1]
    length = sum(len(sentence) + 2 for sentence in sentences) / len(sentences)
    kinds = 4**4 * 2 * 2  # four words out of four each, and two numbers, all equally likely

    assert len(set(sentences)) <= kinds
    assert math.isclose(grammar_bits(), math.log2(kinds) / length, rel_tol=0.01)


def test_the_verb_agrees_with_its_subject(written):
    """A plural subject takes a verb without s, a singular one a verb with it: what bigrams can't know."""
    said = "".join(SYMBOLS[number] for number in written.tolist())

    for sentence in said.split(". ")[:-1]:
        _, _, subject, verb, _, _ = sentence.split()
        assert subject.endswith("s") != verb.endswith("s")


def test_bigram_entropy_equals_counting_by_hand(written):
    """The entropy of a character after the one before, from two dictionaries, is the same to rounding."""
    numbers = written.tolist()
    pairs, firsts = Counter(pairwise(numbers)), Counter(numbers[:-1])
    total = len(numbers) - 1
    expected = -sum(n / total * math.log2(n / firsts[first]) for (first, _), n in pairs.items())

    assert math.isclose(bigram_bits(written), expected, rel_tol=1e-12)
