"""The command `seqlib export`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # the command line starts without what only an export needs
    from rich.progress import Progress

    from seqlib.export.lecture import Exported

__all__ = ["app"]

app = typer.Typer()
_export = typer.Typer(no_args_is_help=True, help="Write lectures as web pages that need no kernel and no network.")
app.add_typer(_export, name="export")

_Course = Annotated[
    Path | None, typer.Option(help="Folder of the course. Default: the one you are in, or one above it.")
]


@_export.command()
def lecture(
    name: Annotated[str, typer.Argument(metavar="LECTURE", help="Its number, such as 02, or its file.")],
    out: Annotated[Path | None, typer.Option(help="The file to write. Default: dist/NAME.html in the course.")] = None,
    slides: Annotated[bool, typer.Option("--slides", help="Add a slide view and the presenter's notes.")] = False,
    course: _Course = None,
) -> None:
    """Run one lecture and write it as one HTML file.

    The steppers in it work without Python: hand the file out, or put it on any web server.
    """
    from seqlib.catalogue import find_course, find_lecture
    from seqlib.export.lecture import export_lecture

    path = Path(name)
    if not path.is_file():
        root = find_course(course)
        path = root / find_lecture(root, name).path
    target = out or find_course(course) / "dist" / f"{path.stem}.html"
    with _progress() as progress:
        task = progress.add_task(path.stem, total=None)
        exported = export_lecture(
            path, target, slides=slides, on_cell=lambda done, total: progress.update(task, completed=done, total=total)
        )
    _say([exported])


@_export.command()
def site(
    out: Annotated[Path | None, typer.Option(help="The folder to write. Default: dist/site in the course.")] = None,
    course: _Course = None,
) -> None:
    """Run every lecture and write the pages of the course, slides included, with an index."""
    from seqlib.catalogue import find_course, read_lectures
    from seqlib.export.site import export_site

    root = find_course(course)
    with _progress() as progress:
        tasks = {lecture.file: progress.add_task(lecture.title, total=None) for lecture in read_lectures(root)}
        exported = export_site(
            root,
            out or root / "dist" / "site",
            on_cell=lambda lecture, done, total: progress.update(tasks[lecture.file], completed=done, total=total),
        )
    _say(exported)


def _progress() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def _say(exported: "Iterable[Exported]") -> None:
    for each in exported:
        typer.echo(f"{each.path}  {each.size_bytes / 1e6:.2f} MB")
        for problem in each.problems:
            typer.echo(f"{each.path.name}: {problem}; the page shows its source.", err=True)
