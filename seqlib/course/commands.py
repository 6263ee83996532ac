"""The commands `seqlib start` and `seqlib submit`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer()

_Course = Annotated[
    Path | None, typer.Option(help="Folder of the course. Default: the one you are in, or one above it.")
]


@app.command()
def start(
    assignment: Annotated[str, typer.Argument(help="Its name, such as a1_recurrent.")], course: _Course = None
) -> None:
    """Copy an assignment into work/, where you write your answers.

    Your copy is never overwritten: when a new release comes, it is laid beside yours.
    """
    from seqlib.catalogue import find_course
    from seqlib.course.copies import start as copy

    started = copy(assignment, find_course(course))
    said = {
        "new": "Your copy is ready:",
        "kept": "You have a copy already, and it is as you left it:",
        "beside": "There is a new release. Your copy stays as it is; the new one lies beside it:",
    }
    typer.echo(f"{said[started.state]}\n  {started.notebook}")
    typer.echo("Open it with: seqlib lab")
    _say_due(assignment, find_course(course))


@app.command()
def submit(
    path: Annotated[
        str, typer.Argument(help="An assignment, its folder or its notebook. Default: the notebook in this folder.")
    ] = "",
    to: Annotated[
        Path | None, typer.Option(help="Folder that the class exchanges files in. Default: SEQLIB_EXCHANGE.")
    ] = None,
    student: Annotated[str, typer.Option(help="Your name there. Default: SEQLIB_STUDENT, else your account's.")] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Hand in although cells are missing or doubled.")] = False,
    course: _Course = None,
) -> None:
    """Hand in an assignment: one packed file, and a digest that is your receipt.

    The notebook is looked through first: nothing is written if it is damaged; what is unfinished is named.
    Hand in as often as you like: the last one that arrives counts, and when it arrived is stamped at the other end.
    """
    from seqlib.catalogue import find_course
    from seqlib.course.submit import submit as pack

    made = pack(path, find_course(course), student=student, exchange=to, anyway=anyway)
    for fault in made.faults:
        typer.echo(f"Note: {fault}.")
    if made.faults:
        typer.echo("It is handed in as it is. Mend it and hand in again: the last file that arrives counts.")
    typer.echo(f"Packed: {made.pack}")
    typer.echo(f"Handed in: {made.dropped}" if made.dropped else "Hand in this file where your course asks for it.")
    typer.echo(f"Receipt: {made.digest[:16]} (the first 16 digits of the file's SHA-256), kept in {made.receipt}")
    if made.arrived:
        typer.echo(f"From the other end: {made.arrived}.")
    elif made.dropped:
        typer.echo(f"Once it has been collected, its receipt lies in {made.dropped.parent / 'receipts'}.")
    _say_due(made.assignment, find_course(course))


def _say_due(assignment: str, course: Path) -> None:
    """Say when it is due and how much time is left, or what lateness costs; no fault of the table stops anybody."""
    from datetime import UTC, datetime

    from seqlib.course.deadlines import read_deadlines
    from seqlib.course.lateness import outlook, policy_words
    from seqlib.errors import DeadlineError

    try:
        deadline = read_deadlines(course).get(assignment)
    except DeadlineError as error:
        typer.echo(f"Note: {error.what} Ask when it is due.")
        return
    if deadline is not None:
        typer.echo(outlook(datetime.now(UTC), deadline))
        typer.echo(policy_words(deadline.policy))
        typer.echo("The time left is by this computer's clock; what counts is when the file arrives at the other end.")
