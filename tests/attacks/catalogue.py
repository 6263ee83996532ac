"""All attacks, in the order of the table."""

from collections.abc import Sequence

from tests.attacks.aimed import AIMED
from tests.attacks.attack import CATEGORIES, Attack
from tests.attacks.controls import CONTROLS
from tests.attacks.damage import DAMAGE
from tests.attacks.escape import ESCAPE
from tests.attacks.exhaust import EXHAUST
from tests.attacks.forge import FORGE
from tests.attacks.leak import LEAK
from tests.attacks.pages import PAGES
from tests.attacks.sabotage import SABOTAGE

__all__ = ["ATTACKS", "find"]

ATTACKS: tuple[Attack, ...] = tuple(
    sorted(
        (*CONTROLS, *FORGE, *LEAK, *ESCAPE, *EXHAUST, *SABOTAGE, *DAMAGE, *PAGES, *AIMED),
        key=lambda attack: CATEGORIES.index(attack.category),
    )
)


def find(names: Sequence[str] = ()) -> list[Attack]:
    """The attacks of these names or categories, or with these words in their names; all if none is asked for.

    >>> [attack.name for attack in find(["control-right"])]
    ['control-right']
    """
    if not names:
        return list(ATTACKS)
    exact = [attack for attack in ATTACKS if attack.name in names or attack.category in names]
    found = exact or [attack for attack in ATTACKS if any(name in attack.name for name in names)]
    if not found:
        raise SystemExit(
            f"no attack is called {names[0]}.\nHint: choose a category, {', '.join(CATEGORIES)}, or --list."
        )
    return found
