"""The home page of the course, generated from the table of lectures and the released assignments."""

from collections.abc import Mapping
from pathlib import Path

from seqlib.catalogue import Assignment, find_course, read_assignments, read_lectures
from seqlib.course.deadlines import read_deadlines
from seqlib.course.lateness import Deadline, policy_words, time_words

__all__ = ["HOME", "home_text", "write_home", "write_start_page"]

HOME = Path("COURSE.md")
START = Path("work") / "COURSE.md"

_INTRODUCTION = """\
# Sequence processing with neural networks and attention

Click a lecture: it opens as a notebook.
Run it with *Run > Run All Cells*, read down, and guess before you reveal.
Where you see a stepper, click into it and press the arrow keys: one press, one step of the computation.
"""
_ASSIGNMENTS = """\
## Assignments

An assignment answers back: run a `check(...)` cell and it tells you what differs, and where.
"""
_ARRIVAL = "What counts is when your file arrives at the other end, by the clock there."
_HELP = """\
## When something is missing

Open *File > New > Terminal* and run `seqlib doctor`: it lists what is installed and the command for what is not.
"""


def home_text(root: Path, base: str = "", copies: bool = False, deadlines: Mapping[str, Deadline] | None = None) -> str:
    """The home page as Markdown.

    Args:
        root: The course folder.
        base: What leads from the page's folder to `root`, such as `../`.
        copies: Link the student's copy of an assignment where there is one.
        deadlines: When assignments are due. None: what the course folder says.
    """
    if deadlines is None:
        deadlines = read_deadlines(root)
    rows = [
        f"| {lecture.number} | [{lecture.title}]({base}{lecture.path.as_posix()}) "
        f"| {lecture.question} | {lecture.minutes} min |"
        for lecture in read_lectures(root)
    ]
    lectures = ["## Lectures", "", "| | lecture | its question | in class |", "|---|---|---|---|", *rows, ""]
    assignments = [
        f"- [{assignment.title}]({base}{_target(root, assignment, copies).as_posix()})"
        + _due(deadlines.get(assignment.name))
        for assignment in read_assignments(root)
    ]
    if deadlines:
        assignments += ["", _ARRIVAL]
    return "\n".join(
        [_INTRODUCTION, *lectures, _ASSIGNMENTS, *(assignments or ["None is released yet."]), "", _HELP],
    )


def write_home(root: Path) -> Path:
    """Write the home page that the repository holds."""
    path = root / HOME
    path.write_text(home_text(root), "utf-8", newline="\n")
    return path


def write_start_page(root: Path) -> Path:
    """Write the page that `seqlib lab` opens, and say where it is from the course folder.

    It is the home page, with links to the student's copies. A copy lies in `work`, and so does this page then:
    the home page of the repository stays as it is.
    """
    if not any((root / assignment.copy).is_file() for assignment in read_assignments(root)):
        return HOME
    (root / START).write_text(home_text(root, base="../", copies=True), "utf-8", newline="\n")
    return START


def _due(deadline: Deadline | None) -> str:
    if deadline is None:
        return ""
    return f": due **{time_words(deadline.due)}**. {policy_words(deadline.policy)}"


def _target(root: Path, assignment: Assignment, copies: bool) -> Path:
    return assignment.copy if copies and (root / assignment.copy).is_file() else assignment.released


if __name__ == "__main__":
    print(write_home(find_course()))
