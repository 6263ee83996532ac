"""What an assignment's first cell imports: it finds the recorded cases and gives the `check` of its cells."""

import importlib.abc
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from html import escape
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from seqlib.catalogue import CASES, CHECKS, RELEASE
from seqlib.checks.case import Case
from seqlib.checks.progress import progress_bar
from seqlib.checks.proxy import local_student
from seqlib.checks.recorded import Recorded, RecordedCases, digest_of
from seqlib.checks.registry import load_suite
from seqlib.checks.runner import run_check
from seqlib.checks.values import Value
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError

__all__ = ["Checker", "NotebookError", "Shown", "block_modules", "show", "start_assignment"]

WORDS = {
    "passed": "Passed",
    "failed": "Not yet",
    "error": "Your code stopped",
    "missing": "Not written yet",
    "over_limit": "Too slow",
    "tampered": "No answer",
    "infrastructure": "The check itself failed",
}


def start_assignment(name: str, folder: Path | str | None = None) -> "Checker":
    """Find an assignment's folder, verify its files and return the function that its cells call.

    Args:
        name: Name of the assignment.
        folder: Its folder; by default the notebook's, or one below the working directory.

    Raises:
        NotebookError: The folder is not found, or a file in it is not the one that was released.
    """
    found = Path(folder) if folder is not None else _find_folder(name)
    release = _read_release(found, name)
    for file in (CASES, CHECKS):
        path = found / file
        if not path.is_file() or digest_of(path) != release["files"].get(file):
            hint = f"get the folder of {name} again; your notebook is not touched."
            raise NotebookError(f"{path} is missing or was changed.", hint)
    block_modules(release["answers"])
    suite = load_suite(found / CHECKS, name)
    return Checker(Recorded(suite, RecordedCases.load(found / CASES)), _caller_names())


class NotebookError(GradingError):
    """An error that a notebook shows as its two lines, without the way through our code."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Checker:
    """Runs a check on the notebook's own functions and shows what it says.

    Args:
        source: The recorded cases.
        namespace: The notebook's names.
    """

    def __init__(self, source: Recorded, namespace: Mapping[str, Any]) -> None:
        self._source = source
        self._namespace = namespace
        self.verdicts: dict[str, Verdict] = {}

    def __call__(self, name: str, *, full: bool = False) -> None:
        """Run one check and show the outcome.

        Args:
            name: Name of the check.
            full: Run a check that trains in full, not only its short form.
        """
        check = self._source.suite.checks.get(name)
        if full and check is not None and check.slow:
            print(f"{name}: the full run has started; interrupting the kernel ends it.", flush=True)
        verdict = self.run(name, full=full)
        show(Shown(verdict, self._source.suite[name].title))

    def run(self, name: str, *, full: bool = False) -> Verdict:
        """Run one check and return its verdict; a full run of a check that trains shows a bar."""
        if name not in self._source.suite.checks:
            known = ", ".join(self._source.suite.checks)
            raise NotebookError(f"{self._source.suite.name} has no check called {name!r}.", f"the checks are: {known}.")
        check = self._source.suite[name]
        with progress_bar(check, self._namespace) if full and check.slow else nullcontext() as bar:
            on_steps = bar.expect if bar is not None else None
            source = Recorded(self._source.suite, self._source.cases, full=full, on_steps=on_steps)
            self.verdicts[name] = run_check(check, local_student(self._namespace), source)
        return self.verdicts[name]

    def case(self, name: str, index: int = 0) -> Case:
        """A public case of a check: its input makers give the inputs that the check uses."""
        return self._source.case(self._source.suite[name], index)

    def expected(self, name: str, index: int = 0, number: int = 0) -> Value:
        """The recorded right value of one comparison of a public case."""
        return self._source.expected(self._source.suite[name], index, number)

    def __repr__(self) -> str:
        suite = self._source.suite
        lines = [f"{suite.name}: {suite.points:g} points"]
        for check in suite.checks.values():
            verdict = self.verdicts.get(check.name)
            state = "not run" if verdict is None else WORDS[verdict.status].lower()
            lines.append(f"  {check.name:<24} {check.points:>4g}  {state}")
        return "\n".join(lines)


class Shown:
    """A verdict as plain text and as HTML; all text in it is escaped.

    Args:
        verdict: The verdict.
        title: What the check is about.
    """

    def __init__(self, verdict: Verdict, title: str) -> None:
        self.verdict = verdict
        self.title = title

    def __repr__(self) -> str:
        lines = [f"{self._headline()}  {self.title}"]
        if self.verdict.message:
            lines.append(self.verdict.message)
        width = max((len(label) for label, _ in self.verdict.rows), default=0)
        lines += [f"  {label + ':':<{width + 1}} {text}" for label, text in self.verdict.rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        verdict = self.verdict
        color = "#2e7d32" if verdict.status == "passed" else "#b3541e"
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;padding-right:1em">{escape(label)}</th>'
            f'<td style="text-align:left"><code>{escape(text)}</code></td></tr>'
            for label, text in verdict.rows
        )
        table = f'<table style="margin:.4em 0 0">{rows}</table>' if rows else ""
        message = escape(verdict.message).replace("\n", "<br>")
        text = f'<div style="margin-top:.3em">{message}</div>' if message else ""
        return (
            f'<div role="status" style="border-left:4px solid {color};padding:.3em .8em">'
            f"<strong>{escape(self._headline())}</strong> {escape(self.title)}{text}{table}</div>"
        )

    def _headline(self) -> str:
        verdict = self.verdict
        if verdict.smoke and verdict.status == "passed":
            return f'{verdict.check}: the short run passed; check("{verdict.check}", full=True) runs it in full.'
        points = f"{verdict.earned:g} of {verdict.points:g} points"
        return f"{verdict.check}: {WORDS[verdict.status]} ({points})."


def show(shown: Shown) -> None:
    """Display in a notebook, print elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import display

        display(shown)
    else:
        print(shown)


