"""Code cells as HTML: highlighted source, and the richest form of each output that needs no kernel."""

import html
import re
from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from seqlib.export.formulas import Formulas
from seqlib.export.steppers import VIEW, Steppers

__all__ = ["Outputs"]

_COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
_HIDDEN_TAGS = {"hide-input", "remove-input"}
_FORMATTER = HtmlFormatter(nowrap=True)


class Outputs:
    """Writes code cells.

    Args:
        steppers: Takes the widgets that can live in a page.
        formulas: Turns outputs in LaTeX.
        markdown: Renders outputs in Markdown.
    """

    def __init__(self, steppers: Steppers, formulas: Formulas, markdown: Callable[[str], str]) -> None:
        self._steppers = steppers
        self._formulas = formulas
        self._markdown = markdown

    def code(self, cell: NotebookNode, section: str) -> str:
        """Return a cell's source and outputs.

        Args:
            cell: An executed code cell.
            section: The heading that it stands under: the description of its figures.
        """
        outputs = "".join(self._output(output, section) for output in _merged(cell.get("outputs", [])))
        shown = f'<div class="outputs">{outputs}</div>' if outputs else ""
        return _source(cell) + shown

    def _output(self, output: NotebookNode, section: str) -> str:
        if output.output_type == "stream":
            text = _last_lines(output.text)
            return f'<pre class="text">{html.escape(text)}</pre>' if text.strip() else ""
        if output.output_type == "error":
            return f'<pre class="text">{html.escape(_COLOUR_CODE.sub("", "".join(output.traceback)))}</pre>'
        return self._rich(output.data, output.metadata, section)

    def _rich(self, data: dict[str, Any], metadata: dict[str, Any], section: str) -> str:
        if VIEW in data:
            # Any other widget is a control or a progress bar, which mean nothing without a kernel.
            return self._steppers.place(data) or ""
        if "text/html" in data:
            return f'<div class="rich" tabindex="0">{data["text/html"]}</div>'
        if "image/svg+xml" in data:
            label = html.escape(_described(metadata, "image/svg+xml", section))
            return f'<figure role="img" aria-label="{label}">{_svg(data["image/svg+xml"])}</figure>'
        for kind in ("image/png", "image/jpeg"):
            if kind in data:
                return _picture(kind, data[kind], metadata, section)
        if "text/markdown" in data:
            return f'<div class="rich">{self._markdown(data["text/markdown"])}</div>'
        if "text/latex" in data:
            return f'<p class="rich">{self._formulas.render(data["text/latex"].strip("$ "), display=True)}</p>'
        return f'<pre class="text">{html.escape(data.get("text/plain", ""))}</pre>'


def _source(cell: NotebookNode) -> str:
    if not cell.source.strip():
        return ""
    marked = highlight(cell.source.strip("\n"), PythonLexer(stripnl=False), _FORMATTER).rstrip("\n")
    code = f'<pre class="code" tabindex="0"><code>{marked}</code></pre>'
    metadata = cell.metadata
    if metadata.get("jupyter", {}).get("source_hidden") or _HIDDEN_TAGS & set(metadata.get("tags", [])):
        return f'<details class="source"><summary>Code</summary>{code}</details>'
    return code


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream, so that progress bars can erase themselves."""
    merged: list[NotebookNode] = []
    for output in outputs:
        before = merged[-1] if merged else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            merged.append(NotebookNode(output))
    return merged


def _last_lines(text: str) -> str:
    r"""What a terminal would show in the end.

    >>> _last_lines("10 %\r100 %\nloss 0.1\n")
    '100 %\nloss 0.1'
    """
    lines = _COLOUR_CODE.sub("", text).rstrip("\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _picture(kind: str, data: str, metadata: dict[str, Any], section: str) -> str:
    size = metadata.get(kind, {})
    width = f' width="{int(size["width"])}"' if "width" in size else ""
    alt = html.escape(_described(metadata, kind, section))
    return f'<figure><img src="data:{kind};base64,{"".join(data.split())}" alt="{alt}"{width}></figure>'


def _described(metadata: dict[str, Any], kind: str, section: str) -> str:
    return str(metadata.get(kind, {}).get("alt") or f"Figure in the section: {section}")


def _svg(source: str) -> str:
    return re.sub(r"^.*?(?=<svg)", "", source, flags=re.DOTALL)
