"""Formulas as MathML, which browsers draw themselves."""

import html
import re
from functools import cache
from xml.etree import ElementTree

from latex2mathml.converter import convert

__all__ = ["Formulas"]

_ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3, "mroot": 2}
_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
# latex2mathml knows align* and not aligned, which means the same inside $$.
_RENAMED = {"aligned": "align*", "gathered": "gather*"}


class Formulas:
    r"""Turns LaTeX into MathML and remembers what it could not turn.

    >>> formulas = Formulas()
    >>> formulas.render("h_t", display=False)[:5], formulas.render(r"\nonsense{x}", display=False)
    ('<math', '<code class="formula">\\nonsense{x}</code>')
    >>> formulas.problems
    ['formula \\nonsense{x}: it has \\nonsense, which is unknown']
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def render(self, source: str, *, display: bool) -> str:
        """Return MathML, or the source as code when it can't be turned."""
        markup, problem = _convert(source.strip(), display)
        if problem:
            self.problems.append(f"formula {source.strip()}: {problem}")
            return f'<code class="formula">{html.escape(source.strip())}</code>'
        return markup


@cache
def _convert(source: str, display: bool) -> tuple[str, str]:
    renamed = re.sub(r"\\(begin|end)\{(\w+)\}", lambda m: f"\\{m[1]}{{{_RENAMED.get(m[2], m[2])}}}", source)
    try:
        markup = convert(renamed, display="block" if display else "inline")
        tree = ElementTree.fromstring(markup)
    except Exception as error:  # the converter raises a kind of its own for each mistake, and others by accident
        return "", f"it can't be read ({type(error).__name__})"
    problem = _fault(tree)
    return _tidy(markup, source), problem


def _fault(tree: ElementTree.Element) -> str:
    for element in tree.iter():
        if (element.text or "").startswith("\\"):
            return f"it has {element.text}, which is unknown"
        wanted = _ARITY.get(element.tag.removeprefix(_NAMESPACE))
        if wanted and len(element) != wanted:
            return f"an argument is missing in a {element.tag.removeprefix(_NAMESPACE)[1:]}"
    return ""


def _tidy(markup: str, source: str) -> str:
    """Join the letters of an upright word, and keep the source for people who copy the formula."""
    joined = markup.replace('</mi><mi mathvariant="normal">', "")
    return joined.replace("<math ", f'<math alttext="{html.escape(source)}" ', 1)
