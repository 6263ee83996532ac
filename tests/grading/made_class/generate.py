"""A class made of submissions of every kind that graders meet, each with what it must get.

Works for any released assignment: what an answer is comes from its solution, what is wrong from its `wrong/`.
"""

import ast
import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqlib.grading.kit import Kit
from seqlib.grading.mutants import read_variants
from seqlib.grading.skeleton import BEGIN, END, check_name
from seqlib.grading.source import Source, read_notebook

Notebook = dict[str, Any]

LOOP = "while True:\n    pass"
STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"
FLOOD = "for _ in range(3000):\n    print('spam ' * 40)"
SCRIPT = "from IPython.display import HTML, Javascript, display\ndisplay(HTML('<script>window.owned = 1</script>'))\n"
SCRIPT += (
    "display(HTML(\"<img src=x onerror='window.owned = 1'><b>bold</b>\"))\ndisplay(Javascript('window.owned = 1'))"
)
SCRIPT_TEXT = "# Mine\n\n<script>window.owned = 1</script>\n<img src=x onerror='window.owned = 1'>\n\n"
SCRIPT_TEXT += "[go](javascript:window.owned=1)"
PATCHES = """\
import torch
torch.allclose = torch.equal = lambda *a, **k: True
torch.testing.assert_close = lambda *a, **k: None
class Always(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__"""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One submission and what it must get: a status for each check, and the mistakes that must be named."""

    student: str
    data: bytes
    expected: dict[str, str]
    mistakes: dict[str, str] = field(default_factory=dict)
    file: str = ""

    def points(self, kit: Kit) -> float:
        """Points that it must get."""
        return sum(check.points for check in kit.suite.checks.values() if self.expected[check.name] == "passed")


def write_class(course: Path, assignment: str, made: list[Made]) -> None:
    """Put the submissions where `seqlib collect` would."""
    for one in made:
        folder = course / "submitted" / one.student / assignment
        folder.mkdir(parents=True)
        (folder / (one.file or f"{assignment}.ipynb")).write_bytes(one.data)
        (folder / "timestamp.txt").write_text("2026-11-20 10:00:00.000000 UTC")


def make_class(kit: Kit, source: Source) -> list[Made]:
    """Make them all."""
    return _Maker(kit, source).all()


class _Maker:
    """Knows one assignment's answers and makes submissions of them."""

    def __init__(self, kit: Kit, source: Source) -> None:
        self.kit = kit
        self.source = source
        self.names = list(kit.suite.checks)
        self.released = kit.notebook
        self.solved = self._solved()
        self.lonely = [name for name in self.names if self.stands_alone(name)]
        self.made: list[Made] = []

    def all(self) -> list[Made]:
        """Every kind of submission."""
        last = self.lonely[-1]
        self.add("right", self.solved)
        self.add("right_reordered", self.with_answers_first())
        self.add(
            "right_with_warnings",
            self.inserted("import sys, warnings\nwarnings.warn('careful')\nprint('!', file=sys.stderr)"),
        )
        self.add("right_but_floods", self.inserted(FLOOD))
        self.add("right_with_scripts", self.inserted(SCRIPT, SCRIPT_TEXT))
        self.add("right_renamed", self.solved, file="My copy (2).ipynb")
        self.add("right_with_bom", self.solved, encode=lambda nb: b"\xef\xbb\xbf" + _bytes(nb).replace(b"\n", b"\r\n"))
        self.add("right_by_format_4_2", self.by_old_format())
        self.add("right_by_colab", self.by_colab())
        self.add("right_by_vscode", self.by_vscode())
        self.add("deleted_check_cells", self.without(lambda cell: _called(cell)))
        self.add("deleted_answer", self.without(lambda cell: self.defines(cell, last)), {last: "missing"})
        self.add("duplicated_check_cells", self.duplicated())
        self.add("partial", self.partial(), dict.fromkeys(self.names[1:], "missing"))
        self.add("empty", self.released, dict.fromkeys(self.names, "missing"))
        self.add("no_cells_of_ours", self.foreign(), dict.fromkeys(self.names, "missing"))
        self.add("forged", self.forged(), dict.fromkeys(self.names, "missing"))
        self.add(
            "patched", self.broken(last, f"{PATCHES}\ndef {{name}}(*a, **k):\n    return Always(0)"), {last: "failed"}
        )
        self.add("syntax_error", self.broken(last, "def {name}(x)\n    return x", replace=True), {last: "missing"})
        self.add("raising", self.broken(last, "def {name}(*a, **k):\n    return {{}}['secret']"), {last: "error"})
        self.add("crashing_cell", self.inserted("import os\nos._exit(1)"))
        self.add(
            "crashing_function",
            self.broken(self.lonely[0], "def {name}(*a, **k):\n    import os\n    os._exit(0)"),
            {self.lonely[0]: "error"},
        )
        self.add("looping_cell", self.inserted(LOOP))
        self.add("looping_past_interrupts", self.inserted(STUBBORN))
        self.add(
            "looping_function",
            self.broken(last, "def {name}(*a, **k):\n    while True:\n        pass"),
            {last: "over_limit"},
        )
        self.add("not_json", self.solved, dict.fromkeys(self.names, "missing"), encode=lambda nb: _bytes(nb)[:-40])
        self.add("not_a_notebook", self.solved, dict.fromkeys(self.names, "missing"), encode=lambda nb: b"[1, 2]")
        self.add("not_text", self.solved, dict.fromkeys(self.names, "missing"), encode=lambda nb: b"\x80\xff\x00")
        self.add_wrong()
        return self.made

    def add(
        self,
        student: str,
        notebook: Notebook,
        expected: dict[str, str] | None = None,
        mistakes: dict[str, str] | None = None,
        file: str = "",
        encode: Callable[[Notebook], bytes] | None = None,
    ) -> None:
        """Add one; checks that are not named are expected to pass."""
        statuses = dict.fromkeys(self.names, "passed") | (expected or {})
        data = (encode or _bytes)(notebook)
        self.made.append(Made(student=student, data=data, expected=statuses, mistakes=mistakes or {}, file=file))

    def add_wrong(self) -> None:
        """One submission for the first known mistake of each check that stands alone."""
        variants = {variant: code for kind, _, variant, code in read_variants(self.source) if kind == "wrong"}
        for name in self.lonely:
            mistake = next((known.name for known in self.kit.suite[name].mistakes if known.name in variants), None)
            if mistake is not None:
                code = ast.unparse(variants[mistake]).replace("{", "{{").replace("}", "}}")
                self.add(f"wrong_{mistake}", self.broken(name, code), {name: "failed"}, {name: mistake})

    def stands_alone(self, check: str) -> bool:
        """Whether breaking the one function of a check leaves all other checks as they are."""
        one = self.kit.suite[check]
        if one.slow or len(one.uses) != 1:
            return False
        word = re.compile(rf"\b{one.uses[0]}\b")
        shared = any(one.uses[0] in other.uses for name, other in self.kit.suite.checks.items() if name != check)
        cells = [cell for cell in self.solved["cells"] if cell["cell_type"] == "code" and not _called(cell)]
        return not shared and sum(bool(word.search(cell["source"])) for cell in cells) == 1

    def inserted(self, code: str, text: str = "") -> Notebook:
        """The solved notebook with a cell of the student's own after the first code cell."""
        notebook = copy.deepcopy(self.solved)
        place = next(i for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code") + 1
        notebook["cells"][place:place] = [_cell("code", code)] + ([_cell("markdown", text)] if text else [])
        return notebook

    def broken(self, check: str, code: str, *, replace: bool = False) -> Notebook:
        """The solved notebook whose answer to one check is followed (or replaced) by other code."""
        notebook = copy.deepcopy(self.solved)
        cell = next(cell for cell in notebook["cells"] if self.defines(cell, check))
        code = code.format(name=self.kit.suite[check].uses[0])
        cell["source"] = code if replace else f"{cell['source']}\n\n\n{code}"
        return notebook

    def without(self, drop: Callable[[Notebook], object]) -> Notebook:
        """The solved notebook without some cells."""
        notebook = copy.deepcopy(self.solved)
        notebook["cells"] = [cell for cell in notebook["cells"] if not drop(cell)]
        return notebook

    def with_answers_first(self) -> Notebook:
        """Everything else before the checks."""
        notebook = copy.deepcopy(self.solved)
        notebook["cells"].sort(key=lambda cell: bool(_called(cell)))
        return notebook

    def partial(self) -> Notebook:
        """Only the first answer is written."""
        notebook = copy.deepcopy(self.released)
        for cell, solved in zip(notebook["cells"], self.solved["cells"], strict=True):
            if self.defines(cell, self.names[0]):
                cell["source"] = solved["source"]
        return notebook

    def duplicated(self) -> Notebook:
        """Each check cell is followed by a copy that claims to have passed."""
        notebook = copy.deepcopy(self.solved)
        notebook["cells"] = [
            copied
            for cell in notebook["cells"]
            for copied in ([cell, cell | {"id": f"copy-{cell['id']}", "source": "100"}] if _called(cell) else [cell])
        ]
        return notebook

    def by_old_format(self) -> Notebook:
        """As an old Jupyter saves it: no ids, sources as lines, a collapsed flag."""
        notebook = copy.deepcopy(self.solved) | {"nbformat_minor": 2}
        for cell in notebook["cells"]:
            del cell["id"]
            cell["source"] = cell["source"].splitlines(keepends=True)
            cell["metadata"]["collapsed"] = True
        return notebook

    def by_colab(self) -> Notebook:
        """As Colab saves it: ids in the metadata, no marks of ours, its own keys."""
        notebook = copy.deepcopy(self.solved) | {"nbformat_minor": 0}
        notebook["metadata"] = {"colab": {"provenance": [], "gpuType": "T4"}, "accelerator": "GPU"}
        for number, cell in enumerate(notebook["cells"]):
            cell["metadata"] = {"id": f"x{number}", "colab": {"base_uri": "https://localhost:8080/"}}
            del cell["id"]
        return notebook

    def by_vscode(self) -> Notebook:
        """As VS Code saves it: its own language mark, and a check cell with another kind of quotes."""
        notebook = copy.deepcopy(self.solved)
        notebook["metadata"] = {"kernelspec": {"display_name": ".venv", "language": "python", "name": "python3"}}
        for cell in notebook["cells"]:
            cell["metadata"] = {"vscode": {"languageId": "python"}}
            if _called(cell):
                cell["source"] = f"check( '{_called(cell)}' )\n"
        return notebook

    def foreign(self) -> Notebook:
        """Another notebook altogether."""
        cells = [_cell("markdown", "# Holiday"), _cell("code", "print('sun')")]
        return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    def forged(self) -> Notebook:
        """No answers, and everything else that might give points."""
        notebook = copy.deepcopy(self.released)
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
            if name := _called(cell):
                cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "solution": True}
                cell["source"] = "100"
                data = {"text/plain": f"{name}: Passed (100 of 100 points)."}
                cell["outputs"] = [
                    {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
                ]
        notebook["cells"].append(_cell("raw", "<script>window.owned = 1</script>"))
        notebook["metadata"]["seqlib"] = {"score": 100}
        return notebook

    def defines(self, cell: Notebook, check: str) -> bool:
        """Whether a cell holds the answer that a check asks for."""
        names = self.kit.suite[check].uses[:1]
        return cell["cell_type"] == "code" and any(f"def {name}(" in cell["source"] for name in names)

    def _solved(self) -> Notebook:
        notebook = copy.deepcopy(self.released)
        answers = read_notebook(self.source).cells
        for cell, answer in zip(notebook["cells"], answers, strict=True):
            lines = answer.source.splitlines()
            cell["source"] = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
        return notebook


def _cell(kind: str, source: str) -> Notebook:
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": "own", "metadata": {}, "source": source} | code


def _called(cell: Notebook) -> str:
    return (check_name(cell["source"]) or "") if cell["cell_type"] == "code" else ""


def _bytes(notebook: Notebook) -> bytes:
    return json.dumps(notebook, indent=1).encode()
