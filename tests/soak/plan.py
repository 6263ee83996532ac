"""What is killed in which run: every named transition in turn, then moments and parts at random; a number is a plan."""

import random
from dataclasses import asdict, dataclass

__all__ = ["NAMED", "Plan", "plan"]

_WRITES = ("enqueue", "claim", "finish")
_STEPS = (
    *("spawn:before", "spawn:after", "submit:after", "outcome:after", "autograded:before", "autograded:after"),
    *("project:before", "project:after"),
)
_REPEATED = ("claim", "finish", "submit", "outcome", "autograded")
NAMED = tuple(
    f"{place}:{count}"
    for place in (*_STEPS, *(f"{name}:{moment}" for name in _WRITES for moment in ("before", "within", "after")))
    for count in (1, 2, 4)
    if count == 1 or place.split(":")[0] in _REPEATED
)
_LOSSES = ("lost:before:1", "lost:within:1", "lost:after:1")
_RELEASES = ("release:before:1", "release:within:1", "release:after:1")
_WORKERS = tuple(f"{name}:1" for name in ("ready:before", "grade:before", "grade:after"))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        number: Which.
        engine: `paper` or `real`.
        store: `sqlite` or `postgres`.
        target: What is killed: coordinator, worker, the workers' template, the warm parent, child, connections, server;
            or interrupt (Ctrl+C).
        order: The named transition; empty for a random moment.
        share: The random moment, as a share of what a run takes.
        lose: Whether one worker of paper dies too.
        again: The named transition at which the run that goes on is killed as well.
    """

    number: int
    engine: str
    store: str
    target: str
    order: str = ""
    share: float = 0.0
    lose: int = 0
    again: str = ""

    def as_row(self) -> dict[str, object]:
        """For the file of results."""
        return {name: value for name, value in asdict(self).items() if value not in ("", 0, 0.0)}


def plan(number: int, engine: str, *, postgres: bool) -> Plan:
    """The plan of a number; equal numbers have equal plans."""
    rng = random.Random(f"{engine} {number}")
    store = "postgres" if postgres and number % 3 == 2 else "sqlite"
    if engine == "paper":
        return _paper(number, store, rng)
    targets = ["coordinator", "worker", "parent", "child", "interrupt", "coordinator", "template"]
    if store == "postgres":
        targets = ["connections", "server", "coordinator", "worker"]
    turn = number // 3 if store == "postgres" else number - number // 3
    target = targets[turn % len(targets)] if number < 60 else rng.choice(targets)
    order = ""
    if target == "coordinator" and rng.random() < 0.5:
        order = rng.choice(NAMED)
    if target == "worker" and rng.random() < 0.5:
        order = rng.choice(_WORKERS)
    return Plan(number=number, engine=engine, store=store, target=target, order=order, share=rng.uniform(0.05, 1.0))


def _paper(number: int, store: str, rng: random.Random) -> Plan:
    places = (*NAMED, *_LOSSES, *_RELEASES)
    order = places[number // 2 % len(places)] if number % 2 == 0 else ""
    target = "coordinator"
    if order.startswith("release"):
        target = "interrupt"
    elif not order:
        choices = ["coordinator", "coordinator", "interrupt"] + ["connections", "server"] * (store == "postgres")
        target = rng.choice(choices)
    lose = rng.randint(1, 6) if order.startswith("lost") or rng.random() < 0.2 else 0
    again = rng.choice(NAMED) if rng.random() < 0.4 else ""
    return Plan(
        number=number,
        engine="paper",
        store=store,
        target=target,
        order=order,
        share=rng.uniform(0.0, 1.1),
        lose=lose,
        again=again,
    )
