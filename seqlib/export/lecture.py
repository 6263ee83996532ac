"""One lecture, from its text to one file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.errors import ExportError
from seqlib.export.execute import read_lecture, run_lecture
from seqlib.export.page import lecture_page
from seqlib.files import write_whole

__all__ = ["Exported", "export_lecture"]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote.

    Args:
        path: The file.
        size_bytes: How long it is.
        problems: One sentence for each formula that stands in the page as source.
    """

    path: Path
    size_bytes: int
    problems: list[str] = field(default_factory=list)


def export_lecture(
    path: Path,
    out: Path,
    *,
    slides: bool = False,
    home: str = "",
    on_cell: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Run a lecture and write it as one HTML file that needs no kernel and no network.

    Args:
        path: The lecture.
        out: The file to write; it appears only when it is complete.
        slides: Add the slide view and the presenter's notes.
        home: A link to the index of the site; none for a page by itself.
        on_cell: Told after each code cell: how many are done, and how many there are.

    Raises:
        ExportError: A cell fails, a picture is missing, or the file can't be written.
    """
    notebook = read_lecture(path)
    run_lecture(notebook, path, on_cell)
    page = lecture_page(notebook, path.parent, slides=slides, home=home)
    write_whole(out, page.markup, error=ExportError)
    return Exported(path=out, size_bytes=out.stat().st_size, problems=page.problems)
