"""Take packs in: the arrival is stamped here, a receipt is issued, nothing in a pack is taken on trust."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from seqlib.course.notebooks import parse_notebook
from seqlib.course.pack import Pack, read_pack
from seqlib.errors import GradingError, SubmissionError, WriteError
from seqlib.files import write_whole
from seqlib.grading.staging import swap_in

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
    """What one sweep did: packs taken, packs seen before, and packs refused with the reason."""

    taken: tuple[Receipt, ...]
    unchanged: int
    refused: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """Say it, a line a pack."""
        taken = [f"{r.student}: arrived {r.arrived}, receipt {r.receipt[:16]}" for r in self.taken]
        refused = [f"refused {name}: {reason}" for name, reason in self.refused]
        return [*taken, *refused, f"{len(taken)} taken, {self.unchanged} seen before, {len(refused)} refused."]


def collect(
    assignment: str,
    source: Path,
    course: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    report: Callable[[str], None] = lambda step: None,
) -> Collected:
    """Take in every new pack of one assignment.

    Args:
        assignment: Its name; packs of others are left alone.
        source: The exchange folder; nothing in it is changed but for `receipts/`.
        course: The class folder.
        now: The clock that counts.
        report: Is told each file, for a progress line.

    Raises:
        GradingError: The exchange folder is not there, the ledger can't be read, or the class folder can't be written.
    """
    if not source.is_dir():
        raise GradingError(f"there is no folder {source}.", "name the exchange folder: --from DIR.")
    ledger = _read_ledger(course, assignment)
    last = {(receipt.student, receipt.file): receipt.digest for receipt in ledger}
    taken, refused, unchanged = [], [], 0
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
            parse_notebook(pack.notebook, Path(path.name))
        except SubmissionError as error:
            refused.append((path.name, error.what))
            continue
        taken.append(_take(pack, path, course, now()))
        ledger.append(taken[-1])
        _write_ledger(course, assignment, ledger)
    for receipt in taken:
        _hand_out(receipt, course, source)
    return Collected(tuple(taken), unchanged, tuple(refused))


def _take(pack: Pack, path: Path, course: Path, arrived: datetime) -> Receipt:
    """Keep the pack for ever and put its notebook where nbgrader looks for it."""
    receipt = Receipt(
        student=pack.student,
        assignment=pack.assignment,
        file=path.name,
        digest=pack.digest,
        release=pack.release,
        arrived=f"{arrived:%Y-%m-%d %H:%M:%S.%f} UTC",
    )
    kept = course / "received" / pack.student / f"{pack.assignment}-{pack.digest[:12]}.zip"
    write_whole(kept, path.read_bytes(), error=GradingError)
    files = {f"{pack.assignment}.ipynb": pack.notebook, "timestamp.txt": receipt.arrived.encode()}
    swap_in(files, course / "submitted" / pack.student / pack.assignment)
    return receipt


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
