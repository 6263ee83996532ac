"""Students work on copies: `assignments/` may be replaced at any time, `work/` is theirs."""

import difflib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from seqlib.catalogue import RELEASE
from seqlib.errors import SubmissionError

__all__ = ["Started", "release_digest", "start"]


@dataclass(frozen=True)
class Started:
    """Where the student's notebook lies, and whether it was made just now (`new`, `beside`) or before (`kept`)."""

    notebook: Path
    state: str


def start(name: str, course: Path) -> Started:
    """Copy a released assignment into `work/` without ever overwriting anything.

    Args:
        name: The assignment.
        course: The folder that holds `assignments/`.

    Returns:
        The copy; a release newer than the copy is laid beside it.

    Raises:
        SubmissionError: No such assignment is released, or the copy can't be written.
    """
    released = find_released(name, course)
    own = course / "work" / name
    if not own.exists():
        return Started(_copy(released, own, name), "new")
    if release_digest(own) == release_digest(released):
        return Started(own / f"{name}.ipynb", "kept")
    beside = own.with_name(f"{name}-{release_digest(released)[:8]}")
    if beside.exists():
        return Started(beside / f"{name}.ipynb", "kept")
    return Started(_copy(released, beside, name), "beside")


def find_released(name: str, course: Path) -> Path:
    """Find the folder of a released assignment by its name."""
    known = sorted(path.parent.name for path in (course / "assignments").glob(f"*/{RELEASE}"))
    if name in known:
        return course / "assignments" / name
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
    raise SubmissionError(
        f"no assignment is called {name!r}.",
        f"did you mean: {', '.join(near)}?" if near else f"none is released yet in {course / 'assignments'}.",
    )


def release_digest(folder: Path) -> str:
    """Read which release a folder is, or a copy of; empty where that can't be told."""
    try:
        return str(json.loads((folder / RELEASE).read_text("utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _copy(released: Path, target: Path, name: str) -> Path:
    """Copy beside the place and rename, so that a half-copied folder is never taken for one's work."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
        try:
            shutil.copytree(released, staging / name, copy_function=shutil.copyfile)
            os.replace(staging / name, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise SubmissionError(
            f"{target} can't be written: {error.strerror}.", "free some space or mend the rights."
        ) from error
    return target / f"{name}.ipynb"
