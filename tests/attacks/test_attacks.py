"""No attack succeeds, and no honest work is treated unfairly."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.attacks.attack import CATEGORIES, Attack
from tests.attacks.catalogue import ATTACKS, find
from tests.attacks.engine import Outcome
from tests.attacks.engine_ours import Ours
from tests.attacks.honest import grade_honest

# A few of each kind that take little time: every run of the tests tries them.
QUICK = [
    "control-right",
    "control-wrong",
    "control-half",
    "forge-equal-anything",
    "forge-patched-checks",
    "forge-inputs-zeroed",
    "forge-raw-bytes",
    "forge-reply-twice",
    "forge-gradebook",
    "leak-through-shared-memory",
    "leak-through-files",
    "leak-exception-name",
    "leak-key-file",
    "leak-own-memory",
    "leak-other-submission",
    "escape-network",
    "escape-outlive",
    "escape-write-outside",
    "escape-read-the-parent",
    "escape-new-privileges",
    "sabotage-exit-in-a-check",
    "sabotage-change-a-sibling",
    "damage-doubled-tests",
    "damage-symlink-to-key",
    "damage-deep",
    "damage-zip-traversal",
]


@pytest.fixture(scope="session")
def ours() -> Iterator[Ours]:
    """Our engine on a throw-away repository."""
    engine = Ours()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def quick(ours: Ours, need: Any) -> dict[str, Outcome]:
    """What became of the quick ones, all graded in one class."""
    need("bwrap")
    return {outcome.attack.name: outcome for outcome in ours.grade([find([name])[0] for name in QUICK])}


@pytest.fixture(scope="session")
def all_of(ours: Ours, need: Any) -> Any:
    """What became of all attacks of a category, graded when it is first asked for."""
    need("bwrap")
    graded: dict[str, dict[str, Outcome]] = {}

    def outcomes(category: str) -> dict[str, Outcome]:
        if category not in graded:
            graded[category] = {outcome.attack.name: outcome for outcome in ours.grade(find([category]))}
        return graded[category]

    return outcomes


def assert_failed(outcome: Outcome) -> None:
    """The attack got nothing, and its honest part got what it earns."""
    assert outcome.cheats == []
    if outcome.attack.pack is None:
        assert outcome.notes == [] or outcome.attack.category in ("damage", "pages")


def test_there_are_enough_of_each_kind():
    """At least sixty, with controls on each side, and each says in a sentence what it tries."""
    hostile = [attack for attack in ATTACKS if attack.category != "control"]

    assert len(hostile) >= 60
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert {attack.category for attack in ATTACKS} == set(CATEGORIES)
    assert all(attack.tries.endswith(".") for attack in ATTACKS)


@pytest.mark.system
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", QUICK)
def test_quick_attack_fails(quick: dict[str, Outcome], name: str):
    """It gets no point too many, nothing secret, nothing outside, and disturbs nobody."""
    assert_failed(quick[name])


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.system
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.category != "pages"], ids=lambda one: one.name)
def test_attack_fails(all_of: Any, attack: Attack):
    """It gets no point too many, nothing secret, nothing outside, and disturbs nobody."""
    assert_failed(all_of(attack.category)[attack.name])


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.browser
@pytest.mark.lab
@pytest.mark.timeout(3600)
def test_pages_act_on_nobody(ours: Ours, need: Any, chromium: Any):
    """In a real browser no script of a student's runs, nothing is sent or fetched, nothing covers the page."""
    need("bwrap")
    ours.browser = chromium

    for outcome in ours.grade(find(["pages"])):
        assert_failed(outcome)


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_honest_work_is_treated_fairly(need: Any):
    """A few of the honest submissions: none is called tampered, each gets exactly its points."""
    need("bwrap")

    assert grade_honest(12, seed=1) == []


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.system
@pytest.mark.timeout(7200)
def test_five_hundred_honest_submissions(need: Any):
    """The same of five hundred, in every form in which honest work comes."""
    need("bwrap")

    assert grade_honest(500) == []
