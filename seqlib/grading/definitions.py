"""Cells that do nothing but define functions and classes: what was there before them is the same after them."""

import re
import unicodedata

__all__ = ["Definitions"]

_HEADER = re.compile(r"def ([A-Za-z_]\w*)\([\w\s.,:=|*\[\]\"'-]*\)\s*(?:->[\w\s.,|\[\]\"']*)?:\s*(?:#.*)?", re.ASCII)
_CLASS = re.compile(r"class ([A-Za-z_]\w*)(?:\([\w\s.,]*\))?:\s*(?:#.*)?", re.ASCII)
_DOCSTRING = re.compile(r'"""[^"\\]*"""')
_WORD = re.compile(r"[^\W\d]\w*")
_OTHER_LINE_ENDS = re.compile("[\x00\r\f\v\x1c-\x1e\x85\u2028\u2029]")
_LONGEST = 20_000


class Definitions:
    """Reads cells in the order in which they run, and says which can't change what earlier cells have made.

    >>> cells = Definitions()
    >>> cells.harmless("def double(x):\\n    return 2 * x")
    True
    >>> cells.harmless("def again(x):\\n    return double(x)"), cells.harmless("def double(x):\\n    return x")
    (True, False)
    >>> cells.harmless("total = []"), cells.harmless("def later(x=print()):\\n    return x")
    (False, False)
    """

    def __init__(self) -> None:
        self._words: set[str] | None = set()

    def harmless(self, source: str) -> bool:
        """Whether this next cell only defines what no earlier cell mentions.

        It goes by the text alone, as strictly as is simple: each line is empty, a comment, within a function,
        or the head of a function that calls nothing; last may come a class that has nothing but such methods.
        """
        known, names = self._words, _defined(source)
        if len(source) > _LONGEST:
            self._words = None
        if self._words is not None:
            self._words = self._words.union(_WORD.findall(unicodedata.normalize("NFKC", source)))
        return known is not None and bool(names) and known.isdisjoint(names)


def _defined(source: str) -> set[str]:
    """The functions that a cell defines; empty for a cell that may do more."""
    names: set[str] = set()
    if len(source) > _LONGEST or _OTHER_LINE_ENDS.search(source):
        return names
    in_class, outermost = False, 0
    for line in source.split("\n"):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if not text.strip() or text.startswith("#"):
            continue
        if in_class and not outermost:
            outermost = indent
        header = _HEADER.fullmatch(text) if indent == outermost else None
        if header and not in_class:
            names.add(header[1])
        elif not indent and not in_class and (header := _CLASS.fullmatch(text)):
            names.add(header[1])
            in_class = True
        elif not header and not (names and indent > outermost) and not (in_class and _DOCSTRING.fullmatch(text)):
            return set()
    return names
