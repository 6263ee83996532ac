"""One hostile submission: what it tries, the few lines it adds, and what its honest part earns."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.scene import Scene

__all__ = ["CATEGORIES", "POINTS", "RIGHT", "STUBS", "Attack", "build", "cell", "grade_id", "stubs"]

Notebook = dict[str, Any]

CATEGORIES = ("control", "forge", "leak", "escape", "exhaust", "sabotage", "damage", "pages")

POINTS = {"scale": 20, "running": 20, "softmax": 20, "distinct": 15, "spell": 10, "Tank": 15}
CHECKS = {
    "scale": "scaling",
    "running": "running_sum",
    "softmax": "shares",
    "distinct": "counting",
    "spell": "spelling",
    "Tank": "filling",
}

RIGHT = {
    "scale": "def scale(x):\n    return 3 * x - 1",
    "running": "def running(x):\n    total, sums = 0.0, []\n    for value in x:\n        total = total + value\n"
    "        sums.append(total)\n    return torch.stack(sums)",
    "softmax": "def softmax(x):\n    e = torch.exp(x - x.max(dim=-1, keepdim=True).values)\n"
    "    return e / e.sum(dim=-1, keepdim=True)",
    "distinct": "def distinct(tokens):\n    return len(set(tokens))",
    "spell": "def spell(word):\n    return word[::-1]",
    "Tank": "class Tank(torch.nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
    "        self.rate = torch.nn.Parameter(torch.full((size,), 0.5, dtype=torch.float64))\n"
    "        self.level = torch.zeros(size, dtype=torch.float64)\n\n    def step(self, x):\n"
    "        self.level = self.level + self.rate.detach() * (x - self.level)\n        return self.level",
}

STUBS = {
    "scale": "def scale(x):\n    return torch.zeros_like(x)",
    "running": "def running(x):\n    return torch.zeros_like(x)",
    "softmax": "def softmax(x):\n    return torch.zeros_like(x)",
    "distinct": "def distinct(tokens):\n    return -1",
    "spell": "def spell(word):\n    return ''",
    "Tank": "class Tank(torch.nn.Module):\n    def __init__(self, size):\n        super().__init__()\n"
    "        self.rate = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))\n\n    def step(self, x):\n"
    "        return torch.full_like(x, 77.0)",
}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: Its name, which is also the student's.
        category: One of `CATEGORIES`.
        tries: What it tries, in one sentence.
        first: Code of a cell of its own before all answers.
        last: Code of a cell of its own at the end.
        answers: The text of an answer, by function; what is not named has the right shape and wrong values.
        earns: Points of its honest part: more is a forgery, fewer is unfair. None: only "not more than all".
        may_lose: It harms itself so much that fewer points are no surprise.
        rewrite: Changes the notebook after that.
        encode: Writes it; by default as JSON.
        place: Puts it into the submission's folder; by default as a plain file.
        pack: Handed in as this packed file through `seqlib collect`; the notebook is not used.
        dangerous: It would harm a machine without isolation, and runs only on engines that isolate.
        ours_only: It is aimed at our own wire, folder or format, and means nothing elsewhere.
        slow: It takes its time by design.
    """

    name: str
    category: str
    tries: str
    first: str = ""
    last: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    earns: int | None = 0
    may_lose: bool = False
    rewrite: Callable[[Notebook], Notebook | None] | None = None
    encode: Callable[[Notebook], bytes] | None = None
    place: Callable[[Path, bytes, Scene], None] | None = None
    pack: Callable[[str, Scene], bytes] | None = None
    dangerous: bool = False
    ours_only: bool = False
    slow: bool = False

    @property
    def sources(self) -> dict[str, str]:
        """The text of every answer."""
        return STUBS | dict(self.answers)

    def hand_in(self, released: Notebook, scene: Scene, folder: Path, name: str) -> None:
        """Write the submission into its folder, as `seqlib collect` would, or as the attack would rather have it."""
        folder.mkdir(parents=True, exist_ok=True)
        data = self.bytes_of(build(self, released), scene)
        if self.place is not None:
            self.place(folder / f"{name}.ipynb", data, scene)
        else:
            (folder / f"{name}.ipynb").write_bytes(data)

    def bytes_of(self, notebook: Notebook, scene: Scene) -> bytes:
        """The file's content, with the true places put in."""
        data = self.encode(notebook) if self.encode is not None else json.dumps(notebook, indent=1).encode()
        text = data.decode("utf-8", "surrogateescape")
        return scene.tell(text).encode("utf-8", "surrogateescape")


def build(attack: Attack, released: Notebook) -> Notebook:
    """The released notebook with the attack's answers and cells in it."""
    notebook = copy.deepcopy(released)
    cells = notebook["cells"]
    for made in cells:
        for name, text in attack.sources.items():
            if grade_id(made) == f"{name.lower()}_answer":
                made["source"] = text
    start = next(i for i, made in enumerate(cells) if made["cell_type"] == "code") + 1
    if attack.first:
        cells.insert(start, cell(attack.first))
    if attack.last:
        cells.append(cell(attack.last))
    return notebook if attack.rewrite is None else attack.rewrite(notebook) or notebook


def cell(source: str, kind: str = "code", **more: Any) -> Notebook:
    """A cell of the attacker's own."""
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": f"own-{abs(hash(source)) % 10**8}", "metadata": {}, "source": source} | code | more


def grade_id(made: Notebook) -> str:
    """The mark that says which cell of the assignment a cell is."""
    return str(made.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))


def stubs(text: str) -> dict[str, str]:
    """The same lines for every answer, with `NAME` in them replaced by its name."""
    return {name: text.replace("NAME", name) for name in STUBS}
