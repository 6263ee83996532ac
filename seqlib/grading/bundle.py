"""Write the students' edition to one zip file, the same bytes each time, or into a folder that keeps its `work/`."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqlib.course.deadlines import DEADLINES, toml_text
from seqlib.errors import ReleaseError
from seqlib.files import write_whole
from seqlib.grading.deadlines import COURSE_TABLE, class_deadlines
from seqlib.grading.edition import edition_files
from seqlib.grading.leaks import Leak, find_leaks, normalise, refuse, refuse_leaks, secret_lines
from seqlib.grading.source import find_source, list_sources
from seqlib.lab.home import HOME, home_text

__all__ = ["EDITION", "Bundled", "bundle", "copied", "zip_bytes"]

EDITION = "edition.json"
_TOP = "course"
_KEPT = Path("work") / "kept"
_NEAR = 3
_YEAR_ZERO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundled:
    """What a bundle wrote: where, how many files, their digest, and files of the student's that were set aside."""

    path: Path
    files: int
    digest: str
    kept: tuple[str, ...] = ()


def bundle(
    root: Path, out: Path, *, course: Path | None = None, report: Callable[[str], None] = lambda step: None
) -> Bundled:
    """Write the students' edition.

    Args:
        root: The instructors' repository.
        out: A file `*.zip`, or a folder: new, empty, or an edition written before.
        course: A class folder, whose due times students are told.
        report: Is told each step, for a progress line.

    Raises:
        ReleaseError: A leak, or a folder that is no edition; nothing has been written then.
        DeadlineError: The class's table of due times can't be read.
    """
    report("collecting the files")
    files = edition_files(root)
    if course is not None:
        files |= _told(root, course, files)
    report("searching for leaks")
    secrets = edition_secrets(root, files)
    library = {name: data for name, data in files.items() if name.startswith("seqlib/")}
    refuse_leaks(((name, data) for name, data in files.items() if name not in library), secrets)
    refuse(copied(list(find_leaks(library.items(), secrets))))
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    digest = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()
    files[EDITION] = (json.dumps({"digest": digest, "files": digests}, indent=1, sort_keys=True) + "\n").encode()
    report("writing")
    if out.suffix == ".zip":
        packed = zip_bytes({f"{_TOP}/{name}": data for name, data in files.items()})
        write_whole(out, packed, error=ReleaseError)
        return Bundled(out, len(files), digest)
    return Bundled(out, len(files), digest, tuple(_write_folder(out, files)))


def _told(root: Path, course: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Write what students are told about due times: no name, no extension, nothing of what is not released."""
    if not (course / COURSE_TABLE).is_file():
        raise ReleaseError(f"{course} has no {COURSE_TABLE}.", "write the due times into it, or leave --course away.")
    released = {name.split("/")[1] for name in files if name.startswith("assignments/")}
    table = class_deadlines(course, list_sources(root))
    deadlines = {name: due.deadline for name, due in table.items() if due.deadline is not None and name in released}
    told = {DEADLINES.as_posix(): toml_text(deadlines).encode()}
    if HOME.as_posix() in files:
        told[HOME.as_posix()] = home_text(root, deadlines=deadlines).encode()
    return told


def zip_bytes(files: dict[str, bytes]) -> bytes:
    """Zip files so that equal contents give equal bytes: sorted, without times, owners or system."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            item = zipfile.ZipInfo(name, _YEAR_ZERO)
            item.compress_type, item.create_system, item.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(item, data)
    return buffer.getvalue()


def edition_secrets(root: Path, files: dict[str, bytes]) -> dict[str, str]:
    """Collect what no file of the edition may show: the answers of every assignment, released or not.

    Lectures are public and show much, so what a lecture itself says is no secret.
    """
    secrets: dict[str, str] = {}
    for name in list_sources(root):
        secrets |= secret_lines(find_source(name, root))
    lectures = [data for name, data in files.items() if name.startswith("lectures/") and name.endswith(".py")]
    public = {
        normalise(line.lstrip("# ")) for data in lectures for line in data.decode("utf-8", "replace").splitlines()
    }
    return {line: origin for line, origin in secrets.items() if line not in public or "canary" in origin}


def copied(leaks: list[Leak]) -> list[Leak]:
    """Keep the leaks in a library that are no chance: canaries, and neighbouring lines of one answer.

    A single line such as `optimiser.zero_grad()` stands in many libraries and in many answers.
    """
    return [leak for leak in leaks if "canary" in leak.origin or any(_neighbours(leak, other) for other in leaks)]


def _neighbours(leak: Leak, other: Leak) -> bool:
    same = leak.place == other.place and leak.origin.partition(" line ")[0] == other.origin.partition(" line ")[0]
    return same and leak.secret != other.secret and abs(leak.line - other.line) <= _NEAR


def _write_folder(folder: Path, files: dict[str, bytes]) -> list[str]:
    """Bring a folder up to date: `work/` is never touched, and a file that a student changed is kept in it."""
    before = _edition_of(folder)
    kept = []
    for name in sorted(before.keys() | files.keys()):
        path = folder / name
        if path.is_file():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found not in (before.get(name), hashlib.sha256(files.get(name, b"")).hexdigest()) and name != EDITION:
                kept.append(_keep(folder, name, found))
            if name not in files:
                path.unlink()
    for name, data in files.items():
        write_whole(folder / name, data, error=ReleaseError)
    return kept


def _edition_of(folder: Path) -> dict[str, str]:
    """Read which files an older edition put here; a folder that is not ours is refused."""
    marker = folder / EDITION
    if marker.is_file():
        try:
            return dict(json.loads(marker.read_text("utf-8"))["files"])
        except (ValueError, KeyError, TypeError) as error:
            raise ReleaseError(
                f"{marker} can't be read.", "name a new folder; your work/ can be moved there."
            ) from error
    if folder.exists() and (not folder.is_dir() or any(path.name != "work" for path in folder.iterdir())):
        raise ReleaseError(
            f"{folder} holds other things than a students' edition.", "name a new folder, or a file that ends in .zip."
        )
    return {}


def _keep(folder: Path, name: str, digest: str) -> str:
    target = folder / _KEPT / name
    target = target.with_name(f"{target.stem}-{digest[:8]}{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / name, target)
    return target.relative_to(folder).as_posix()
