"""Does a cell compile, as IPython would run it: magics, shell lines and top-level await are no errors."""

import ast
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["SyntaxFault", "defined_names", "find_syntax_fault"]

# Cell magics whose body is Python; of others, such as %%bash, nothing is known.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


@dataclass(frozen=True)
class SyntaxFault:
    """Where a cell does not compile and why; the line is counted from 1."""

    line: int
    reason: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" + (f" in {self.text:.60}" if self.text else "")


def find_syntax_fault(source: str) -> SyntaxFault | None:
    """Compile a cell without running it; None where it compiles.

    >>> str(find_syntax_fault("%matplotlib inline\\ndef f(x)\\n    return x"))
    "line 2: expected ':' in def f(x)"
    """
    lines = source.splitlines()
    try:
        _compile(source)
    except SyntaxError as error:
        line = max(1, error.lineno or 1)
        text = lines[line - 1].strip() if line <= len(lines) else ""
        return SyntaxFault(line, str(error.msg or "it is no Python"), text)
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, nesting without end
        return SyntaxFault(1, str(error) or "it is nested too deep", "")
    return None


def defined_names(source: str) -> set[str]:
    """Name the functions, classes and variables that a cell defines; empty where it can't be read.

    >>> sorted(defined_names("def f(): pass\\nx, y = 1, 2\\n!ls"))
    ['f', 'x', 'y']
    """
    try:
        tree = ast.parse(_python(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            names |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)} if target is not None else set()
    return names


def _compile(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python finds odd is no fault
        compile(_python(source), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _python(source: str) -> str:
    """Turn IPython's own syntax into Python's, line for line."""
    magic = _magic(source)
    if magic:
        body = source.lstrip().partition("\n")[2] if magic in _PYTHON_MAGICS else ""
        before = source[: len(source) - len(source.lstrip())].count("\n") + 1
        return "\n" * before + _transform(body)
    return _transform(source)


def _transform(source: str) -> str:
    empty = source[: len(source) - len(source.lstrip())].count("\n")  # IPython drops them, and lines are counted
    return "\n" * empty + str(_transformer().transform_cell(source))


def _magic(source: str) -> str:
    first = source.lstrip().split(maxsplit=1)[:1]
    return first[0] if first and first[0].startswith("%%") else ""


@cache
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()
