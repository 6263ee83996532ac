"""The files that stand at the front of the students' edition."""

import json
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["makefile_text", "project_text", "readme_text"]

_README = """\
# {title}

This is the students' edition of the course: lectures that you step through, and assignments that answer back.

One command opens it in JupyterLab:

```
python3 start.py
```

The first time it makes a virtual environment in `.venv` and installs pinned versions into it, which takes some minutes.
It needs Python {python} and about 3 GB of disk; on Windows write `py` for `python3`.
Nothing is downloaded after that.

## Your work

| what you want | the command |
|---|---|
| open the course | `python3 start.py` |
| start an assignment | `python3 start.py start NAME` |
| hand it in | `python3 start.py submit NAME` |
| see what is missing on your computer | `python3 start.py doctor` |

You work on copies in the folder `work/`.
A new edition of the course can be unpacked over this folder: it brings no `work/`, so yours stays as it is.

## Lectures and assignments

The list is in [COURSE.md](COURSE.md); JupyterLab opens it first.
"""
_MAKEFILE = """\
# A thin face over `python start.py`, which works without make as well.
PYTHON ?= python3
ASSIGNMENT ?= {assignment}

.PHONY: help lab start submit

help:  ## list these targets
\t@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{{printf "  make %-10s %s\\n", $$1, $$2}}'

lab:  ## set up and open the course in JupyterLab
\t@$(PYTHON) start.py

start:  ## copy an assignment into work/: make start ASSIGNMENT=NAME
\t@$(PYTHON) start.py start $(ASSIGNMENT)

submit:  ## pack your work: make submit ASSIGNMENT=NAME
\t@$(PYTHON) start.py submit $(ASSIGNMENT)
"""
_PROJECT_KEYS = ("name", "description", "readme", "license", "requires-python", "dynamic", "dependencies")


def readme_text(root: Path, title: str) -> str:
    """Write the README that a student reads first."""
    return _README.format(title=title, python=_versions(str(_project(root)["project"]["requires-python"])))


def _versions(asked: str) -> str:
    """Say a range of versions in words.

    >>> _versions(">=3.11,<3.14")
    '3.11 to 3.13'
    """
    oldest, _, above = asked.replace(" ", "").removeprefix(">=").partition(",<")
    major, _, minor = above.partition(".")
    return f"{oldest} to {major}.{int(minor) - 1}" if minor.isdigit() else f"{oldest} or newer"


def makefile_text(assignment: str) -> str:
    """Write a Makefile with what a student does."""
    return _MAKEFILE.format(assignment=assignment)


def project_text(root: Path) -> str:
    """Write the project table with the core's dependencies only: no grading, no tests."""
    table = _project(root)
    project = {key: table["project"][key] for key in _PROJECT_KEYS if key in table["project"]}
    sections = {
        "build-system": table["build-system"],
        "project": project,
        "project.scripts": table["project"].get("scripts", {}),
    }
    tool = table.get("tool", {}).get("setuptools", {})
    for name, part in tool.items():
        sections |= {f"tool.setuptools.{name}.{key}": value for key, value in part.items() if isinstance(value, dict)}
        flat = {key: value for key, value in part.items() if not isinstance(value, dict)}
        if flat:
            sections[f"tool.setuptools.{name}"] = flat
    return "\n".join(
        f"[{name}]\n" + "".join(_line(*entry) for entry in part.items()) for name, part in sections.items()
    )


def _line(key: str, value: Any) -> str:
    bare = key.replace("-", "").replace("_", "").isalnum()
    return f"{key if bare else json.dumps(key)} = {json.dumps(value)}\n"


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
