# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Honest work in all the forms in which it comes: right and partly right, by any front end, with all that people add.

    python -m tests.attacks.honest [--count 500] [--seed 0]

grades it and tells every submission that was called tampered or did not get exactly its points.
"""

import copy
import json
import random
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.attacks.attack import CHECKS, POINTS, RIGHT, STUBS, cell, grade_id
from tests.attacks.extras import EXTRAS
from tests.attacks.front_ends import FRONT_ENDS

__all__ = ["Honest", "grade_honest", "make_honest"]

Notebook = dict[str, Any]

# Other ways to be right; what comes last is what the released notebook asks for.
OTHERWISE = {
    "scale": [
        "def scale(x):\n    return x * 3.0 - 1.0",
        "scale = lambda x: x.mul(3).sub(1)",
        """\
@torch.no_grad()
def scale(x):
    print('scaling', tuple(x.shape))
    return torch.stack([3 * v - 1 for v in x])""",
        """\
import functools


def traced(f):
    @functools.wraps(f)
    def g(*args, **kwargs):
        g.calls += 1
        return f(*args, **kwargs)
    g.calls = 0
    return g


@traced
def scale(x):
    return 3 * x - 1""",
    ],
    "running": [
        "def running(x):\n    return x.cumsum(0)",
        """\
def running(x):
    return x @ torch.ones(len(x), len(x), dtype=x.dtype).triu()""",
        """\
import numpy as np


def running(x):
    return torch.from_numpy(np.cumsum(x.numpy()))""",
        """\
