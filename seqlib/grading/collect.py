"""Take packs in: the arrival is stamped here, a receipt is issued, nothing in a pack is taken on trust."""

import difflib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from seqlib.course.notebooks import parse_notebook
from seqlib.course.pack import Pack, read_pack
from seqlib.errors import GradingError, SubmissionError, WriteError
from seqlib.files import write_whole
from seqlib.grading.deadlines import COURSE_TABLE, Due, class_deadlines
from seqlib.grading.staging import swap_in

if os.name == "posix":
    import pwd

__all__ = ["Collected", "Receipt", "collect"]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """That a pack arrived: whose, what, when by the clock of this side, and a digest over all of it."""

    student: str
    assignment: str
    file: str
    digest: str
    release: str
    arrived: str

    @property
    def receipt(self) -> str:
        """What the student keeps: it changes with any entry."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Collected:
    """What one sweep did: packs taken, packs seen before, packs refused with the reason, how late, doubts."""

    taken: tuple[Receipt, ...]
    unchanged: int
    refused: tuple[tuple[str, str], ...]
    remarks: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Say it, a line a pack."""
        taken = [
            f"{r.student}: arrived {r.arrived}, receipt {r.receipt[:16]}{self.remarks.get(r.receipt, '')}"
            for r in self.taken
        ]
        refused = [f"refused {name}: {reason}" for name, reason in self.refused]
        return [
            *taken,
            *refused,
            *self.doubts,
            f"{len(taken)} taken, {self.unchanged} seen before, {len(refused)} refused.",
        ]


def collect(
    assignment: str,
    source: Path,
    course: Path,
    *,
    own_accounts: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    report: Callable[[str], None] = lambda step: None,
) -> Collected:
    """Take in every new pack of one assignment.

    The last pack that arrives counts, but one that arrives when nothing is accepted any more replaces none before it.
    Which that is, is looked at again each time: an extension that is given later brings in what came too late.

    Args:
        assignment: Its name; packs of others are left alone.
        source: The exchange folder; nothing in it is changed but for `receipts/`.
        course: The class folder.
        own_accounts: Students write into the exchange folder under accounts of their own names, so that a file
            that belongs to any other account is refused. Without, only what a classmate's account wrote is.
        now: The clock that counts.
        report: Is told each file, for a progress line.

    Raises:
        GradingError: The exchange folder is not there, the ledger can't be read, or the class folder can't be written.
        DeadlineError: The class's table of due times can't be read; nothing has been taken then.
    """
    if not source.is_dir():
        raise GradingError(f"there is no folder {source}.", "name the exchange folder: --from DIR.")
    due = class_deadlines(course).get(assignment, Due())
    ledger = _read_ledger(course, assignment)
    last = {(receipt.student, receipt.file): receipt.digest for receipt in ledger}
    taken, refused, unchanged, remarks = [], [], 0, {}
    # Two new packs of one student in one sweep: the file written last wins, which is all that can be known.
    for path in sorted(source.glob("*.zip"), key=lambda path: (path.lstat().st_mtime_ns, path.name)):
        report(path.name)
        try:
            pack = read_pack(path)
            if pack.assignment != assignment:
                continue
            if last.get((pack.student, path.name)) == pack.digest:
                unchanged += 1
                continue
            _require_author(path, pack.student, {receipt.student for receipt in ledger}, own_accounts)
            parse_notebook(pack.notebook, Path(path.name))
        except SubmissionError as error:
            refused.append((path.name, error.what))
            continue
        taken.append(_receipt(pack, path, now()))
        write_whole(_kept(course, taken[-1]), path.read_bytes(), error=GradingError)
        ledger.append(taken[-1])
        _write_ledger(course, assignment, ledger)
    counting = _place_what_counts(ledger, due, course, {receipt.receipt for receipt in taken})
    for receipt in taken:
        _hand_out(receipt, course, source)
        late = due.of(receipt.student, receipt.arrived)
        if late is not None:
            stays = "" if receipt.receipt in counting else "; work that came before it counts"
            remarks[receipt.receipt] = f"; {late.text}{stays}"
    return Collected(tuple(taken), unchanged, tuple(refused), remarks, tuple(_doubts(due, ledger)))


