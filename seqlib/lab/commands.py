"""The commands `seqlib lab` and `seqlib doctor`."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["EXAMINERS", "app"]

EXAMINERS: set[str] = set()
"""Modules whose `findings()` the doctor shows besides its own; the command line names those that are installed."""

app = typer.Typer()


@app.command()
def lab(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on this computer. Default: the first free one from 8888.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in your browser.")] = True,
    present: Annotated[
        str | None, typer.Option(metavar="LECTURE", help="Open this lecture as slides, by its number, such as 02.")
    ] = None,
    course: Annotated[
        Path | None, typer.Option(help="Folder of the course. Default: the one you are in, or one above it.")
    ] = None,
) -> None:
    """Open the course in JupyterLab. Stop it with Ctrl+C.

    Everything stays on this computer: the server answers no other one.
    """
    from seqlib.catalogue import find_course, find_lecture
    from seqlib.lab.server import check_python, open_lab

    check_python()
    root = find_course(course)
    lecture = find_lecture(root, present) if present else None
    raise typer.Exit(open_lab(root, port=port, browser=browser, lecture=lecture))


@app.command()
def doctor() -> None:
    """List what is installed, what it is for, and the command that installs what is not.

    The exit status is 1 if something is missing without which nothing works.
    """
    from rich.console import Console

    from seqlib.lab.doctor import examine, report

    findings = examine()
    for name in sorted(EXAMINERS):
        findings += import_module(name).findings()
    Console().print(report(findings))
    raise typer.Exit(int(any(finding.missing and finding.required for finding in findings)))
