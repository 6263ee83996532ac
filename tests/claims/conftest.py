"""Claims that cost nothing, for tests of the machinery around them."""

import sys
from dataclasses import dataclass, replace

import pytest

from seqlib.claims import Claim, registry


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Settings of the claims below."""

    most: int = 10


def seed_is_small(seed, settings):
    return {"seed": seed, "room": settings.most - seed}


SMALL = Claim(
    name="seed_is_small",
    source="nowhere",
    statement="A seed is small.",
    criterion="room >= 0",
    experiment=seed_is_small,
    holds=lambda measured: measured["room"] >= 0,
    settings=Limits(),
    seconds=0.1,
)


@pytest.fixture
def small(monkeypatch):
    """One cheap claim, and the only one that the registry knows; its experiment stands in a real claim's module."""
    monkeypatch.setattr(seed_is_small, "__module__", "seqlib.claims.recurrent.slope")
    monkeypatch.setitem(sys.modules, "seqlib.claims.small", type(sys)("small"))
    monkeypatch.setattr(sys.modules["seqlib.claims.small"], "CLAIM", SMALL, raising=False)
    monkeypatch.setattr(registry, "_MODULES", ("seqlib.claims.small",))
    return SMALL


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A results file of the test's own, for the command too."""
    path = tmp_path / "results.json"
    monkeypatch.setattr("seqlib.claims.results.RESULTS", path)
    return path


@pytest.fixture
def changed(small, monkeypatch):
    """Replace the claim by one with other settings, when called."""

    def change():
        other = replace(small, settings=Limits(most=11))
        monkeypatch.setattr(sys.modules["seqlib.claims.small"], "CLAIM", other)
        return other

    return change
