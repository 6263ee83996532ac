"""Hand in: find the notebook, see that it is whole, pack one file, drop it where the class exchanges files."""

import getpass
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seqlib.course.copies import find_released, release_digest
from seqlib.course.examine import NO_CELLS, check_names, examine
from seqlib.course.notebooks import Read, read_notebook
from seqlib.course.pack import pack_bytes, pack_name
from seqlib.errors import SubmissionError
from seqlib.files import write_whole

__all__ = ["EXCHANGE", "Submitted", "submit"]

EXCHANGE = "SEQLIB_EXCHANGE"
STUDENT = "SEQLIB_STUDENT"
_LARGEST_RECEIPT = 1 << 16


@dataclass(frozen=True)
class Submitted:
    """What was handed in.

    Attributes:
        assignment: Its name.
        pack: The packed file.
        dropped: Where it was dropped; None: nowhere.
        receipt: A text file beside the pack, with its digest.
        digest: SHA-256 of the pack.
        faults: What is wrong with it, a clause each; it was handed in knowingly or is unfinished.
        arrived: What the other end has said of an earlier pack; empty where nothing is known.
    """

    assignment: str
    pack: Path
    dropped: Path | None
    receipt: Path
    digest: str
    faults: tuple[str, ...]
    arrived: str = ""


def submit(
    wanted: str, course: Path, *, student: str = "", exchange: Path | None = None, anyway: bool = False
) -> Submitted:
    """Validate and pack a student's notebook.

    Args:
        wanted: An assignment, a folder or a notebook; empty: the only notebook in the current folder.
        course: The folder that holds `assignments/` and `work/`.
        student: Who hands in. Empty: SEQLIB_STUDENT, else the account's name.
        exchange: Where to drop the pack. None: SEQLIB_EXCHANGE, else nowhere.
        anyway: Pack although something that costs points is damaged, such as a check cell that is missing.

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
    name = read.assignment or _assignment_of(read, course)
    released = find_released(name, course)
    faults = examine(read.notebook, json.loads((released / f"{name}.ipynb").read_text("utf-8")))
    grave = [fault.text for fault in faults if fault.grave]
    if grave and (not anyway or grave == [NO_CELLS]):
        raise SubmissionError(f"{read.path}: {'; '.join(grave)}.", _mend(grave, name))
    said = (*_about_the_file(read, name), *(fault.text for fault in faults))
    data = pack_bytes(student, name, release_digest(read.path.parent), read.data)
    digest = hashlib.sha256(data).hexdigest()
    pack = course / "work" / "submitted" / pack_name(student, name)
    write_whole(pack, data, error=SubmissionError)
    dropped = None
    if exchange is not None:
        dropped = exchange / pack.name
        write_whole(dropped, data, error=SubmissionError)
    receipt = pack.with_suffix(".receipt.txt")
    write_whole(receipt, _receipt_text(student, name, read, pack, dropped, digest, said), error=SubmissionError)
    arrived = said_by_the_other_end(exchange, student, name, digest) if exchange is not None else ""
    return Submitted(name, pack, dropped, receipt, digest, said, arrived)


def said_by_the_other_end(exchange: Path, student: str, assignment: str, digest: str) -> str:
    """Read the newest receipt that `seqlib collect` has laid into the exchange folder."""
    found = []
    for path in sorted((exchange / "receipts").glob(f"{student}+{assignment}-*.json")):
        try:
            if path.stat().st_size < _LARGEST_RECEIPT:
                told = json.loads(path.read_text("utf-8"))
                found.append((str(told["arrived"]), str(told["receipt"])[:16], told["digest"] == digest))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # somebody else's file, or one that is being written
    if not found:
        return ""
    arrived, receipt, same = max(found)
    return f"{'this very file' if same else 'an earlier file'} arrived {arrived:.19} UTC, receipt {receipt}"


def _receipt_text(
    student: str, name: str, read: Read, pack: Path, dropped: Path | None, digest: str, said: Iterable[str]
) -> str:
    lines = [
        f"{name}, handed in by {student}",
        f"notebook   {read.path.resolve()}",
        f"           SHA-256 {hashlib.sha256(read.data).hexdigest()}",
        f"file       {dropped or pack}",
        f"           SHA-256 {digest}",
        f"packed     {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC by this computer's clock; its arrival is what counts",
        *(f"note       {fault}" for fault in said),
    ]
    return "\n".join(lines) + "\n"


def _about_the_file(read: Read, name: str) -> Iterator[str]:
    """Say when it is perhaps not the file that was meant."""
    if read.path.stem != name:
        yield f"the file is called {read.path.name!r}; it is handed in as {name}.ipynb"
    try:
        newer = [
            path.name
            for path in sorted(read.path.parent.glob("*.ipynb"))
            if path.stat().st_mtime > read.path.stat().st_mtime and path != read.path
        ]
    except OSError:
        return
    if newer:
        yield f"{newer[0]!r} in the same folder was saved later than {read.path.name!r}, which is handed in"


def _assignment_of(read: Read, course: Path) -> str:
    """Tell which assignment a notebook is whose front end dropped the name: by its checks, else by its file."""
    own = check_names(read.notebook)
    shared: dict[str, int] = {}
    for path in sorted((course / "assignments").glob("*/*.ipynb")):
        try:
            given = check_names(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError):
            continue
        shared[path.stem] = len(given & own)
    best = max(shared, key=lambda name: shared[name], default="")
    return best if best and shared[best] and read.path.stem not in shared else read.path.stem


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
    if any("kernel" in fault for fault in faults):
        return "choose the Python kernel (Kernel > Change Kernel), save, and hand in again."
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
