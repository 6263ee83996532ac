"""Forbidden shortcuts, found by reading the code and told to whoever grades; no point depends on them."""

import ast
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from seqlib.grading.submitted import Cell

__all__ = ["Found", "find_forbidden"]


@dataclass(frozen=True)
class Found:
    """A forbidden name in a student's code: which, and where."""

    name: str
    cell: int
    line: int

    def __str__(self) -> str:
        return f"{self.name} (cell {self.cell}, line {self.line})"


def find_forbidden(cells: Iterable[Cell], forbidden: Iterable[str]) -> list[Found]:
    """Find dotted names such as `torch.nn.LSTM`, through import aliases; a name stands for all that is below it.

    A cell that is no Python (a magic, a syntax error) is passed over.

    >>> cells = [Cell(kind="code", source="import torch.nn as nn\\nfrom torch import cumsum as c"),
    ...          Cell(kind="code", source="def f(x):\\n    return nn.RNN(c(x, 0))")]
    >>> [str(found) for found in find_forbidden(cells, ["torch.nn.RNN", "torch.cumsum"])]
    ['torch.cumsum (cell 1, line 2)', 'torch.nn.RNN (cell 2, line 2)', 'torch.cumsum (cell 2, line 2)']
    """
    cells, names = list(cells), tuple(forbidden)
    last_parts = {name.rpartition(".")[2] for name in names}
    # Python reads a name in its compatible form, so that a look at the text has to do the same.
    texts = [unicodedata.normalize("NFKC", cell.source) for cell in cells]
    if not any(part in text for text in texts for part in last_parts):
        return []  # whatever it is called afterwards, it had to be named once
    reader = _Reader(names)
    for number, cell in enumerate(cells, start=1):
        if cell.kind != "code":
            continue
        try:
            tree = ast.parse(_without_magics(cell.source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        reader.cell = number
        try:
            reader.visit(tree)
        except RecursionError:
            continue
    return list(dict.fromkeys(reader.found))


class _Reader(ast.NodeVisitor):
    """Resolves names through the imports of all cells so far."""

    def __init__(self, forbidden: tuple[str, ...]) -> None:
        self.forbidden = forbidden
        self.alias: dict[str, str] = {}
        self.found: list[Found] = []
        self.cell = 0

    def visit_Import(self, node: ast.Import) -> None:
        for name in node.names:
            root = name.name.partition(".")[0]
            self.alias[name.asname or root] = name.name if name.asname else root
            self._note(name.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            full = f"{node.module or ''}.{name.name}"
            self.alias[name.asname or name.name] = full
            self._note(full, node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        full = self._dotted(node)
        if full and self._note(full, node.lineno):
            return
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self.alias:
            self._note(self.alias[node.id], node.lineno)

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.alias.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            before = self._dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    def _note(self, full: str, line: int) -> bool:
        for name in self.forbidden:
            if full == name or full.startswith(f"{name}."):
                self.found.append(Found(name, self.cell, line))
                return True
        return False


def _without_magics(source: str) -> str:
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in source.splitlines())
