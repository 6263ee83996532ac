"""The `seqlib claims` command."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seqlib.errors import ClaimError

__all__ = ["app", "claims"]

app = typer.Typer()
_INTERRUPTED = 130


class Tier(StrEnum):
    """How much to run."""

    ci = "ci"
    full = "full"


@app.command()
def claims(
    only: Annotated[list[str] | None, typer.Option(help="A claim by name; may be given again.")] = None,
    seeds: Annotated[str, typer.Option(help="Seeds instead of each claim's own, such as 3,4,5.")] = "",
    tier: Annotated[
        Tier, typer.Option(help="full: every claim and seed that changed. ci: one seed again, and nothing is stored.")
    ] = Tier.full,
    again: Annotated[bool, typer.Option("--again", help="Run what has not changed, too.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the claims and how each stands; run nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail where a result is stale; run nothing.")] = False,
) -> None:
    """Run the course's claims, and show what each measured.

    Only what changed runs, and an interrupted run goes on where it stopped. Begin with: `seqlib claims --list`
    """
    from seqlib.claims.results import RESULTS

    if listed or check:
        _stand(only, fail=check)
    elif tier is Tier.ci:
        with tempfile.TemporaryDirectory() as folder:
            _run(only, _numbers(seeds), tier, again, Path(folder) / RESULTS.name)
    else:
        _run(only, _numbers(seeds), tier, again, RESULTS)


def _run(only: list[str] | None, seeds: list[int] | None, tier: Tier, again: bool, path: Path) -> None:
    from seqlib.claims.display import Watch, results_table, show
    from seqlib.claims.registry import choose
    from seqlib.claims.results import load
    from seqlib.claims.runner import plan, run

    chosen = choose(only)
    jobs = plan(chosen, seeds, tier.value, again, path)
    try:
        with Watch(jobs) as watch:
            run(jobs, path, watch.started, watch.ended)
    except KeyboardInterrupt:
        typer.echo(f"Interrupted: {watch.done} of {len(jobs)} results are stored; the same command does the rest.")
        raise typer.Exit(_INTERRUPTED) from None
    results = {name: result for name, result in load(path).items() if name in chosen}
    show(results_table({name: results[name] for name in chosen if name in results}))
    if not all(result.held for result in results.values()):
        raise typer.Exit(1)


def _stand(only: list[str] | None, fail: bool) -> None:
    from seqlib.claims.display import claims_table, show
    from seqlib.claims.registry import choose
    from seqlib.claims.results import RESULTS, load
    from seqlib.claims.runner import standing

    chosen, results = choose(only), load(RESULTS)
    standings = {name: standing(claim, results.get(name)) for name, claim in chosen.items()}
    bad = {name: word for name, word in standings.items() if word != "held"}
    if fail and bad:
        raise ClaimError(
            f"{len(bad)} of {len(chosen)} claims do not stand: {'; '.join(f'{n} ({w})' for n, w in bad.items())}.",
            "run: seqlib claims. It runs only what changed; commit the results file.",
        )
    if fail:
        typer.echo(f"All {len(chosen)} claims stand: each result is of today's code and settings, and held.")
    else:
        show(claims_table(chosen, standings))


def _numbers(seeds: str) -> list[int] | None:
    try:
        return [int(seed) for seed in seeds.split(",")] if seeds else None
    except ValueError as error:
        raise ClaimError(f"--seeds is {seeds!r}.", "give whole numbers with commas between, such as 3,4,5.") from error
