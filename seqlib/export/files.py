"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from seqlib.errors import ExportError

__all__ = ["write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path` and move it there, so that nobody finds half a file.

    Raises:
        ExportError: The folder can't be written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)  # a temporary file is private, a page is for everybody
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> ExportError:
    return ExportError(
        f"{path} can't be written: {error.strerror or error}.", "choose another place with --out, or free some space."
    )