def running(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    out[0] = x[0]
    for t in range(1, len(x)):
        out[t] = out[t - 1] + x[t]
    return out""",
    ],
    "softmax": [
        """\
def softmax(x):
    return torch.nn.functional.softmax(x, dim=-1)""",
        """\
class _Softmax:
    def __call__(self, x):
        e = x.exp()
        return e / e.sum(-1, keepdim=True)


softmax = _Softmax()""",
        """\
def softmax(x):
    x = x.clone().requires_grad_(True)
    return (x - x.logsumexp(-1, keepdim=True)).exp()""",
    ],
    "distinct": [
        """\
def distinct(tokens):
    seen = []
    for token in tokens:
        if token not in seen:
            seen.append(token)
    return len(seen)""",
        """\
def distinct(tokens):
    return torch.tensor(tokens).unique().numel()""",
        """\
from collections import Counter


def distinct(tokens):
    return len(Counter(tokens))""",
    ],
    "spell": [
        "def spell(word):\n    return ''.join(reversed(word))",
        """\
def spell(word, _known={}):
    if word not in _known:
        _known[word] = word[-1] + spell(word[:-1]) if word else ''
    return _known[word]""",
    ],
    "Tank": [
        """\
from dataclasses import dataclass


@dataclass
class State:
    level: torch.Tensor


""" + RIGHT["Tank"].replace(
            "self.level = torch.zeros(size, dtype=torch.float64)", "self.state = State(torch.zeros(size, dtype=torch.float64))"
        ).replace("self.level", "self.state.level"),
        RIGHT["Tank"].replace("self.level = torch.zeros(size, dtype=torch.float64)",
                              "self.register_buffer('level', torch.zeros(size, dtype=torch.float64))"),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Honest:
    """One honest submission: its file, the points that it must get, and what it is made of."""

    name: str
    data: bytes
    points: int
    made_of: tuple[str, ...]


def make_honest(released: Notebook, count: int, seed: int = 0) -> list[Honest]:
    """Make many; every front end and everything that people add comes up, in ever other combinations."""
    draw = random.Random(seed)
    return [_one(released, number, draw) for number in range(count)]


def _one(released: Notebook, number: int, draw: random.Random) -> Honest:
    front = list(FRONT_ENDS)[number % len(FRONT_ENDS)]
    extras = [list(EXTRAS)[number % len(EXTRAS)], *draw.sample(list(EXTRAS), draw.randrange(3))]
    order = draw.choice(list(ORDERS))
    answers, points = {}, 0
    for name in POINTS:
        kind = draw.choices(("right", "wrong", "missing"), (8, 1, 1))[0]
        if kind == "right":
            answers[name] = draw.choice([RIGHT[name], *OTHERWISE[name]])
            points += POINTS[name]
        elif kind == "wrong":
            answers[name] = STUBS[name]
    notebook = copy.deepcopy(released)
    for made in notebook["cells"]:
        for name, text in answers.items():
            if grade_id(made) == f"{name.lower()}_answer":
                made["source"] = text
    ORDERS[order](notebook)
    for extra in extras:
        made = [cell(text, kind) for kind, text in EXTRAS[extra]]
        start = 1 + next(i for i, one in enumerate(notebook["cells"]) if "start_assignment(" in one["source"])
        place = draw.randrange(start, len(notebook["cells"]) + 1)
        notebook["cells"][place:place] = made
    data = FRONT_ENDS[front](notebook, draw)
    return Honest(f"honest-{number:03}", data, points, (front, order, *extras))


def _is_check(made: Notebook) -> bool:
    return grade_id(made) in CHECKS.values()


def _as_given(notebook: Notebook) -> None:
    """Nothing moved."""


def _checks_last(notebook: Notebook) -> None:
    notebook["cells"].sort(key=_is_check)


def _backwards(notebook: Notebook) -> None:
    """The exercises in another order, each answer still before its check."""
    cells = notebook["cells"]
    start = next(i for i, made in enumerate(cells) if grade_id(made) == "start") + 1  # three cells an exercise follow
    blocks = [cells[i : i + 3] for i in range(start, len(cells), 3)]
    notebook["cells"] = cells[:start] + [made for block in reversed(blocks) for made in block]


def _merged(notebook: Notebook) -> None:
    """All answers in the cell of the first, which keeps its mark."""
    answers = [made for made in notebook["cells"] if grade_id(made).endswith("_answer")]
    written = [made["source"] for made in answers if "raise NotImplementedError" not in made["source"]]
    answers[0]["source"] = "\n\n\n".join(written)
    notebook["cells"] = [made for made in notebook["cells"] if made not in answers[1:]]


def _with_its_check(notebook: Notebook) -> None:
    """Each check called in the cell of its answer, and in no cell of its own."""
    cells = notebook["cells"]
    for before, made in pairwise(cells):
        if _is_check(made):
            before["source"] += f"\n\n\n{made['source']}"
    notebook["cells"] = [made for made in cells if not _is_check(made)]


def _split(notebook: Notebook) -> None:
    """What an answer needs first stands in a cell of its own before it."""
    cells = []
    for made in notebook["cells"]:
        before, found, rest = (
            made["source"].rpartition("\n\n\n") if grade_id(made).endswith("_answer") else ("", "", "")
        )
        if found and "(torch.nn.Module)" not in before:
            cells += [cell(before), made | {"source": rest}]
        else:
            cells.append(made)
    notebook["cells"] = cells


def _tried_twice(notebook: Notebook) -> None:
    """A first try before each answer, and a second call of each check after the first."""
    cells = []
    for made in notebook["cells"]:
        if grade_id(made).endswith("_answer"):
            cells.append(cell("def " + grade_id(made).removesuffix("_answer") + "(*args):\n    return args"))
        cells += [made, cell(made["source"] + "  # again")] if _is_check(made) else [made]
    notebook["cells"] = cells


def _no_marks(notebook: Notebook) -> None:
    """A front end, or a copy by hand, lost every mark of ours."""
    for made in notebook["cells"]:
        made["metadata"] = {}


ORDERS: dict[str, Callable[[Notebook], None]] = {
    "as given": _as_given,
    "checks last": _checks_last,
    "backwards": _backwards,
    "merged": _merged,
    "checks in answers": _with_its_check,
    "split": _split,
    "tried twice": _tried_twice,
    "no marks": _no_marks,
}


def grade_honest(count: int, *, seed: int = 0, isolation: str = "warm", base: Path | None = None) -> list[str]:
    """Grade that many; a sentence for each that was called tampered or got other points than its own."""
    from seqlib.grading.release import release
    from tests.attacks.grading_host import PATIENT, grade_class

    folder = Path(tempfile.mkdtemp(prefix="honest-", dir=base))
    try:
        root, course = folder / "repository", folder / "class"
        shutil.copytree(Path(__file__).parent / "target" / "solutions", root / "solutions")
        release("target", root)
        released = json.loads((root / "assignments" / "target" / "target.ipynb").read_text())
        made = make_honest(released, count, seed)
        for one in made:
            place = course / "submitted" / one.name / "target"
            place.mkdir(parents=True)
            (place / "target.ipynb").write_bytes(one.data)
        told = grade_class(root, course, isolation, PATIENT)["students"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = []
    for one in made:
        student = told.get(one.name, {"gradebook": None, "statuses": {}, "fault": "no verdict"})
        strange = {
            name: status for name, status in student["statuses"].items() if status in ("tampered", "infrastructure")
        }
        if strange or student["gradebook"] != one.points or student["fault"]:
            what = f"{one.name}: {student['gradebook']} points for {one.points}"
            found.append(f"{what}, {student['statuses']} {student['fault']} made of {', '.join(one.made_of)}")
    return found


if __name__ == "__main__":
    parser = ArgumentParser(
        prog="python -m tests.attacks.honest", description="Grade honest work; tell what was unfair."
    )
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--isolation", choices=["warm", "cold", "none"], default="warm")
    chosen = parser.parse_args()
    unfair = grade_honest(chosen.count, seed=chosen.seed, isolation=chosen.isolation)
    print("\n".join(unfair))
    print(f"{len(unfair)} of {chosen.count} honest submissions were treated unfairly.")
    sys.exit(bool(unfair))
