"""The table of claims: one module each, in the order in which the course makes them."""

import difflib
from collections.abc import Iterable
from importlib import import_module

from seqlib.claims.claim import Claim
from seqlib.errors import ClaimError

__all__ = ["choose", "claims"]

_MODULES = (
    "seqlib.claims.recurrent.adding",
    "seqlib.claims.recurrent.slope",
    "seqlib.claims.recurrent.vanishing",
    "seqlib.claims.recurrent.clipping",
    "seqlib.claims.recurrent.bptt",
    "seqlib.claims.recurrent.characters",
)


def claims() -> dict[str, Claim]:
    """Import every claim; one whose models the students' edition leaves out is left out with them."""
    found = [_claim(module) for module in _MODULES]
    return {claim.name: claim for claim in found if claim is not None}


def choose(names: Iterable[str] | None = None) -> dict[str, Claim]:
    """Pick claims by name, all where none is named.

    Raises:
        ClaimError: A name is unknown.
    """
    known = claims()
    for name in names or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "see them with: seqlib claims --list."
            raise ClaimError(f"no claim is called {name}.", hint)
    return {name: known[name] for name in names} if names else known


def _claim(module: str) -> Claim | None:
    try:
        return import_module(module).CLAIM
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("seqlib."):
            return None
        raise
