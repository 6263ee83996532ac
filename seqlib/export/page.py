"""The parts of a lecture put into one file, and the proof that it asks nothing of a network."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from string import Template

from nbformat import NotebookNode

from seqlib.errors import ExportError
from seqlib.export.formulas import Formulas
from seqlib.export.markdown import Markdown, contents, plain
from seqlib.export.outputs import Outputs
from seqlib.export.steppers import Steppers

__all__ = ["Page", "check_self_contained", "lecture_page"]

_STATIC = Path(__file__).parent / "static"
_LOADING = {"src", "srcset", "poster", "data", "background"}
_REMOTE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
_REMOTE_STYLE = re.compile(r"(?:@import|url\()\s*[\"']?\s*(?:https?:)?//[^\"')\s]+", re.IGNORECASE)


@dataclass
class Page:
    """A page and what could not be turned into HTML.

    Args:
        markup: The whole file.
        problems: One sentence for each formula that stands there as source.
    """

    markup: str
    problems: list[str] = field(default_factory=list)


def lecture_page(notebook: NotebookNode, folder: Path, *, slides: bool = False, home: str = "") -> Page:
    """Write an executed lecture as one page.

    Args:
        notebook: The executed notebook.
        folder: Where the lecture's pictures lie.
        slides: Add the slide view and the presenter's notes.
        home: A link to the index of the site; none for a page by itself.

    Raises:
        ExportError: The page would load something.
    """
    formulas = Formulas()
    markdown = Markdown(folder, formulas)
    steppers = Steppers(notebook)
    outputs = Outputs(steppers, formulas, markdown.render)
    cells = [markup for cell in notebook.cells if (markup := _cell(cell, markdown, outputs, slides))]
    title = plain(markdown.headings[0].markup) if markdown.headings else "Lecture"
    page = render(
        title=title,
        contents=contents(markdown.headings),
        cells="\n".join(cells),
        styles=steppers.styles + ([_read("slides.css")] if slides else []),
        payload=steppers.payload() if steppers else "",
        scripts=[_read("shim.js")] * bool(steppers) + [_read("slides.js")] * slides,
        home=home,
        slides=slides,
    )
    return Page(page, formulas.problems)


def render(
    *,
    title: str,
    cells: str,
    contents: str = "",
    styles: list[str] | None = None,
    payload: str = "",
    scripts: list[str] | None = None,
    home: str = "",
    slides: bool = False,
) -> str:
    """Fill the template and check that the result loads nothing."""
    page = Template(_read("page.html")).substitute(
        title=html.escape(title),
        style="\n".join([_read("page.css"), *(styles or [])]),
        home=f'<a class="home" href="{html.escape(home)}">All lectures</a>' if home else "",
        present='<button type="button" id="present">Slides</button>' if slides else "",
        contents=f'<nav class="contents" aria-label="Contents">{contents}</nav>' if contents else "",
        cells=cells,
        payload=f'<script type="application/json" id="steppers">{payload}</script>' if payload else "",
        scripts="\n".join(
            f'<script type="module">\n{script}</script>' for script in [_read("page.js"), *(scripts or [])]
        ),
    )
    check_self_contained(page)
    return page


def check_self_contained(page: str) -> None:
    """Refuse a page that would load something from elsewhere; links that a reader follows are no loading.

    Raises:
        ExportError: An element or a style names a remote address.
    """
    finder = _Remote()
    finder.feed(page)
    if finder.found:
        raise ExportError(
            f"the page would load {finder.found[0]}.",
            "put what the cell shows into the lecture's folder; a lecture loads nothing from a network.",
        )


class _Remote(HTMLParser):
    """Collects the addresses that a browser would ask for while it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if value and _REMOTE.match(value) and (name in _LOADING or (tag == "link" and name == "href")):
                self.found.append(value)
            if name == "style" and value:
                self.found += _REMOTE_STYLE.findall(value)

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += _REMOTE_STYLE.findall(data)


def _cell(cell: NotebookNode, markdown: Markdown, outputs: Outputs, slides: bool) -> str:
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
    if kind == "notes" and not slides:
        return ""
    if cell.cell_type == "markdown":
        body = markdown.render(cell.source)
    elif cell.cell_type == "code":
        body = outputs.code(cell, plain(markdown.headings[-1].markup) if markdown.headings else "")
    else:
        return ""
    mark = f' data-slide="{html.escape(kind)}"' if slides else ""
    return f'<section class="cell {cell.cell_type}"{mark}>{body}</section>' if body else ""


def _read(name: str) -> str:
    return (_STATIC / name).read_text("utf-8")
