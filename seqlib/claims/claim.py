"""A claim: a sentence of the course, the experiment that could refute it, and where it counts as refuted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seqlib.errors import ClaimError

__all__ = ["Claim", "Measured"]

Measured: TypeAlias = Mapping[str, float | int]  # int named for the runtime checker, which keeps the two apart

_LEAST_SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim, complete.

    Attributes:
        name: What `seqlib claims --only` and lectures call it.
        source: Where the course, or the literature, says it.
        statement: What is claimed, in one sentence.
        criterion: What the measured numbers must satisfy, in words; `holds` is the same in code.
        experiment: `experiment(seed, settings)` measures; all its randomness comes from the seed.
        holds: Whether one seed's measured numbers satisfy the criterion.
        settings: A frozen dataclass; another value is another experiment, and runs again.
        seconds: CPU time that one seed takes, about.
        seeds: The claim holds only if it holds for each of them.
        tier: `ci` where every change to the repository runs one seed again; `full` where only a person asks for it.
        data: Files under `seqlib/` that the experiment reads; a changed one is another experiment.
    """

    name: str
    source: str
    statement: str
    criterion: str
    experiment: Callable[[int, Any], Measured]
    holds: Callable[[Measured], bool]
    settings: Any
    seconds: float
    seeds: tuple[int, ...] = (0, 1, 2)
    tier: Literal["ci", "full"] = "ci"
    data: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < _LEAST_SEEDS:
            raise ClaimError(
                f"claim {self.name} has {len(set(self.seeds))} seeds.",
                f"give it at least {_LEAST_SEEDS}: one that holds once may hold by luck.",
            )
