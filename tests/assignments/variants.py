"""Students of assignment 1, made of its solution and of the variants that lie beside it."""

import re
from functools import cache
from pathlib import Path

import jupytext

FOLDER = Path(__file__).parents[2] / "solutions" / "a1_recurrent"


@cache
def _solution_code():
    cells = jupytext.read(FOLDER / "a1_recurrent.py").cells
    wanted = [cell.source for cell in cells if "BEGIN SOLUTION" in cell.source or "import torch" in cell.source]
    return compile("\n\n".join(source for source in wanted if "check(" not in source), "solution", "exec")


def solution(replaced=""):
    """The names that the solved notebook defines, with some functions replaced."""
    names = {}
    exec(_solution_code(), names)
    exec(replaced, names)
    return names


def variants(kind):
    """Exercise, name and code of every variant of a kind, which is "wrong" or "right"."""
    found = []
    for path in sorted((FOLDER / kind).glob("*.py")):
        parts = re.split(r"^# %% (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        found += [(path.stem, name, code) for name, code in zip(parts[::2], parts[1::2], strict=True)]
    return found


def defined(code):
    """The functions that a variant replaces."""
    return set(re.findall(r"^def (\w+)", code, flags=re.MULTILINE))
