"""The folders that a sandbox sees: the students' edition of the library, the assignment's public files, our inside."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import seqlib
from seqlib.grading.edition import library_files
from seqlib.grading.sandbox.bubblewrap import SANDBOX_PATH
from seqlib.grading.sandbox.inside.fonts import FONT_LISTS

__all__ = ["Image", "students_library"]


class Image:
    """Folders on disk that anybody may read; use as a context manager.

    Args:
        root: The instructors' repository, whose students' edition is taken.
        public: The files that lie beside a student's notebook, by name.
        place: Where to put the folders. None: among the temporary files.
    """

    def __init__(self, root: Path, public: Mapping[str, bytes], place: Path | None = None) -> None:
        self.hidden = (root, Path(seqlib.__file__).parent)
        self.folder = Path(tempfile.mkdtemp(prefix="sq-image-", dir=place))
        self.folder.chmod(0o755)
        for name, data in students_library(root).items():
            self._write(f"edition/{name}", data)
        for name, data in public.items():
            self._write(f"public/{name}", data)
        self.home.mkdir(0o700)
        (self.folder / "public").mkdir(exist_ok=True)
        (self.folder / "public").chmod(0o755)
        for path in sorted(Path(__file__).with_name("inside").glob("*.py")):
            self._write(f"own/inside/{path.name}", path.read_bytes())
        for name, text in _font_lists():
            self._write(f"own/{FONT_LISTS}/{name}", text.encode())

    def __enter__(self) -> "Image":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folders."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def read_only(self) -> dict[str, Path]:
        """What to mount: place inside to place outside."""
        return {f"{SANDBOX_PATH}/{name}": self.folder / name for name in ("edition", "own", "public")}

    @property
    def home(self) -> Path:
        """A folder of our own, for what runs outside of a sandbox."""
        return self.folder / "home"

    def python_path(self, *, inside: bool = True) -> str:
        """Where modules are found, in a sandbox or outside."""
        base = SANDBOX_PATH if inside else str(self.folder)
        return f"{base}/own:{base}/edition"

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in path.relative_to(self.folder).parents:
            (self.folder / parent).chmod(0o755)
        path.write_bytes(data)
        path.chmod(0o644)


def students_library(root: Path) -> dict[str, bytes]:
    """The students' edition of the library that runs here, without what the repository's assignments ask for."""
    return library_files(root, Path(seqlib.__file__).resolve().parents[1])


def _font_lists() -> Iterator[tuple[str, str]]:
    """The lists that matplotlib has made of this machine's fonts, without fonts that a sandbox does not see."""
    base = os.environ.get("MPLCONFIGDIR") or Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "matplotlib"
    )
    for path in sorted(Path(base).glob("fontlist-*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # then a sandbox makes its own, as for the first time
            fonts = json.loads(path.read_text("utf-8"))
            for kind in ("afmlist", "ttflist"):
                fonts[kind] = [font for font in fonts[kind] if _is_seen(font)]
            yield path.name, json.dumps(fonts)


def _is_seen(font: dict[str, Any]) -> bool:
    """Whether it comes with matplotlib (a relative path) or with the system."""
    place = Path(font["fname"])
    return not place.is_absolute() or place.is_relative_to("/usr/share")
