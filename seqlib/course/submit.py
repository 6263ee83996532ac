"""Hand in: find the notebook, see that it is whole, pack one file, drop it where the class exchanges files."""

import getpass
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from seqlib.course.copies import find_released, release_digest
from seqlib.course.notebooks import NO_CELLS, examine, read_notebook
from seqlib.course.pack import pack_bytes, pack_name
from seqlib.errors import SubmissionError
from seqlib.files import write_whole

__all__ = ["EXCHANGE", "Submitted", "submit"]

EXCHANGE = "SEQLIB_EXCHANGE"
STUDENT = "SEQLIB_STUDENT"


@dataclass(frozen=True)
class Submitted:
    """What, the pack, where it was dropped (None: nowhere), its digest, and faults that were handed in knowingly."""

    assignment: str
    pack: Path
    dropped: Path | None
    digest: str
    faults: tuple[str, ...]


def submit(
    wanted: str, course: Path, *, student: str = "", exchange: Path | None = None, anyway: bool = False
) -> Submitted:
    """Validate and pack a student's notebook.

    Args:
        wanted: An assignment, a folder or a notebook; empty: the only notebook in the current folder.
        course: The folder that holds `assignments/` and `work/`.
        student: Who hands in. Empty: SEQLIB_STUDENT, else the account's name.
        exchange: Where to drop the pack. None: SEQLIB_EXCHANGE, else nowhere.
        anyway: Pack although check cells are missing, doubled or changed.

    Raises:
        SubmissionError: Something is broken; nothing has been written then.
    """
    exchange = exchange or (Path(os.environ[EXCHANGE]) if os.environ.get(EXCHANGE) else None)
    if exchange is not None and not exchange.is_dir():
        raise SubmissionError(
            f"the exchange folder {exchange} is not there.", f"ask where it is; set it with --to or {EXCHANGE}."
        )
    student = student or os.environ.get(STUDENT) or _account()
    read = read_notebook(_find(wanted, course))
    name = read.assignment or read.path.stem
    released = find_released(name, course)
    faults = examine(read.notebook, json.loads((released / f"{name}.ipynb").read_text("utf-8")))
    if faults and (not anyway or faults == [NO_CELLS]):
        raise SubmissionError(f"{read.path}: {'; '.join(faults)}.", _mend(faults, name))
    data = pack_bytes(student, name, release_digest(read.path.parent), read.data)
    pack = course / "work" / "submitted" / pack_name(student, name)
    write_whole(pack, data, error=SubmissionError)
    dropped = None
    if exchange is not None:
        dropped = exchange / pack.name
        write_whole(dropped, data, error=SubmissionError)
    return Submitted(name, pack, dropped, hashlib.sha256(data).hexdigest(), tuple(faults))


def _find(wanted: str, course: Path) -> Path:
    """Find the notebook: a path wins over the name of an assignment."""
    path = Path(wanted or ".")
    if path.is_dir():
        found = sorted(path.glob("*.ipynb"))
        if len(found) == 1:
            return found[0]
        own = path / f"{path.resolve().name}.ipynb"
        if own in found:
            return own
        what = "no notebook" if not found else f"{len(found)} notebooks"
        raise SubmissionError(f"{path.resolve()} holds {what}.", "name one: seqlib submit work/NAME/NAME.ipynb.")
    if path.exists() or path.suffix:
        return path
    own = course / "work" / wanted / f"{wanted}.ipynb"
    if own.is_file():
        return own
    find_released(wanted, course)
    raise SubmissionError(f"you have no copy of {wanted} in {own.parent}.", f"start one: seqlib start {wanted}.")


def _mend(faults: list[str], name: str) -> str:
    if faults == [NO_CELLS]:
        return f"is it the right file? Your copy is work/{name}/{name}.ipynb."
    return "copy the cell from a fresh notebook in assignments/, or hand in as it is with --anyway."


def _account() -> str:
    """Make a folder's name of the account's."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError, ImportError):
        account = ""
    name = re.sub(r"[^A-Za-z0-9._@-]+", "-", account).strip("-._@")
    if name:
        return name
    raise SubmissionError(
        "this account has no name to hand in under.", "say who you are: seqlib submit --student NAME."
    )
