"""Markdown cells as HTML: formulas as MathML, pictures inside the page, headings with anchors."""

import base64
import html
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from seqlib.errors import ExportError
from seqlib.export.formulas import Formulas

__all__ = ["Heading", "Markdown"]


@dataclass(frozen=True)
class Heading:
    """A heading of the page.

    Args:
        level: 1 for the title.
        anchor: The id that a link leads to.
        markup: Its text as HTML.
    """

    level: int
    anchor: str
    markup: str


class Markdown:
    """Renders the cells of one page, and collects their headings.

    Args:
        folder: Where relative pictures lie.
        formulas: Turns what stands between dollar signs.

    >>> page = Markdown(Path(), Formulas())
    >>> page.render("# What *remembers*?")
    '<h1 id="what-remembers">What <em>remembers</em>?</h1>\\n'
    >>> page.headings
    [Heading(level=1, anchor='what-remembers', markup='What <em>remembers</em>?')]
    """

    def __init__(self, folder: Path, formulas: Formulas) -> None:
        self.headings: list[Heading] = []
        self._folder = folder
        self._formulas = formulas
        self._parser = MarkdownIt("gfm-like", {"html": True, "linkify": False, "typographer": True})
        self._parser.enable(["replacements", "smartquotes"])
        self._parser.use(dollarmath_plugin, double_inline=True, allow_labels=False, renderer=self._formula)

    def render(self, source: str) -> str:
        """Return the HTML of one cell."""
        tokens = self._parser.parse(source)
        for token, following in pairwise(tokens):
            if token.type == "heading_open":
                self._anchor(token, following)
            for child in following.children or []:
                if child.type == "image":
                    child.attrSet("src", self._inside(str(child.attrGet("src"))))
        return self._parser.renderer.render(tokens, self._parser.options, {})

    def _formula(self, source: str, options: dict[str, Any]) -> str:
        return self._formulas.render(source, display=bool(options.get("display_mode")))

    def _anchor(self, token: Token, text: Token) -> None:
        slug = re.sub(r"[^\w]+", "-", re.sub(r"\$[^$]*\$", "", text.content).lower()).strip("-_") or "section"
        taken = {heading.anchor for heading in self.headings}
        anchor = next(name for name in _numbered(slug) if name not in taken)
        markup = self._parser.renderer.render([text], self._parser.options, {})
        self.headings.append(Heading(int(token.tag[1]), anchor, markup))
        token.attrSet("id", anchor)

    def _inside(self, source: str) -> str:
        if source.startswith("data:"):
            return source
        path = self._folder / source
        if "://" in source or not path.is_file():
            raise ExportError(
                f"the picture {source} is not beside the lecture.",
                f"put it into {self._folder} and name it by its relative path.",
            )
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def plain(markup: str) -> str:
    """The text of a piece of HTML.

    >>> plain("a <em>b</em> &lt; c")
    'a b < c'
    """
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def contents(headings: Sequence[Heading], deepest: int = 3) -> str:
    """The table of contents as nested lists; the title itself is left out."""
    shown = [heading for heading in headings if 2 <= heading.level <= deepest]
    links = [
        f'<li class="level-{heading.level}"><a href="#{heading.anchor}">{heading.markup}</a></li>' for heading in shown
    ]
    return f"<ol>{''.join(links)}</ol>" if links else ""


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    number = 2
    while True:
        yield f"{slug}-{number}"
        number += 1
