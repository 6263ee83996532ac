"""The attacked assignment in the peers' own formats: the same exercises and points, tested as their users test."""

import random
from typing import Any

__all__ = ["answer_of", "hidden_tests", "nbgrader_source", "otter_tests"]

_NAMES = {
    "scaling": "scale",
    "running_sum": "running",
    "shares": "softmax",
    "counting": "distinct",
    "spelling": "spell",
    "filling": "Tank",
}


def answer_of(check: str) -> str:
    """The function or class that a check is about."""
    return _NAMES[check]


def hidden_tests(canaries: dict[str, str]) -> dict[str, list[str]]:
    """The secret lines of each test: fresh numbers, with a word that must not come out."""
    draw = random.Random(0)
    numbers = [round(draw.gauss(0, 1), 12) for _ in range(5)]
    tokens = [draw.randrange(7) for _ in range(12)]
    word = canaries["secret word"]
    return {
        "scaling": [
            f"x = torch.tensor({numbers}, dtype=torch.float64)  # {canaries['reference']}",
            "assert torch.allclose(scale(x), 3 * x - 1)",
        ],
        "running_sum": [
            f"x = torch.tensor({numbers[::-1]}, dtype=torch.float64)",
            "assert torch.allclose(running(x), torch.cumsum(x, dim=0))",
        ],
        "shares": [
            f"x = torch.tensor([{numbers[:3]}, {numbers[2:]}], dtype=torch.float64)",
            "assert torch.allclose(softmax(x), torch.softmax(x, dim=-1))",
        ],
        "counting": [f"tokens = {tokens}", "assert distinct(tokens) == len(set(tokens))"],
        "spelling": [f"assert spell({word!r}) == {word[::-1]!r}"],
        "filling": [
            "tank = Tank(1)",
            "_ = tank.load_state_dict({'rate': torch.tensor([0.25], dtype=torch.float64)}, strict=False)",
            "one = torch.ones(1, dtype=torch.float64)",
            "assert torch.allclose(tank.step(one), one / 4)",
        ],
    }


def nbgrader_source(released: dict[str, Any], canaries: dict[str, str]) -> dict[str, Any]:
    """The instructor's notebook for nbgrader: our released one with asserts in the place of its checks."""
    tests = hidden_tests(canaries)
    cells = []
    for made in released["cells"]:
        mark = made["metadata"].get("nbgrader", {})
        name = str(mark.get("grade_id", ""))
        if name in tests:
            lines = [
                f"assert callable({answer_of(name)})",
                "### BEGIN HIDDEN TESTS",
                *tests[name],
                "### END HIDDEN TESTS",
            ]
            cells.append(made | {"source": "\n".join(lines)})
        elif name == "start":
            cells.append(made | {"source": "import torch"})
        else:
            cells.append(made)
    for made in cells:
        made["metadata"].get("nbgrader", {}).pop("checksum", None)
    return released | {"cells": cells}


def otter_tests(points: dict[str, int | float], canaries: dict[str, str]) -> dict[str, str]:
    """One test file for each check, as `otter assign` would write it."""
    made = {}
    for name, lines in hidden_tests(canaries).items():
        code = "\n".join(f">>> {line}" for line in lines)
        case = {"code": code, "hidden": True, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": name, "points": points[name], "suites": [suite]}
        made[f"{name}.py"] = f"OK_FORMAT = True\n\ntest = {test!r}\n"
    return made
