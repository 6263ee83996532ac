"""The command `seqlib grade`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqlib.grading.options import Course, Gradebook, Key, Name, Root, Store, Students
from seqlib.grading.runners.choose import DeviceName, RunnerName, RunnerOptions, choose_runner

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from seqlib.grading.deadlines import Due
    from seqlib.grading.grade import ClassRun
    from seqlib.grading.rows import Row

__all__ = ["app"]

app = typer.Typer()

_CLUSTER = "On a cluster"


@app.command()
def grade(
    assignment: Name,
    course: Course = Path("class"),
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Without a sandbox: every submission runs with your rights.")
    ] = False,
    student: Students = None,
    regrade: Annotated[bool, typer.Option("--regrade", help="Also grade again what has not changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    key: Key = None,
    store: Store = None,
    gradebook: Gradebook = None,
    root: Root = None,
    cell_seconds: Annotated[float, typer.Option(help="Time for one cell.", min=0.1)] = 300,
    notebook_seconds: Annotated[float, typer.Option(help="Time for one notebook.", min=1)] = 1800,
    isolation: Annotated[
        str | None, typer.Option(help="warm or cold. Default: the best that this machine gives; see seqlib doctor.")
    ] = None,
    runner: Annotated[RunnerName, typer.Option(help="Where submissions are graded.")] = RunnerName.local,
    workers: Annotated[
        int | None, typer.Option(help="Submissions at once. Default: one a processor.", min=1, show_default=False)
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="What students' code may use.")] = DeviceName.cpu,
    scheduler: Annotated[
        str, typer.Option(rich_help_panel=_CLUSTER, help="A running Dask scheduler, such as tcp://10.0.0.5:8786.")
    ] = "",
    node_key: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_CLUSTER, help="The course key's place on a cluster's nodes. Default: it is sent there."
        ),
    ] = None,
    wait: Annotated[
        float | None, typer.Option(rich_help_panel=_CLUSTER, help="Seconds that the first worker may take to come.")
    ] = None,
    slurm_queue: Annotated[str | None, typer.Option(rich_help_panel=_CLUSTER, help="SLURM: partition.")] = None,
    slurm_memory: Annotated[
        str | None, typer.Option(rich_help_panel=_CLUSTER, help="SLURM: memory of a job, such as 8GB.")
    ] = None,
    slurm_time: Annotated[
        str | None, typer.Option(rich_help_panel=_CLUSTER, help="SLURM: time of a job, such as 02:00:00.")
    ] = None,
    slurm_option: Annotated[
        list[str] | None,
        typer.Option(rich_help_panel=_CLUSTER, help="SLURM: another option of sbatch; give it again for more."),
    ] = None,
    slurm_interface: Annotated[
        str | None,
        typer.Option(rich_help_panel=_CLUSTER, help="SLURM: network interface by which nodes reach this machine."),
    ] = None,
    slurm_folder: Annotated[
        Path | None, typer.Option(rich_help_panel=_CLUSTER, help="SLURM: a folder that all nodes see.")
    ] = None,
) -> None:
    """Grade a class: run each notebook in a sandbox, check it from outside, and fill nbgrader's gradebook.

    What was graded before and has not changed is skipped, so an interrupted run goes on where it stopped.
    Manual marks and comments in the gradebook are kept.
    The exit status is 1 if a submission could not be graded for a fault on this side.
    """
    from rich.console import Console

    from seqlib.grading.grade import ClassRun
    from seqlib.grading.graded import TimeLimits
    from seqlib.grading.sandbox.levels import choose_isolation
    from seqlib.grading.settings import Settings
    from seqlib.grading.source import find_root

    console = Console()
    options = RunnerOptions(
        runner=runner,
        workers=workers,
        device=device,
        scheduler=scheduler,
        node_key=node_key,
        wait_s=wait,
        slurm_queue=slurm_queue,
        slurm_memory=slurm_memory,
        slurm_time=slurm_time,
        slurm_options=tuple(slurm_option or ()),
        slurm_interface=slurm_interface,
        slurm_folder=slurm_folder,
    )
    settings = Settings(
        assignment=assignment,
        root=find_root(root),
        course=course,
        students=tuple(student or ()),
        regrade=regrade,
        dry_run=dry_run,
        key=key,
        store=store,
        gradebook=gradebook,
        limits=TimeLimits(cell_s=cell_seconds, notebook_s=notebook_seconds),
        isolation=choose_isolation(trusted, isolation),
        device=device,
        runner=choose_runner(options, lambda line: console.print(line, highlight=False, soft_wrap=True)),
    )
    run = ClassRun(settings)
    rows = _with_progress(run, console)
    console.print(_table(rows, run.plan.due))
    if run.plan.due.deadline is not None:
        console.print(run.plan.due.words, highlight=False)
    _close(run, rows, console)
    raise typer.Exit(int(any(row.infrastructure for row in rows)))


def _with_progress(run: "ClassRun", console: "Console") -> "list[Row]":
    """Grade with a bar; what was done before an interrupt is kept, and shown."""
    rows: list[Row] = []
    with _bar(console) as progress:
        task = progress.add_task(run.plan.settings.assignment, total=len(run), student="starting", rate="")
        run.tell = lambda text: progress.update(task, student=text)
        try:
            for row in run:
                rows.append(row)
                ran, elapsed = sum(not one.skipped for one in rows), progress.tasks[0].elapsed or 0.0
                rate = f"{60 * ran / elapsed:.0f} a minute" if elapsed > 1 and ran else ""
                progress.update(task, advance=1, student=row.student, rate=rate)
            progress.update(task, student="done")
        except KeyboardInterrupt:
            progress.update(task, student="interrupted")
    if len(rows) < len(run):
        console.print(
            f"Interrupted: {len(run) - len(rows)} are still to be graded. Run the same command again to go on."
        )
    return rows


def _bar(console: "Console") -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[student]}", markup=False),
        console=console,
    )


def _table(rows: "list[Row]", due: "Due") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    columns = {
        "student": [row.student for row in rows],
        "score": [f"{row.earned - _penalty(row):g} / {row.points:g}" for row in rows],
        "before": ["" if row.before in (None, row.earned) else f"{row.before:g}" for row in rows],
        "late": [_late(row) if due.deadline is not None else "" for row in rows],
        "not passed": [_failures(row) for row in rows],
        "note": [_remark(row) for row in rows],
    }
    table = Table(box=SIMPLE_HEAD)
    shown = [name for name, cells in columns.items() if any(cells) or name in ("student", "score")]
    for name in shown:
        table.add_column(name, overflow="fold", justify="right" if name in ("score", "before") else "left")
    for number in sorted(range(len(rows)), key=lambda number: rows[number].student):
        table.add_row(*(Text(columns[name][number]) for name in shown))
    return table


def _penalty(row: "Row") -> float | int:
    return row.late.penalty(row.earned) if row.late is not None else 0


def _late(row: "Row") -> str:
    """How late, and what that takes off; the times stand in the exported scores."""
    if row.late is None:
        return "no time of arrival"
    if row.late.closed:
        return "too late, counts zero"
    if not row.late.days:
        return ""
    return f"{row.late.days} day{'s' * (row.late.days > 1)}: {row.earned:g} - {_penalty(row):g}"


def _failures(row: "Row") -> str:
    if not any(verdict.status == "passed" for verdict in row.verdicts):
        statuses = sorted({verdict.status for verdict in row.verdicts})
        return f"none passed ({', '.join(statuses)})"
    named: dict[str, list[str]] = {}
    for verdict in row.verdicts:
        if verdict.status != "passed":
            named.setdefault(verdict.mistake or verdict.status, []).append(verdict.check)
    return ", ".join(
        f"{what}: {len(checks)} checks" if len(checks) > 2 else ", ".join(f"{check}: {what}" for check in checks)
        for what, checks in named.items()
    )


def _remark(row: "Row") -> str:
    parts = [row.fault, "unchanged, skipped" if row.skipped else ""]
    if row.forbidden:
        parts.append("look at: " + ", ".join(str(found) for found in row.forbidden[:3]))
    return "; ".join(part for part in parts if part)


def _close(run: "ClassRun", rows: "list[Row]", console: "Console") -> None:
    ran = sum(not row.skipped for row in rows)
    console.print(f"{len(rows)} submissions, {ran} graded, {len(rows) - ran} unchanged.", highlight=False)
    if run.plan.settings.dry_run:
        console.print("A dry run: nothing was written.", highlight=False)
        return
    console.print(f"Head of the store {run.head}", highlight=False, soft_wrap=True)
    name, course = run.plan.settings.assignment, run.plan.settings.course
    console.print(f"Next: seqlib feedback {name} --course {course}", highlight=False, soft_wrap=True)
