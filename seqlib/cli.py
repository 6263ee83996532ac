"""The `seqlib` command: each area brings its own commands, and an error is one line with what to do next."""

import sys
from importlib import import_module
from importlib.util import find_spec

import typer
from rich.console import Console

from seqlib.errors import SeqlibError

__all__ = ["app", "main"]

# The students' edition holds no seqlib.grading: its commands are then not there.
_AREAS = (
    "seqlib.lab.commands",
    "seqlib.export.commands",
    "seqlib.course.commands",
    "seqlib.claims.commands",
    "seqlib.grading.release_commands",
    "seqlib.grading.commands",
    "seqlib.grading.result_commands",
    "seqlib.grading.store_commands",
)
_EXAMINERS = ("seqlib.grading.sandbox.findings",)
"""Modules whose `findings` the doctor shows besides its own."""

_EXIT_STATUS = 2


def app() -> typer.Typer:
    """Put the commands of every installed area under one `seqlib`."""
    merged = typer.Typer(
        name="seqlib",
        help="A course on sequence processing that you run. Start with: seqlib lab",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    for area in _AREAS:
        if _installed(area):
            merged.add_typer(import_module(area).app)
    import_module("seqlib.lab.commands").EXAMINERS.update(filter(_installed, _EXAMINERS))
    return merged


def main() -> None:
    """Run the command line; an error that seqlib raises on purpose is shown without a traceback."""
    try:
        app()()
    except SeqlibError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"{type(error).__name__}: {error.what}", style="red", markup=False, soft_wrap=True)
        console.print(f"Hint: {error.hint}", markup=False, soft_wrap=True)
        sys.exit(_EXIT_STATUS)


def _installed(module: str) -> bool:
    parts = module.split(".")
    return all(find_spec(".".join(parts[:count])) is not None for count in range(1, len(parts) + 1))


if __name__ == "__main__":
    main()
