"""Files that are whole or absent: written beside their place, flushed, then renamed over it."""

import os
import tempfile
from pathlib import Path

from seqlib.errors import SeqlibError, WriteError

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes | str, *, error: type[SeqlibError] = WriteError) -> None:
    """Put `content` at `path`, and make the folders above it; no reader and no crash meets half of it.

    A file that is replaced keeps its permissions; a new one is readable by all.

    Args:
        path: Where the file goes.
        content: What it holds; text is written as UTF-8, its line ends as they are.
        error: What to raise where the system refuses.

    Raises:
        SeqlibError: The folder can't be written or the disk is full, as an `error`; the old file stays.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(path, data)
    except OSError as refused:
        raise error(
            f"{path} can't be written: {refused.strerror or refused}.",
            "free some space, mend the rights, or choose another place.",
        ) from refused


def _write_beside(path: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except BaseException:  # an interrupt too leaves nothing behind
        Path(beside).unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0o644
