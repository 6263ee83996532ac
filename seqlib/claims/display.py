"""What `seqlib claims` shows: a bar while experiments run, and a table of what they measured."""

from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from seqlib.claims.claim import Claim
from seqlib.claims.results import Result
from seqlib.claims.runner import Job

__all__ = ["Watch", "claims_table", "results_table", "show"]

_PIPED_COLUMNS = 120


class Watch:
    """A bar over the jobs, on standard error, with a line for each one that ends; the bar is weighted by CPU time.

    Args:
        jobs: What will be run.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.done = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]} of {task.fields[jobs]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task(
            "", total=sum(job.claim.seconds for job in jobs), done=0, jobs=len(jobs), visible=bool(jobs)
        )

    def __enter__(self) -> "Watch":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, job: Job) -> None:
        """Show which job runs."""
        self._progress.update(self._task, description=f"{job.claim.name}, seed {job.seed}")

    def ended(self, job: Job, result: Result) -> None:
        """Move the bar, and leave a line."""
        self.done += 1
        one = result.seeds[job.seed]
        word = "held" if one.held else "NOT HELD"
        self._progress.console.print(f"{job.claim.name}, seed {job.seed}: {word} ({one.seconds:.1f} s)", markup=False)
        self._progress.update(self._task, advance=job.claim.seconds, done=self.done)


def results_table(results: Mapping[str, Result]) -> Table:
    """Show each claim with its source, criterion, measured ranges, seeds, CPU seconds and verdict."""
    table = Table(Column("claim", no_wrap=True), "source", "criterion", "measured", show_lines=True)
    for column in ("seeds", "CPU s", "held"):
        table.add_column(column, no_wrap=True)
    for name, result in results.items():
        seeds = ", ".join(str(seed) for seed in result.seeds)
        held = "yes" if result.held else "NO"
        table.add_row(name, result.source, result.criterion, result.ranges(), seeds, f"{result.seconds:.1f}", held)
    return table


def claims_table(claims: Mapping[str, Claim], standings: Mapping[str, str]) -> Table:
    """Show each claim with what it says, what it costs and how it stands, without running any."""
    table = Table(
        Column("claim", no_wrap=True), "statement", "tier", "seeds", "CPU s a seed", "stands", show_lines=True
    )
    for name, claim in claims.items():
        seeds = ", ".join(str(seed) for seed in claim.seeds)
        table.add_row(name, claim.statement, claim.tier, seeds, f"{claim.seconds:g}", standings[name])
    return table


def show(table: Table) -> None:
    """Print a table as wide as the terminal, or wide enough to read where the output goes to a file."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_COLUMNS
    console.print(table)
