"""The commands `seqlib store verify`, `store jobs`, `store retry` and `seqlib replay`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from seqlib.grading.graded import TimeLimits
    from seqlib.grading.store import Record, Standing, Store

__all__ = ["app"]

app = typer.Typer()
store_app = typer.Typer(help="Look into the store of jobs and verdicts.", no_args_is_help=True)
app.add_typer(store_app, name="store")

_SHOWN = ("claimed", "set aside")

_Course = Annotated[Path, typer.Option(help="The class folder.")]
_Key = Annotated[Path | None, typer.Option(help="The course key. Default: COURSE/course.key.")]
_Place = Annotated[str | None, typer.Option("--store", help="A file or a database URL. Default: COURSE/store.db.")]
_Only = Annotated[str | None, typer.Option("--assignment", help="Only jobs of this assignment.")]


@store_app.command()
def verify(
    course: _Course = Path("class"),
    head: Annotated[
        str | None, typer.Option(help="A head that was printed before: records after it may not be cut off.")
    ] = None,
    key: _Key = None,
    place: _Place = None,
) -> None:
    """Go through the seals of all verdicts and jobs: was anything changed, left out or moved?"""
    with _opened(course, place, key) as store:
        count = store.verify(head)
        last = store.head()
    _say(f"{count} verdicts, all seals whole.", f"Head {last}")


@store_app.command()
def jobs(course: _Course = Path("class"), assignment: _Only = None, key: _Key = None, place: _Place = None) -> None:
    """Show how many jobs wait, run and are done, and every job that met a fault or is set aside, with the reason."""
    from rich.console import Console

    with _opened(course, place, key) as store:
        standings, counts = store.jobs(assignment), store.progress(assignment)
    _say(", ".join(f"{count} {state}" for state, count in counts.items()))
    told = [one for one in standings if one.progress.faults or one.progress.lost or one.progress.state in _SHOWN]
    if told:
        Console().print(_table(told))
    if counts and any(standing.progress.state == "set aside" for standing in told):
        _say(f"To grade those again: seqlib store retry --set-aside --course {course}")


@store_app.command()
def retry(
    student: Annotated[str | None, typer.Argument(help="Whose work to grade again.")] = None,
    set_aside: Annotated[bool, typer.Option("--set-aside", help="Everything that is set aside.")] = False,
    course: _Course = Path("class"),
    assignment: _Only = None,
    key: _Key = None,
    place: _Place = None,
) -> None:
    """Queue work for another grading, as a new run; the verdicts that it has stay in the store.

    Give a student, or --set-aside. The next `seqlib grade` runs it.
    """
    from seqlib.errors import GradingError

    if (student is None) is not set_aside:
        raise GradingError("it is not said whose work to grade again.", "give either a student or --set-aside.")
    with _opened(course, place, key, write=True) as store:
        chosen = _chosen(store, student, assignment)
        if not chosen and student is not None:
            raise GradingError(
                f"the store has no graded job of {student}.", f"see what it has: seqlib store jobs --course {course}"
            )
        for standing in chosen:
            run = store.regrade(standing.job)
            _say(f"{standing.job.student}'s {standing.job.assignment} waits for run {run}.")
    _say(f"{len(chosen)} jobs queued. Next: seqlib grade ASSIGNMENT --course {course}")


@app.command()
def replay(
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its folder under solutions/.")],
    course: _Course = Path("class"),
    trusted: Annotated[
        bool, typer.Option("--trusted", help="You trust the submissions: they run with your rights, unisolated.")
    ] = False,
    student: Annotated[list[str] | None, typer.Option("--student", help="Only this student; again for more.")] = None,
    key: _Key = None,
    place: _Place = None,
    root: Annotated[Path | None, typer.Option(help="The instructors' repository. Default: the one you are in.")] = None,
) -> None:
    """Grade recorded work again and compare the verdicts with those in the store; nothing is written.

    The exit status is 1 if a verdict differs or a record can't be replayed.
    """
    from seqlib.grading.kit import course_folder, course_key
    from seqlib.grading.replay import replay as run
    from seqlib.grading.software import environment_digest
    from seqlib.grading.source import find_root
    from seqlib.grading.worker import Worker, WorkerSettings

    folder, home = course_folder(course), find_root(root)
    secret = course_key(folder, key, create=False)
    with _opened(course, place, key) as store:
        store.verify()
        records = store.latest(assignment)
    settings = WorkerSettings(
        assignment=assignment,
        root=home,
        key=secret,
        isolation="none" if trusted else "warm",
        time_limits=_time_limits(records),
    )
    here = environment_digest(home, isolated=not trusted)
    count = differing = 0
    with Worker(settings) as worker:
        for one in run(worker.kit, secret, records, folder, worker.grade, tuple(student or ()), here):
            count += 1
            differing += not one.same
            _say(f"{one.student}: {one.fault or ('the same' if one.same else 'DIFFERS')}")
            _say(*(f"  {d.check} {d.name}: recorded {d.recorded}, now {d.replayed}" for d in one.differences))
    _say(f"{count} replayed, {differing} not the same. Nothing was written.")
    raise typer.Exit(int(differing > 0))


def _time_limits(records: "dict[str, Record]") -> "TimeLimits":
    """The limits that the records were made under."""
    from seqlib.grading.graded import TimeLimits

    usual = TimeLimits()
    told = next((dict(record.work.limits) for record in records.values()), {})
    cell_s, notebook_s = told.get("cell_s", usual.cell_s), told.get("notebook_s", usual.notebook_s)
    return TimeLimits(cell_s=cell_s, notebook_s=notebook_s)


@contextmanager
def _opened(course: Path, place: str | None, key: Path | None, *, write: bool = False) -> "Iterator[Store]":
    from seqlib.errors import GradingError
    from seqlib.grading.class_store import STORE_FILE
    from seqlib.grading.kit import course_folder, course_key
    from seqlib.grading.store import Store

    folder = course_folder(course)
    where = place or str(folder / STORE_FILE)
    if "://" not in where and not Path(where).is_file():
        raise GradingError(f"there is no store {where}.", f"run: seqlib grade ASSIGNMENT --course {course}")
    with Store(where, course_key(folder, key, create=False), write=write) as store:
        yield store


def _chosen(store: "Store", student: str | None, assignment: str | None) -> "list[Standing]":
    """The jobs to queue again, of each student and assignment the one that was asked for last: it is what counts."""
    newest = {(one.job.assignment, one.job.student): one for one in store.jobs(assignment)}
    if student is None:
        return [one for one in newest.values() if one.progress.state == "set aside"]
    return [one for one in newest.values() if one.job.student == student and one.progress.final]


def _table(standings: "list[Standing]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for name in ("student", "assignment", "state", "attempts", "owner", "reason"):
        table.add_column(name, overflow="fold")
    for standing in standings:
        job, progress = standing.job, standing.progress
        cells = (job.student, job.assignment, progress.state, str(progress.attempts), progress.owner, progress.reason)
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _say(*lines: str) -> None:
    from rich.console import Console

    console = Console()
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)
