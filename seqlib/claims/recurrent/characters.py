"""A recurrent character model uses more of the past than the one character before."""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from seqlib.claims.claim import Claim, Measured
from seqlib.claims.recurrent.grammar import SYMBOLS, bigram_bits, grammar_bits, text
from seqlib.nn.recurrent.characters import CharModel
from seqlib.shapes import Int, Tensor
from seqlib.train import recipes
from seqlib.train.fit import fit
from seqlib.train.seeds import stream
from seqlib.train.settings import Settings

__all__ = ["CLAIM"]

_SAVED = 0.10


@dataclass(frozen=True, kw_only=True)
class _Characters:
    training: Settings
    hidden: int = 64
    batch: int = 32
    window: int = 40
    written: int = 100_000
    tested: tuple[int, int] = (40, 500)


def _experiment(seed: int, settings: _Characters) -> Measured:
    written = text(settings.written, stream(seed, "text"))
    model = CharModel(len(SYMBOLS), settings.hidden, generator=stream(seed, "weights"))

    def windows(generator: torch.Generator) -> tuple[Int[Tensor, "b t"]]:
        starts = torch.randint(len(written) - settings.window, (settings.batch, 1), generator=generator)
        return (written[starts + torch.arange(settings.window + 1)],)

    fit(model, _nats, windows, replace(settings.training, seed=seed), progress=False)
    batch, length = settings.tested
    fresh = text(batch * length, stream(seed, "test")).view(batch, length)
    with torch.no_grad():
        bits = _nats(model, fresh).item() / math.log(2)
    return {"bits_a_character": bits, "bigram_bits": bigram_bits(written), "grammar_bits": grammar_bits()}


def _nats(model: nn.Module, tokens: Int[Tensor, "b t"]) -> Tensor:
    logits, _ = model(tokens[:, :-1])
    return cross_entropy(logits.mT, tokens[:, 1:])


CLAIM = Claim(
    name="characters_beat_bigrams",
    source="lecture 2: a character model",
    statement="A character RNN needs fewer bits a character than any model that sees one character back.",
    criterion=f"bits a character on fresh text at least {_SAVED:.0%} below the bigram entropy of a small grammar",
    experiment=_experiment,
    holds=lambda measured: measured["bits_a_character"] <= (1 - _SAVED) * measured["bigram_bits"],
    settings=_Characters(training=recipes.characters()),
    seconds=10.0,
)
