"""One packed file: the notebook and a manifest, the same bytes for the same work, read with nothing taken on trust."""

import hashlib
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.course.notebooks import LARGEST_MIB
from seqlib.errors import SubmissionError

__all__ = ["Pack", "pack_bytes", "pack_name", "read_pack"]

FORMAT = 1
MANIFEST = "manifest.json"
_STUDENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?")
_LARGEST_MANIFEST = 1 << 16
_YEAR_ZERO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Pack:
    """What a pack holds: who, which assignment, from which release, the notebook, and the digest of the whole file."""

    student: str
    assignment: str
    release: str
    notebook: bytes
    digest: str


def pack_name(student: str, assignment: str) -> str:
    """Name the file: who and what.

    >>> pack_name("ada", "a1_recurrent")
    'ada+a1_recurrent.zip'
    """
    return f"{student}+{assignment}.zip"


def pack_bytes(student: str, assignment: str, release: str, notebook: bytes) -> bytes:
    """Pack a notebook; equal work gives equal bytes, so a receipt's digest can be checked again.

    Raises:
        SubmissionError: The student's name can't be a folder's name.
    """
    check_student(student)
    name = f"{assignment}.ipynb"
    manifest = {
        "format": FORMAT,
        "student": student,
        "assignment": assignment,
        "release": release,
        "files": {name: hashlib.sha256(notebook).hexdigest()},
    }
    files = {MANIFEST: (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode(), name: notebook}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in sorted(files.items()):
            item = zipfile.ZipInfo(path, _YEAR_ZERO)
            item.create_system, item.external_attr, item.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(item, data)
    return buffer.getvalue()


def read_pack(path: Path) -> Pack:
    """Read a pack that a stranger has written.

    Exactly two plain files, no folder, no link, no size beyond the limit whatever the header says.

    Raises:
        SubmissionError: It is anything else.
    """
    if path.is_symlink() or not path.is_file():
        raise SubmissionError(f"{path.name} is no plain file.", "hand in the file that seqlib submit has written.")
    if path.stat().st_size > (LARGEST_MIB + 1) << 20:
        raise SubmissionError(f"{path.name} is larger than {LARGEST_MIB} MiB.", "clear the notebook's outputs first.")
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _two_files(archive, path.name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError, OSError, ValueError) as error:
        raise SubmissionError(f"{path.name} is no readable pack: {error}.", "pack it again: seqlib submit.") from error
    manifest = _manifest(files.pop(MANIFEST), path.name)
    name = f"{manifest['assignment']}.ipynb"
    if list(files) != [name] or manifest["files"] != {name: hashlib.sha256(files[name]).hexdigest()}:
        raise SubmissionError(f"{path.name} does not hold what its manifest says.", "pack it again: seqlib submit.")
    digest = hashlib.sha256(data).hexdigest()
    return Pack(manifest["student"], manifest["assignment"], manifest["release"], files[name], digest)


def check_student(student: str) -> None:
    """Refuse a name that is no plain folder name."""
    if not _STUDENT.fullmatch(student):
        raise SubmissionError(
            f"{student!r} can't be a student's name here.",
            "use letters, digits and . _ @ -, at most 64: seqlib submit --student NAME.",
        )


def _two_files(archive: zipfile.ZipFile, place: str) -> dict[str, bytes]:
    items = archive.infolist()
    names = [item.filename for item in items]
    if len(items) != 2 or MANIFEST not in names or len(set(names)) != 2:
        raise SubmissionError(f"{place} holds {len(items)} entries, not a notebook and a manifest.", "pack it again.")
    files = {}
    for item in items:
        kind = item.external_attr >> 16 & 0o170000
        plain = item.filename == Path(item.filename).name and "\\" not in item.filename and ":" not in item.filename
        if not plain or item.is_dir() or kind not in (0, 0o100000):
            raise SubmissionError(f"{place} holds {item.filename!r}, which is no plain file.", "pack it again.")
        limit = _LARGEST_MANIFEST if item.filename == MANIFEST else LARGEST_MIB << 20
        with archive.open(item) as file:
            files[item.filename] = file.read(limit + 1)  # the header's own size is not believed
        if len(files[item.filename]) > limit:
            raise SubmissionError(
                f"{place} unpacks to more than {limit >> 10} KiB.", "clear the notebook's outputs first."
            )
    return files


def _manifest(data: bytes, place: str) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
        texts = [manifest[key] for key in ("student", "assignment", "release")]
        if manifest["format"] != FORMAT or not all(isinstance(text, str) for text in texts):
            raise ValueError("another format")
        if not manifest["assignment"].isidentifier() or not isinstance(manifest["files"], dict):
            raise ValueError("no assignment")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SubmissionError(f"{place} has a manifest that can't be read.", "pack it again: seqlib submit.") from error
    check_student(manifest["student"])
    return dict(manifest)
