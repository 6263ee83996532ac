"""The commands `seqlib release`, `bundle`, `collect` and `mutants`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer()

_Root = Annotated[Path | None, typer.Option("--root", help="The instructors' repository. Default: the one you are in.")]
_Name = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its folder under solutions/, such as a1_recurrent.")]


@app.command()
def release(
    assignment: _Name,
    root: _Root = None,
    course: Annotated[
        Path | None, typer.Option(help="A class folder: nbgrader's source/ and release/ in it are filled as well.")
    ] = None,
) -> None:
    """Make what students get: solutions/ASSIGNMENT is built into assignments/ASSIGNMENT.

    Answers are replaced by stubs, expected values are recorded, points are written into the check cells.
    The release is refused if any line of an answer is in any released byte, and the old one stays then.
    The same source gives the same bytes.
    """
    from rich.console import Console

    from seqlib.catalogue import TABLE
    from seqlib.grading.release import place_in_course
    from seqlib.grading.release import release as make
    from seqlib.grading.source import find_root
    from seqlib.lab.home import write_home

    home = find_root(root)
    with _steps() as report:
        made = make(assignment, home, report=report)
        if course is not None:
            report("filling the class folder")
            place_in_course(assignment, home, course)
        if (home / TABLE).exists():
            report("bringing the home page up to date")
            write_home(home)
    console = Console()
    console.print(f"{assignment}: {len(made.points)} checks, {sum(made.points.values()):g} points.", highlight=False)
    console.print(f"Written to {made.folder}", highlight=False, soft_wrap=True)
    console.print(f"Digest {made.digest[:16]}", highlight=False)


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="A .zip file, or a folder whose work/ is kept.")] = Path("dist/course.zip"),
    course: Annotated[
        Path | None, typer.Option(help="A class folder: its due times and late policy are told, no name, no extension.")
    ] = None,
    root: _Root = None,
) -> None:
    """Write the students' edition of the course: lectures, released assignments, seqlib without answers and grading.

    Only what is on the list in seqlib/grading/edition.py leaves, and the whole of it is searched for answers first.
    In a folder that already holds an edition, files that a student changed are kept in work/kept.
    """
    from rich.console import Console

    from seqlib.grading.bundle import bundle as write
    from seqlib.grading.source import find_root

    with _steps() as report:
        made = write(find_root(root), out, course=course, report=report)
    console = Console()
    console.print(f"{made.files} files written to {made.path}", highlight=False, soft_wrap=True)
    for name in made.kept:
        console.print(f"kept a changed file: {name}", highlight=False, soft_wrap=True)
    console.print(f"Digest {made.digest[:16]}", highlight=False)


@app.command()
def collect(
    assignment: _Name,
    source: Annotated[Path, typer.Option("--from", help="The exchange folder that the students' packs lie in.")],
    course: Annotated[Path, typer.Option(help="The class folder.")] = Path("class"),
    own_accounts: Annotated[
        bool, typer.Option("--own-accounts", help="Refuse a file that belongs to another account than its student's.")
    ] = False,
    root: _Root = None,
) -> None:
    """Take in what students handed in: stamp the arrival, issue receipts, fill COURSE/submitted.

    The time that counts is the clock here, the first time a pack is seen; no time inside a pack is read.
    A pack that can't be opened safely is named with its fault and left where it is.
    The exit status is 1 if any pack was refused.
    """
    from rich.console import Console

    from seqlib.catalogue import RELEASE
    from seqlib.grading.collect import collect as take
    from seqlib.grading.deadlines import class_deadlines
    from seqlib.grading.gradebook import gradebook_url, project
    from seqlib.grading.kit import load_kit
    from seqlib.grading.source import find_root, find_source

    source_of = find_source(assignment, find_root(root))
    with _steps() as report:
        taken = take(assignment, source, course, own_accounts=own_accounts, report=report)
    console = Console()
    for line in taken.lines():
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    if taken.taken and (source_of.released / RELEASE).is_file():
        # So that formgrader lists the assignment, and its own autograde button works at once.
        kit = load_kit(assignment, find_root(root))
        project(kit, gradebook_url(course), {}, {}, class_deadlines(course).get(assignment))
    raise typer.Exit(int(bool(taken.refused)))


@app.command()
def mutants(
    assignment: _Name,
    root: _Root = None,
    exercise: Annotated[str | None, typer.Option(help="Only this exercise.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Run checks that train in full, not only their short form.")
    ] = False,
) -> None:
    """Test the checks themselves: every wrong variant must be named by its own mistake, every right one pass.

    A wrong variant counts as killed only if exactly its own name appears.
    The exit status is 1 if one survives, is misnamed, or a right one does not pass.
    """
    from rich.console import Console

    from seqlib.grading.mutants import run_mutants, table
    from seqlib.grading.source import find_root, find_source
    from seqlib.threads import limit_threads

    with limit_threads(), _steps() as report:
        outcomes = run_mutants(find_source(assignment, find_root(root)), exercise=exercise, full=full, report=report)
    console = Console()
    console.print(table(outcomes))
    faults = [outcome for outcome in outcomes if not outcome.good]
    for outcome in faults:
        console.print(f"{outcome.kind} {outcome.exercise}/{outcome.variant}: {outcome.told}", markup=False)
    raise typer.Exit(int(bool(faults)))


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Show the present step with a spinner on stderr."""
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda step: status.update(f"{step} ...")
