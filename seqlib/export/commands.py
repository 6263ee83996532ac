"""The command `seqlib export`."""

from pathlib import Path
from typing import Annotated

import typer

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
    """Run one lecture and write it as one HTML file."""
    from seqlib.catalogue import find_course, find_lecture
    from seqlib.export import export_lecture

    root = find_course(course)
    path = Path(name) if Path(name).is_file() else root / find_lecture(root, name).path
    target = out or root / "dist" / f"{path.stem}.html"
    with _progress() as progress:
        task = progress.add_task(path.stem, total=None)
        exported = export_lecture(
            path,
            target,
            slides=slides,
            on_cell=lambda done, total: progress.update(task, completed=done, total=total),
        )
    _say([exported])


@_export.command()
def site(
    out: Annotated[Path | None, typer.Option(help="The folder to write. Default: dist/site in the course.")] = None,
    course: _Course = None,
) -> None:
    """Run every lecture and write the pages of the course, with an index."""
    from seqlib.catalogue import find_course
    from seqlib.export import export_site

    root = find_course(course)
    with _progress() as progress:
        tasks: dict = {}

        def on_cell(lecture, done, total) -> None:  # type: ignore[no-untyped-def]
            task = tasks.setdefault(lecture.file, None) or progress.add_task(lecture.title, total=total)
            tasks[lecture.file] = task
            progress.update(task, completed=done)

        exported = export_site(root, out or root / "dist" / "site", on_cell=on_cell)
    _say(exported)


def _progress():  # type: ignore[no-untyped-def]
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def _say(exported) -> None:  # type: ignore[no-untyped-def]
    for each in exported:
        typer.echo(f"{each.path}  {each.size_bytes / 1e6:.2f} MB")
        for problem in each.problems:
            typer.echo(f"{each.path.name}: {problem}; the page shows its source.", err=True)