class _Blocked(importlib.abc.MetaPathFinder):
    """Refuses to import the modules that hold an assignment's answers, as the grader does."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if any(fullname == name or fullname.startswith(name + ".") for name in self.names):
            raise ModuleNotFoundError(f"{fullname} is not part of this assignment; write it yourself", name=fullname)
        return None


def block_modules(names: Sequence[str]) -> None:
    """Make modules impossible to import in this process, those already loaded included."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Blocked)]
    sys.meta_path.insert(0, _Blocked(names))
    if not any(name in sys.modules for name in names):  # then nothing below them is loaded either
        return
    for loaded in list(sys.modules):
        if any(loaded == name or loaded.startswith(name + ".") for name in names):
            del sys.modules[loaded]
            package, _, child = loaded.rpartition(".")
            vars(sys.modules.get(package, ModuleType(""))).pop(child, None)


def _find_folder(name: str) -> Path:
    here = Path.cwd()
    places = [here, here / name, here / "work" / name, here / "assignments" / name]
    session = os.environ.get("JPY_SESSION_NAME")  # Jupyter puts the notebook's path here
    if session:
        places.insert(0, Path(session).parent)
    for place in places:
        if (place / RELEASE).is_file() and _name_of(place) == name:
            return place
    raise NotebookError(
        f"the folder of {name} is not found from {here}.", f"open the notebook in its folder, beside {RELEASE}."
    )


def _name_of(folder: Path) -> str | None:
    try:
        found = json.loads((folder / RELEASE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found.get("assignment") if isinstance(found, dict) else None


def _read_release(folder: Path, name: str) -> dict[str, Any]:
    try:
        release = json.loads((folder / RELEASE).read_text(encoding="utf-8"))
        if release["assignment"] != name or type(release["files"]) is not dict or type(release["answers"]) is not list:
            raise ValueError(name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "get the assignment's folder again, whole."
        raise NotebookError(f"{folder} is no folder of the assignment {name}.", hint) from error
    return dict(release)


def _caller_names() -> Mapping[str, Any]:
    """The notebook's own names, live: what the student defines later is found too."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        names: dict[str, Any] = shell.user_ns
        return names
    return vars(sys.modules["__main__"])
