"""Write a whole folder or nothing."""

import os
import shutil
import tempfile
from pathlib import Path

from seqlib.errors import ReleaseError

__all__ = ["swap_in"]


def swap_in(files: dict[str, bytes], folder: Path) -> None:
    """Write a folder beside its place and swap it in, so that no moment shows half of it."""
    staging = folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        _write(files, staging / "new")
        _swap(staging / "new", folder, staging / "old")
    except OSError as error:
        raise ReleaseError(
            f"{folder} can't be written: {error.strerror}.", "free some space or mend the rights."
        ) from error
    finally:
        if staging != folder and (folder.exists() or not (staging / "old").exists()):  # never the only copy
            shutil.rmtree(staging, ignore_errors=True)


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _swap(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(new, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise
