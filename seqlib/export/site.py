"""The whole course as a folder of pages: an index and every lecture."""

import html
from collections.abc import Callable
from pathlib import Path

from seqlib.catalogue import Lecture, read_lectures
from seqlib.claims import results
from seqlib.errors import ExportError
from seqlib.export.lecture import Exported, export_lecture
from seqlib.export.page import render
from seqlib.files import write_whole

__all__ = ["export_site"]

_TITLE = "Sequence processing with neural networks and attention"
_INTRODUCTION = "<p>Each lecture is one page. Click into a stepper and press the arrow keys.</p>"


def export_site(
    root: Path,
    folder: Path,
    *,
    on_cell: Callable[[Lecture, int, int], None] = lambda lecture, done, total: None,
) -> list[Exported]:
    """Write the index and every lecture, slides included, into `folder`.

    Args:
        root: The course folder.
        folder: Where the pages go.
        on_cell: Told after each code cell: the lecture, how many cells are done, and how many there are.
    """
    written = []
    lectures = read_lectures(root)
    for lecture in lectures:
        written.append(
            export_lecture(
                root / lecture.path,
                folder / _page(lecture),
                slides=True,
                home="index.html",
                on_cell=lambda done, total, lecture=lecture: on_cell(lecture, done, total),  # type: ignore[misc]
            )
        )
    index = folder / "index.html"
    page = render(title=_TITLE, cells=f'<section class="cell">{_index(lectures)}{_claims()}</section>')
    write_whole(index, page, error=ExportError)
    return [*written, Exported(path=index, size_bytes=index.stat().st_size)]


def _index(lectures: list[Lecture]) -> str:
    rows = "".join(
        f'<tr><td>{lecture.number}</td><td><a href="{_page(lecture)}">{html.escape(lecture.title)}</a></td>'
        f"<td>{html.escape(lecture.question)}</td><td>{lecture.minutes} min</td></tr>"
        for lecture in lectures
    )
    head = "<tr><th></th><th>lecture</th><th>its question</th><th>in class</th></tr>"
    return f"<h1>{_TITLE}</h1>{_INTRODUCTION}<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _claims() -> str:
    rows = "".join(
        f"<tr><td>{html.escape(claim.statement)}</td><td>{html.escape(claim.criterion)}</td>"
        f"<td>{html.escape(claim.ranges())}</td><td>{len(claim.seeds)}</td><td>{claim.seconds:.0f}</td>"
        f"<td>{'held' if claim.held else 'not held'}</td></tr>"
        for claim in results.load().values()
    )
    head = "<tr><th>claim</th><th>criterion</th><th>measured</th><th>seeds</th><th>seconds</th><th></th></tr>"
    told = "<p>What the lectures claim, as <code>seqlib claims</code> measured it.</p>"
    return f"<h2>Claims</h2>{told}<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _page(lecture: Lecture) -> str:
    return f"{Path(lecture.file).stem}.html"
