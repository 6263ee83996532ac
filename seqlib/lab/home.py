"""The home page of the course, generated from the table of lectures and the released assignments."""

from pathlib import Path

from seqlib.catalogue import Assignment, find_course, read_assignments, read_lectures

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
_HELP = """\
## When something is missing

Open *File > New > Terminal* and run `seqlib doctor`: it lists what is installed and the command for what is not.
"""


def home_text(root: Path, base: str = "", copies: bool = False) -> str:
    """The home page as Markdown.

    Args:
        root: The course folder.
        base: What leads from the page's folder to `root`, such as `../`.
        copies: Link the student's copy of an assignment where there is one.
    """
    rows = [
        f"| {lecture.number} | [{lecture.title}]({base}{lecture.path.as_posix()}) "
        f"| {lecture.question} | {lecture.minutes} min |"
        for lecture in read_lectures(root)
    ]
    lectures = ["## Lectures", "", "| | lecture | its question | in class |", "|---|---|---|---|", *rows, ""]
    assignments = [
        f"- [{assignment.title}]({base}{_target(root, assignment, copies).as_posix()})"
        for assignment in read_assignments(root)
    ]
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


def _target(root: Path, assignment: Assignment, copies: bool) -> Path:
    return assignment.copy if copies and (root / assignment.copy).is_file() else assignment.released


if __name__ == "__main__":
    print(write_home(find_course()))
