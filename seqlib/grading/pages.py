"""A graded notebook as HTML for the feedback page: highlighted code, outputs, formulas, and nothing that runs."""

import re
from html import escape, unescape
from typing import Any

from seqlib.grading.sanitise import clean_html, clean_outputs, render_markdown

__all__ = ["cell_html", "outputs_html", "with_formulas"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CODE = re.compile(r"(<pre[\s>].*?</pre>|<code[\s>].*?</code>)", re.DOTALL)
_FORMULA = re.compile(r"\$\$(?P<display>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$<]+?)\$", re.DOTALL)
_LONG_LINES = 40


def cell_html(cell: dict[str, Any], *, trusted: bool) -> str:
    """One cell; `trusted` says that its text is the release's own, whose formulas are set."""
    if cell["cell_type"] == "markdown":
        html = render_markdown(cell["source"], cell.get("attachments"))
        return f'<div class="text">{with_formulas(html) if trusted else html}</div>'
    code = f'<pre class="code" tabindex="0">{_highlighted(cell["source"])}</pre>' if cell["source"].strip() else ""
    return code + outputs_html(cell.get("outputs", []))


def outputs_html(outputs: list[dict[str, Any]]) -> str:
    """The outputs of a cell, each in its richest harmless form."""
    return "".join(_output(output) for output in clean_outputs(outputs))


def with_formulas(html: str) -> str:
    r"""Set the formulas of trusted, clean HTML as MathML; what can't be set stays as it is written.

    >>> with_formulas("<p>$x_1$ and <code>$y$</code></p>").count("<math")
    1
    """
    parts = _CODE.split(html)
    return "".join(part if number % 2 else _FORMULA.sub(_formula, part) for number, part in enumerate(parts))


def _formula(found: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    text = unescape(found["display"] or found["inline"])
    try:
        if found["display"]:
            return f'<span class="formula" tabindex="0">{convert(text, display="block")}</span>'
        return convert(text)
    except Exception:  # the converter raises whatever its parser meets
        return found.group()


def _output(output: dict[str, Any]) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return _lines(output["text"], "stderr" if output["name"] == "stderr" else "stdout")
    if kind == "error":
        trace = "\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}"
        return _lines(trace, "error")
    data = output["data"]
    if "text/html" in data:
        return f'<div class="output rich" tabindex="0">{clean_html(data["text/html"])}</div>'
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            plain = escape(data.get("text/plain", "picture")[:200])
            return f'<div class="output rich"><img alt="{plain}" src="data:{mime};base64,{data[mime]}"></div>'
    return _lines(data.get("text/plain", ""), "result")


def _lines(text: str, kind: str) -> str:
    text = _ANSI.sub("", text).rstrip("\n")
    if not text:
        return ""
    block = f'<pre class="output {kind}" tabindex="0">{escape(text)}</pre>'
    count = text.count("\n") + 1
    return f"<details><summary>{count} lines of output</summary>{block}</details>" if count > _LONG_LINES else block


def _highlighted(source: str) -> str:
    from pygments import lex
    from pygments.lexers.python import PythonLexer

    return "".join(_token(str(kind), text) for kind, text in lex(source, PythonLexer(stripnl=False))).rstrip("\n")


def _token(kind: str, text: str) -> str:
    for prefix, name in _CLASSES:
        if kind.startswith(prefix):
            return f'<span class="{name}">{escape(text)}</span>'
    return escape(text)


_CLASSES = (
    ("Token.Comment", "c"),
    ("Token.Keyword", "k"),
    ("Token.Operator.Word", "k"),
    ("Token.Literal.String", "s"),
    ("Token.Literal.Number", "n"),
    ("Token.Name.Function", "f"),
    ("Token.Name.Class", "f"),
    ("Token.Name.Decorator", "f"),
)
