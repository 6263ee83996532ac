"""The hand-written source of an assignment: where it lies, what its table says, its notebook."""

import difflib
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.errors import ReleaseError

__all__ = ["Source", "find_root", "find_source", "list_sources", "read_notebook"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One folder under `solutions/`.

    Args:
        name: The folder's name, which is the assignment's.
        folder: Where it lies.
        title: What students read.
        minutes: How long a student needs.
        answers: Modules that the students' edition leaves out while this assignment is open.
        forbidden: Names that a from-scratch answer should not call.
    """

    name: str
    folder: Path
    title: str
    minutes: int
    answers: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    @property
    def notebook(self) -> Path:
        """The notebook's text, with answers."""
        return self.folder / f"{self.name}.py"

    @property
    def checks(self) -> Path:
        """The checks with their references and mistakes."""
        return self.folder / "checks.py"

    @property
    def digest(self) -> str:
        """A digest of all that a release is made from; variants are not."""
        digest = hashlib.sha256()
        for path in sorted([*self.folder.glob("*.py"), *self.folder.glob("*.toml")]):
            digest.update(hashlib.sha256(path.name.encode() + b"\0" + path.read_bytes()).digest())
        return digest.hexdigest()

    @property
    def root(self) -> Path:
        """The repository that holds `solutions/` and `assignments/`."""
        return self.folder.parent.parent

    @property
    def released(self) -> Path:
        """Where the release writes."""
        return self.root / "assignments" / self.name


def find_root(start: Path | None = None) -> Path:
    """Walk up from a folder to the first that holds `solutions/`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "solutions").is_dir():
            return folder
    raise ReleaseError(
        f"no folder solutions/ lies in {here} or above it.",
        "run the command inside the instructors' repository, or name it with --root.",
    )


def list_sources(root: Path) -> list[str]:
    """Name every assignment that has an `assignment.toml`."""
    return sorted(path.parent.name for path in (root / "solutions").glob("*/assignment.toml"))


def find_source(name: str, root: Path) -> Source:
    """Read the table of one assignment and see that its files are there."""
    known = list_sources(root)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
        raise ReleaseError(
            f"no assignment is called {name!r} in {root / 'solutions'}.",
            f"did you mean: {', '.join(near)}?" if near else "make solutions/NAME/assignment.toml first.",
        )
    folder = root / "solutions" / name
    table = _read_table(folder / "assignment.toml")
    source = Source(
        name=name,
        folder=folder,
        title=_entry(table, "title", str, folder, name),
        minutes=_entry(table, "minutes", int, folder, 0),
        answers=_names(table, "answers", folder),
        forbidden=_names(table, "forbidden", folder),
    )
    for path in (source.notebook, source.checks):
        if not path.is_file():
            raise ReleaseError(f"{path} is missing.", f"every assignment has {path.name} beside its assignment.toml.")
    return source


def read_notebook(source: Source) -> Any:
    """Read the source as a notebook (an `nbformat` node), answers included."""
    import jupytext

    text = read_text(source.notebook)
    if not any(line.startswith("# %%") for line in text.splitlines()):
        raise ReleaseError(
            f"{source.notebook} is no jupytext notebook: no line starts a cell with '# %%'.",
            "write it in jupytext's py:percent format: '# %%' before code, '# %% [markdown]' before text.",
        )
    notebook = jupytext.reads(text, fmt="py:percent")
    if any(cell.cell_type == "code" for cell in notebook.cells):
        return notebook
    raise ReleaseError(f"{source.notebook} has no code cell.", "start each code cell with a line '# %%'.")


def read_text(path: Path) -> str:
    """Read a hand-written file, which is UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{path} is not UTF-8: byte {error.start}.", "save the file as UTF-8 text.") from error


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ReleaseError(f"{path} is no TOML: {error}.", "correct the line named above.") from error


def _entry(table: dict[str, Any], key: str, kind: type, folder: Path, default: Any) -> Any:
    value = table.get(key, default)
    if isinstance(value, kind):
        return value
    raise ReleaseError(f"{key} in {folder / 'assignment.toml'} is {value!r}.", f"{key} is a {kind.__name__}.")


def _names(table: dict[str, Any], key: str, folder: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    value = value.get("modules", []) if isinstance(value, dict) else value
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ReleaseError(f"{key} in {folder / 'assignment.toml'} is {value!r}.", f'{key} is a list: {key} = ["name"].')
