"""The results file: every claim stands on it, and a file that is damaged or old says so."""

import json

import pytest

from seqlib.claims import registry, result
from seqlib.claims.digest import digest
from seqlib.claims.results import load, record
from seqlib.claims.runner import standing
from seqlib.errors import ClaimError

CLAIMS = registry.claims()


@pytest.mark.parametrize("name", CLAIMS)
def test_the_claim_stands(name):
    """The committed result is of today's code and settings, has every seed, and satisfies the criterion in each."""
    claim = CLAIMS[name]
    word = standing(claim, load().get(name))

    assert word == "held", f"{name}: {word}. Run: seqlib claims --only {name}"


@pytest.mark.parametrize("name", CLAIMS)
def test_the_committed_words_are_the_claim(name):
    """What the site and lectures read says the same as the claim's code, and its verdicts are those of `holds`."""
    claim, stored = CLAIMS[name], result(name)

    assert (stored.source, stored.statement, stored.criterion) == (claim.source, claim.statement, claim.criterion)
    assert all(one.held == claim.holds(one.measured) for one in stored.seeds.values())


def test_every_stored_result_has_a_claim():
    """No result of a claim that was renamed or deleted lies about."""
    assert set(load()) == set(CLAIMS)


def test_results_come_back_as_they_were_recorded(small, tmp_path):
    """Two seeds are kept in one entry, sorted, with numbers rounded to six digits."""
    path = tmp_path / "results.json"
    record(path, small, "digest", 2, {"room": 1 / 3}, 0.123)
    recorded = record(path, small, "digest", 0, {"room": 2.0}, 1.0)

    assert result("seed_is_small", path) == recorded
    assert list(recorded.seeds) == [0, 2]
    assert recorded.values("room") == [2.0, 0.333333]
    assert recorded.seconds == 1.12
    assert str(recorded) == "A seed is small. Held over 2 seeds: room 0.333 to 2."


def test_one_seed_that_fails_refutes_the_claim(small, tmp_path):
    """A claim is held only if every seed that was run held."""
    path = tmp_path / "results.json"
    record(path, small, "digest", 0, {"room": 1.0}, 1.0)
    recorded = record(path, small, "digest", 1, {"room": -1.0}, 1.0)

    assert not recorded.held
    assert "Not held" in str(recorded)


def test_seeds_of_other_code_are_dropped(small, tmp_path):
    """A result never mixes seeds that were measured by different code."""
    path = tmp_path / "results.json"
    record(path, small, "old", 0, {"room": 1.0}, 1.0)
    recorded = record(path, small, "new", 1, {"room": 1.0}, 1.0)

    assert list(recorded.seeds) == [1]


def test_a_number_that_is_not_finite_is_refused(small, tmp_path):
    """What JSON can't hold is an error that names the claim and the key, and nothing is written."""
    path = tmp_path / "results.json"

    with pytest.raises(ClaimError, match="claim seed_is_small measured room = nan"):
        record(path, small, "digest", 0, {"room": float("nan")}, 1.0)
    assert not path.exists()


def test_an_unknown_result_is_an_error(tmp_path):
    """A lecture that asks for a claim that never ran is told what to do."""
    with pytest.raises(ClaimError) as caught:
        result("absent", tmp_path / "results.json")

    assert caught.value.what == "no result is stored for a claim called absent."
    assert caught.value.hint == "see them with: seqlib claims --list."


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": {"seeds": {"x": {}}}}', "\ufffd"])
def test_a_damaged_file_is_an_error(tmp_path, text):
    """A file that is no results file is refused with its path and what to do."""
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ClaimError, match="is damaged"):
        load(path)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda seeds: seeds.pop("1"), "not run for seed 1"),
        (lambda seeds: seeds["2"]["measured"].update(room=-1.0), "not held for seed 2"),
    ],
)
def test_a_result_that_was_edited_does_not_stand(small, tmp_path, spoil, word):
    """A seed taken out, or a number changed by hand while `held` stays true, is found."""
    path, current = tmp_path / "results.json", digest(small)
    for seed in small.seeds:
        record(path, small, current, seed, {"room": 1.0}, 1.0)
    stored = json.loads(path.read_text())
    spoil(stored["seed_is_small"]["seeds"])
    path.write_text(json.dumps(stored))

    assert standing(small, result("seed_is_small", path)) == word
