"""Try every attack and say which succeeded: python -m tests.attacks [--engine ours|nbgrader|otter|all] [--only X]."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.attacks.attack import Attack
from tests.attacks.catalogue import find
from tests.attacks.engine import AbstractEngine, Outcome

_ENGINES = ("ours", "nbgrader", "otter")
_COLOR = {"CHEAT SUCCEEDED": "red", "FAILED": "green", "wrong": "red", "as expected": "green", "skipped": "dim"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit status is 1 if an attack on ours succeeded or a control came out wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("--engine", choices=[*_ENGINES, "all"], default="ours")
    parser.add_argument("--only", action="append", default=[], help="a name, a category, or a part of a name")
    parser.add_argument(
        "--isolation", choices=["warm", "cold", "none"], default="warm", help="how ours keeps them apart"
    )
    parser.add_argument("--alone", action="store_true", help="each attack in a class of its own")
    parser.add_argument("--save", type=Path, help="also write the results to this JSON file")
    parser.add_argument("--list", action="store_true", help="list the attacks and run none")
    chosen = parser.parse_args(arguments)
    attacks = find(chosen.only)
    console = Console()
    if chosen.list:
        for attack in attacks:
            console.print(f"{attack.name:<32} {attack.category:<9} {attack.tries}", highlight=False, soft_wrap=True)
        return 0
    results: dict[str, list[Outcome]] = {}
    for name in _ENGINES if chosen.engine == "all" else (chosen.engine,):
        engine = make_engine(name, isolation=chosen.isolation, batch=1 if chosen.alone else 40)
        try:
            for so_far in _run(engine, attacks, console):
                results[name] = so_far
                if chosen.save is not None:  # after every batch: a run of peers takes hours
                    rows = {one: [outcome.as_row() for outcome in outcomes] for one, outcomes in results.items()}
                    chosen.save.write_text(json.dumps(rows, indent=1) + "\n")
        finally:
            engine.close()
    console.print(_table(results))
    for name, outcomes in results.items():
        tried = [one for one in outcomes if not one.skipped and one.attack.category != "control"]
        won = sum(one.verdict == "CHEAT SUCCEEDED" for one in tried)
        console.print(f"{name}: {won} of {len(tried)} attacks succeeded.", highlight=False)
    return int(any(one.verdict in ("CHEAT SUCCEEDED", "wrong") for one in results.get("ours", [])))


def make_engine(name: str, *, isolation: str = "warm", batch: int = 40) -> AbstractEngine:
    """The engine of a name."""
    if name == "ours":
        from tests.attacks.engine_ours import Ours

        return Ours(isolation=isolation, batch=batch)
    from benchmarks.peers.engines import make_peer

    return make_peer(name)


def _run(engine: AbstractEngine, attacks: Sequence[Attack], console: Console) -> Iterator[list[Outcome]]:
    """Grade batch by batch; all outcomes so far, in the order of the table."""
    outcomes = {}
    chosen = []
    for attack in attacks:
        if reason := engine.why_not(attack):
            outcomes[attack.name] = Outcome(attack=attack, skipped=reason)
        else:
            chosen.append(attack)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(engine.name, total=len(chosen))
        for start in range(0, max(1, len(chosen)), engine.batch):
            for outcome in engine.grade(chosen[start : start + engine.batch]):
                outcomes[outcome.attack.name] = outcome
                progress.advance(task)
            yield [outcomes[attack.name] for attack in attacks if attack.name in outcomes]


def _table(results: dict[str, list[Outcome]]) -> Table:
    table = Table("attack", "tries", *results)
    for number, outcome in enumerate(next(iter(results.values()))):
        attack = outcome.attack
        cells = [_words(outcomes[number]) for outcomes in results.values()]
        last = number + 1 == len(next(iter(results.values())))
        following = None if last else next(iter(results.values()))[number + 1].attack.category
        table.add_row(attack.name, attack.tries, *cells, end_section=following != attack.category)
    return table


def _words(outcome: Outcome) -> str:
    color = _COLOR[outcome.verdict]
    details = [outcome.skipped] if outcome.skipped else [*outcome.cheats, *outcome.notes]
    return f"[{color}]{outcome.verdict}[/{color}]" + "".join(f"\n{line.replace('[', '(')}" for line in details)


if __name__ == "__main__":
    sys.exit(main())