def _require_author(path: Path, student: str, others: set[str], own_accounts: bool) -> None:
    """A pack says itself whose it is; the account that its file belongs to is harder to choose."""
    uid = path.stat().st_uid
    if os.name != "posix" or (uid == os.geteuid() and not own_accounts):
        return  # the collector's own account carries files for everybody
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:
        account = f"number {uid}"
    if account != student and (own_accounts or account in others):
        raise SubmissionError(
            f"It hands in for {student} and belongs to the account {account}.",
            "ask both; if it is right, copy the file yourself and collect it without --own-accounts.",
        )


def _receipt(pack: Pack, path: Path, arrived: datetime) -> Receipt:
    return Receipt(
        student=pack.student,
        assignment=pack.assignment,
        file=path.name,
        digest=pack.digest,
        release=pack.release,
        arrived=f"{arrived.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC",
    )


def _doubts(due: Due, ledger: list[Receipt]) -> Iterator[str]:
    """An extension of somebody who has handed in nothing, and whose name is nearly that of somebody who has."""
    there = {receipt.student for receipt in ledger}
    for name in due.extensions:
        near = difflib.get_close_matches(name, there - set(due.extensions), n=1, cutoff=0.75)
        if name not in there and near:
            yield f"{COURSE_TABLE} extends the due time of {name}, who handed in nothing: is it {near[0]}?"


def _kept(course: Path, receipt: Receipt) -> Path:
    return course / "received" / receipt.student / f"{receipt.assignment}-{receipt.digest[:12]}.zip"


def _place_what_counts(ledger: list[Receipt], due: Due, course: Path, new: set[str]) -> set[str]:
    """Put the notebook of each student that counts where nbgrader looks for it; returns the receipts of these.

    A folder that somebody has changed by hand stays until a new pack comes.
    """
    by_student: dict[str, list[Receipt]] = {}
    for receipt in ledger:
        by_student.setdefault(receipt.student, []).append(receipt)
    counting = set()
    for student, receipts in by_student.items():
        lates = [(receipt, due.of(student, receipt.arrived)) for receipt in receipts]
        chosen = [receipt for receipt, late in lates if late is None or not late.closed][-1:] or receipts[-1:]
        counting.add(chosen[0].receipt)
        folder = course / "submitted" / student / chosen[0].assignment
        others = {receipt.arrived for receipt in receipts} - {chosen[0].arrived}
        if chosen[0].receipt in new or not folder.exists() or _stamp(folder) in others:
            _place(chosen[0], folder, course)
    return counting


def _place(receipt: Receipt, folder: Path, course: Path) -> None:
    try:
        pack = read_pack(_kept(course, receipt))
    except SubmissionError as error:
        hint = "restore it from a backup, or hand it in again."
        raise GradingError(f"{_kept(course, receipt)} was kept and can't be read: {error.what}", hint) from error
    swap_in({f"{pack.assignment}.ipynb": pack.notebook, "timestamp.txt": receipt.arrived.encode()}, folder)


def _stamp(folder: Path) -> str:
    try:
        return (folder / "timestamp.txt").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _hand_out(receipt: Receipt, course: Path, source: Path) -> None:
    """Write the receipt for the instructors and, where the exchange folder allows it, for the student."""
    text = json.dumps(asdict(receipt) | {"receipt": receipt.receipt}, indent=1, sort_keys=True) + "\n"
    name = f"{receipt.student}+{receipt.assignment}-{receipt.digest[:12]}.json"
    write_whole(course / "receipts" / name, text, error=GradingError)
    try:
        write_whole(source / "receipts" / name, text)
    except WriteError:
        return  # a read-only exchange folder: the class folder has the receipt


def _ledger_path(course: Path, assignment: str) -> Path:
    return course / "received" / f"{assignment}.jsonl"


def _read_ledger(course: Path, assignment: str) -> list[Receipt]:
    path = _ledger_path(course, assignment)
    if not path.is_file():
        return []
    try:
        return [Receipt(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (ValueError, TypeError) as error:
        raise GradingError(f"the ledger {path} can't be read: {error}.", "restore it from a backup.") from error


def _write_ledger(course: Path, assignment: str, ledger: list[Receipt]) -> None:
    lines = [json.dumps(asdict(receipt), sort_keys=True) for receipt in ledger]
    write_whole(_ledger_path(course, assignment), "\n".join(lines) + "\n", error=GradingError)
