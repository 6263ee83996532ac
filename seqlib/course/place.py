"""Where the student's course lies."""

from pathlib import Path

from seqlib.errors import SubmissionError

__all__ = ["find_course"]


def find_course(start: Path | None = None) -> Path:
    """The course folder: the nearest one above `start` that holds `assignments/`, else the one seqlib lies in.

    Args:
        start: Where to begin. None: the current folder.

    Raises:
        SubmissionError: No folder on the way up holds assignments.
    """
    here = (start or Path.cwd()).resolve()
    above = (here, *here.parents) if start is None else (here,)
    for folder in (*above, *([] if start else [Path(__file__).resolve().parents[2]])):
        if (folder / "assignments").is_dir():
            return folder
    raise SubmissionError(
        f"no folder assignments/ lies in {here} or above it.",
        "change to the folder of the course (the one with README.md) and run the command again.",
    )
