"""What the students' edition holds: an allow-list, and the modules that it leaves out."""

import hashlib
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from seqlib.catalogue import RELEASE
from seqlib.errors import ReleaseError
from seqlib.grading.front import makefile_text, project_text, readme_text
from seqlib.grading.source import find_source, list_sources
from seqlib.lab.home import home_text

__all__ = ["PRIVATE_PARTS", "PUBLIC_PARTS", "answer_modules", "edition_files", "library_files"]

PUBLIC_PARTS = (
    "__init__.py",
    "catalogue.py",
    "checks",
    "claims",
    "cli.py",
    "course",
    "data",
    "errors.py",
    "export",
    "files.py",
    "lab",
    "metrics.py",
    "nn",
    "plots",
    "shapes.py",
    "threads.py",
    "trace",
    "train",
    "widgets",
)
PRIVATE_PARTS = ("grading",)
_SUFFIXES = {".css", ".html", ".js", ".json", ".md", ".png", ".py", ".safetensors", ".svg", ".toml", ".txt", ".wav"}
_AS_THEY_ARE = ("LICENSE", "constraints.txt", "jupytext.toml", "start.py")


def answer_modules(root: Path) -> tuple[str, ...]:
    """Collect the modules that any assignment lists as its answers."""
    return tuple(sorted({module for name in list_sources(root) for module in find_source(name, root).answers}))


def edition_files(root: Path) -> dict[str, bytes]:
    """Collect the students' edition: path with `/` to contents, in sorted order.

    Raises:
        ReleaseError: Something is in neither list, or a released assignment is not what its digests say.
    """
    files = {name: (root / name).read_bytes() for name in _AS_THEY_ARE if (root / name).is_file()}
    files |= library_files(root)
    files |= _lectures(root)
    for folder in sorted(path.parent for path in (root / "assignments").glob(f"*/{RELEASE}")):
        files |= _assignment(folder)
    files |= _written(root, files)
    return dict(sorted(files.items()))


def library_files(root: Path, library: Path | None = None) -> dict[str, bytes]:
    """Collect seqlib without the instructors' parts and without the answers.

    Args:
        root: The repository, whose assignments say what their answers are.
        library: The folder that holds `seqlib`. None: the repository.
    """
    library = library or root
    folder = library / "seqlib"
    left_out = [Path(*module.split(".")) for module in answer_modules(root)]
    for module in left_out:
        if not (library / module).is_dir() and not (library / module).with_suffix(".py").is_file():
            raise ReleaseError(
                f"the answers list {'.'.join(module.parts)!r}, which is not in {library}.", "correct assignment.toml."
            )
    unknown = sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in PUBLIC_PARTS + PRIVATE_PARTS
        and path.name != "__pycache__"
        and not path.name.startswith(".")
    )
    if unknown:
        raise ReleaseError(
            f"seqlib/{unknown[0]} is listed neither for students nor for instructors.",
            "add it to PUBLIC_PARTS or PRIVATE_PARTS in seqlib/grading/edition.py.",
        )
    files = {}
    for part in PUBLIC_PARTS:
        for path in _allowed(folder / part):
            relative = path.relative_to(library)
            if not any(relative.with_suffix("") == module or module in relative.parents for module in left_out):
                files[relative.as_posix()] = path.read_bytes()
    return files


def _allowed(path: Path) -> Iterable[Path]:
    """List the files of a part that may leave: known kinds, nothing hidden, nothing compiled, no link."""
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in found:
        hidden = any(part.startswith(".") or part == "__pycache__" for part in file.relative_to(path.parent).parts)
        if file.is_file() and not file.is_symlink() and not hidden and file.suffix in _SUFFIXES:
            yield file


def _lectures(root: Path) -> dict[str, bytes]:
    """Collect the lectures that the table lists, the table, and the small files beside them."""
    table = root / "lectures" / "lectures.toml"
    if not table.is_file():
        return {}
    listed = {row["file"] for row in tomllib.loads(table.read_text("utf-8")).get("lecture", [])}
    files = [path for path in _allowed(table.parent) if path.suffix != ".py" or path.name in listed]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def _assignment(folder: Path) -> dict[str, bytes]:
    """Collect one released assignment, exactly the files that its release listed."""
    table = json.loads((folder / RELEASE).read_text("utf-8"))
    again = f"release it again: seqlib release {folder.name}."
    root = folder.parent.parent
    if folder.name in list_sources(root) and find_source(folder.name, root).digest != table.get("source"):
        raise ReleaseError(f"{folder} is older than its source in solutions/.", again)
    files = {RELEASE: (folder / RELEASE).read_bytes()}
    for name, digest in table["files"].items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ReleaseError(f"{path} is not what was released.", again)
        files[name] = path.read_bytes()
    return {f"assignments/{folder.name}/{name}": data for name, data in files.items()}


def _written(root: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Write what differs from the instructors' files: home page, README, Makefile, project table."""
    home = home_text(root) if "lectures/lectures.toml" in files else ""
    title = home.partition("\n")[0].removeprefix("# ") or str(root.name)
    newest = max((name.split("/")[1] for name in files if name.startswith("assignments/")), default="NAME")
    written = {
        "COURSE.md": home,
        "Makefile": makefile_text(newest),
        "README.md": readme_text(root, title),
        "pyproject.toml": project_text(root),
    }
    return {name: text.encode() for name, text in written.items() if text}
