"""What the course holds: its folder, the one table of lectures, and the released assignments."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.errors import LabError

__all__ = [
    "CASES",
    "CHECKS",
    "RELEASE",
    "Assignment",
    "Lecture",
    "find_course",
    "find_lecture",
    "read_assignments",
    "read_lectures",
]

TABLE = Path("lectures") / "lectures.toml"

RELEASE = "release.json"
"""Of a released assignment: what it is made of, with a digest of each file."""
CASES = "cases.safetensors"
"""Of a released assignment: the recorded right values of its public cases."""
CHECKS = "checks_public.py"
"""Of a released assignment: its checks without the answers."""


@dataclass(frozen=True, kw_only=True)
class Lecture:
    """A row of lectures.toml.

    Args:
        file: Name inside the folder `lectures`.
        title: As on the home page.
        question: The one question that the lecture asks.
        minutes: How long it takes in class.
        sources: What it is built on; for authors, not shown to students.
    """

    file: str
    title: str
    question: str
    minutes: int
    sources: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The digits that the file name starts with.

        >>> Lecture(file="02_recurrent_networks.py", title="", question="", minutes=90).number
        '02'
        """
        return self.file.partition("_")[0]

    @property
    def path(self) -> Path:
        """Where it lies, from the course folder."""
        return Path("lectures") / self.file


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A released assignment.

    Args:
        name: Its folder inside `assignments`.
        title: The first heading of its notebook.
    """

    name: str
    title: str

    @property
    def released(self) -> Path:
        """The notebook as handed out, from the course folder."""
        return Path("assignments") / self.name / f"{self.name}.ipynb"

    @property
    def copy(self) -> Path:
        """The student's own copy, from the course folder."""
        return Path("work") / self.name / f"{self.name}.ipynb"


def find_course(start: Path | None = None) -> Path:
    """The course folder: the nearest one above `start` that holds lectures, else the one seqlib was installed from.

    Args:
        start: Where to begin. None: the current folder.

    Raises:
        LabError: No folder on the way up holds `lectures/lectures.toml`.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[1]):
        if (folder / TABLE).is_file():
            return folder
    raise LabError(
        f"no course in {start}: neither it nor a folder above it holds {TABLE.as_posix()}.",
        "change to the folder of the course (the one with README.md) and run the command again.",
    )


def read_lectures(root: Path) -> list[Lecture]:
    """The lectures of `root`, in the order of the table."""
    try:
        rows = tomllib.loads((root / TABLE).read_text("utf-8")).get("lecture", [])
        return [Lecture(**row) for row in rows]
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise LabError(
            f"{TABLE.as_posix()} can't be read: {error}.",
            "each [[lecture]] needs file, title, question and minutes; sources is a list.",
        ) from error


def find_lecture(root: Path, wanted: str) -> Lecture:
    """The lecture that `wanted` names: its number with or without zeros, its file, or a path to it."""
    lectures = read_lectures(root)
    name = Path(wanted).name.removesuffix(".py")
    for lecture in lectures:
        if name == lecture.file.removesuffix(".py") or name.lstrip("0") == lecture.number.lstrip("0") != "":
            return lecture
    known = ", ".join(lecture.number for lecture in lectures) or "none yet"
    raise LabError(f"no lecture is called {wanted!r}.", f"name one by its number ({known}) or its file.")


def read_assignments(root: Path) -> list[Assignment]:
    """The released assignments of `root`, by name."""
    folders = sorted(path.parent for path in (root / "assignments").glob(f"*/{RELEASE}"))
    return [Assignment(name=folder.name, title=_title(folder / f"{folder.name}.ipynb")) for folder in folders]


def _title(notebook: Path) -> str:
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise LabError(f"{notebook} is no notebook: {error}.", "release the assignment again.") from error
    for cell in cells:
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line.removeprefix("# ").strip()
    return notebook.stem
