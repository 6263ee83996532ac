"""The commands `seqlib feedback` and `seqlib scores`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqlib.grading.options import Course, Gradebook, Key, Name, Root, Store, Students

if TYPE_CHECKING:
    from seqlib.grading.lms import Export
    from seqlib.grading.scores import Total

__all__ = ["app"]

app = typer.Typer()


class _Style(StrEnum):
    """Whose table it is."""

    plain = "plain"
    canvas = "canvas"
    moodle = "moodle"


@app.command()
def feedback(
    assignment: Name,
    course: Course = Path("class"),
    student: Students = None,
    key: Key = None,
    store: Store = None,
    gradebook: Gradebook = None,
    root: Root = None,
) -> None:
    """Write a page for each student: points, what is wrong by name, what to do next, and their notebook as it ran.

    Pages are COURSE/feedback/STUDENT/ASSIGNMENT/ASSIGNMENT.html.
    They are self-contained, run no script, and show nothing of the secret cases.
    """
    from rich.console import Console

    from seqlib.grading.feedback import write_feedback
    from seqlib.grading.kit import course_folder, course_key, load_kit
    from seqlib.grading.source import find_root

    kit = load_kit(assignment, find_root(root))
    folder = course_folder(course)
    secret = course_key(folder, key, create=False)
    written = write_feedback(kit, folder, secret, tuple(student or ()), store=store, gradebook=gradebook)
    console = Console()
    console.print(f"{len(written)} pages written to {folder / 'feedback'}", highlight=False, soft_wrap=True)


@app.command()
def scores(
    assignment: Name,
    csv: Annotated[Path, typer.Option("--csv", help="The file to write.")],
    course: Course = Path("class"),
    key: Key = None,
    store: Store = None,
    gradebook: Gradebook = None,
    style: Annotated[_Style, typer.Option("--format", help="Plain, or what Canvas or Moodle imports.")] = _Style.plain,
    roster: Annotated[
        Path | None, typer.Option(help="What Canvas (gradebook) or Moodle (participants) exported as CSV.")
    ] = None,
    column: Annotated[str, typer.Option(help="The assignment's column there. Default: its name.")] = "",
) -> None:
    """Export the scores of a class as CSV, manual marks and late penalties included, and print the store's head.

    For Canvas and Moodle the people come from the roster: who did not hand in has an empty cell.
    The exit status is 1 if a student who is graded could not be found there.
    Write the head down: with it the store can show later that nothing was changed or cut off since.
    """
    from rich.console import Console

    from seqlib.errors import GradingError
    from seqlib.grading.class_store import open_store
    from seqlib.grading.kit import course_folder, course_key
    from seqlib.grading.scores import read_totals, write_scores

    folder = course_folder(course)
    with open_store(folder, store, course_key(folder, key, create=False)) as opened:
        count = opened.verify()
        records = opened.latest(assignment)
        head = opened.head()
    if not records:
        raise GradingError(f"nothing of {assignment} is graded in {folder}.", f"run: seqlib grade {assignment} first.")
    made = _export(style, read_totals(assignment, folder, records, gradebook), roster, column or assignment)
    write_scores(csv, made.text)
    console = Console()
    console.print(f"{made.scores} students written to {csv}", highlight=False, soft_wrap=True)
    console.print(f"{count} verdicts, all seals whole. Head {head}", highlight=False, soft_wrap=True)
    for problem in made.problems:
        Console(stderr=True).print(f"Warning: {problem}.", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(int(bool(made.problems)))


def _export(style: _Style, found: "list[Total]", roster: Path | None, column: str) -> "Export":
    from seqlib.errors import GradingError
    from seqlib.grading.lms import CANVAS, MOODLE, Export, canvas_csv, moodle_csv
    from seqlib.grading.roster import read_roster
    from seqlib.grading.scores import scores_csv

    if style is _Style.plain:
        if roster is not None:
            raise GradingError("a plain table takes no roster.", "add --format canvas or --format moodle.")
        return Export(text=scores_csv(found), scores=len(found), problems=())
    if roster is None:
        raise GradingError(
            f"{style} knows students by its own numbers.", f"export them from {style}, then add --roster FILE.csv."
        )
    if style is _Style.canvas:
        return canvas_csv(found, read_roster(roster, CANVAS), column)
    return moodle_csv(found, read_roster(roster, MOODLE), column)
