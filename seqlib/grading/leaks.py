"""The leak test: no line of an answer, and no canary, in any byte of what students get."""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

from seqlib.errors import ReleaseError
from seqlib.grading.layers import text_layers
from seqlib.grading.skeleton import STUB, clear_solutions
from seqlib.grading.source import Source, read_text
from seqlib.grading.strip import secret_spans

__all__ = ["Leak", "find_leaks", "refuse", "refuse_leaks", "secret_lines"]

_SHORTEST = 20
_CANARY = re.compile(r"canary[-_:][A-Za-z0-9-]{8,}", re.IGNORECASE)
_IMPORT = re.compile(r"(from\s+\S+\s+)?import\s")


@dataclass(frozen=True)
class Leak:
    """One answer in one released file: `line` counts within `place`, `secret` is the line's source."""

    place: str
    line: int
    secret: str
    origin: str


def normalise(line: str) -> str:
    """Drop what formatting may change: white space and the kind of quotes.

    >>> normalise("  h = f( 'x' )")
    'h=f("x")'
    """
    return "".join(line.split()).replace("'", '"')


def secret_lines(source: Source) -> dict[str, str]:
    """Collect the normalised lines of an assignment that no student may get, each with its origin.

    Secret are solution regions, references, mistakes, thunks, variants and the modules listed as answers;
    not secret is what also stands in the skeleton, in an input maker or in a check's own body.
    """
    secrets: dict[str, str] = {}
    skeleton = clear_solutions(read_text(source.notebook), source.name)
    checks = read_text(source.checks)
    spans = secret_spans(source.checks)
    texts = {source.notebook: read_text(source.notebook)}
    texts |= {path: read_text(path) for path in sorted(source.folder.rglob("*.py")) if path != source.checks}
    texts |= {path: read_text(path) for module in source.answers for path in _module_files(module)}
    for path, text in texts.items():
        origin = path.relative_to(source.folder) if path.is_relative_to(source.folder) else path.name
        secrets |= {line: f"{origin} line {number}" for number, line in _lines(text)}
    public = {line for text in (skeleton, _without(checks, spans)) for _, line in _lines(text)}
    secrets |= {line: "checks.py" for span in spans for _, line in _lines(span)}
    secrets = {line: origin for line, origin in secrets.items() if line not in public}
    for path, text in (texts | {source.checks: checks}).items():
        secrets |= {normalise(canary): f"a canary of {path.name}" for canary in _CANARY.findall(text)}
    return secrets


def find_leaks(files: Iterable[tuple[str, bytes]], secrets: dict[str, str]) -> Iterator[Leak]:
    """Search every byte of every file, decoded layer by layer, for the secrets.

    Args:
        files: Names and contents.
        secrets: Normalised lines, each with its origin.
    """
    table: dict[str, list[str]] = {}
    for secret in secrets:
        table.setdefault(secret[:_SHORTEST], []).append(secret)
    shortest = min((len(start) for start in table), default=_SHORTEST)
    for name, data in files:
        for place, text in text_layers(name, data):
            yield from (Leak(place, line, secret, secrets[secret]) for line, secret in _hits(text, table, shortest))


def refuse_leaks(files: Iterable[tuple[str, bytes]], secrets: dict[str, str]) -> None:
    """Raise on the first leak, naming file and line."""
    refuse(find_leaks(files, secrets))


def refuse(leaks: Iterable[Leak]) -> None:
    """Raise on the first of some leaks."""
    for leak in leaks:
        raise ReleaseError(
            f"{leak.place} line {leak.line} shows an answer: {leak.secret[:60]!r} from {leak.origin}.",
            "move that line between ### BEGIN SOLUTION and ### END SOLUTION, or out of what is released.",
        )


def _hits(text: str, table: dict[str, list[str]], shortest: int) -> Iterator[tuple[int, str]]:
    """Slide over the text without its white space, so that breaking a line differently hides nothing."""
    lines = [normalise(line) for line in text.splitlines()]
    ends = list(accumulate(len(line) for line in lines))
    joined = "".join(lines)
    widths = sorted({len(start) for start in table})
    for index in range(len(joined) - shortest + 1):
        for width in widths:
            for secret in table.get(joined[index : index + width], ()):
                if joined.startswith(secret, index):
                    yield bisect_right(ends, index) + 1, secret


def _lines(text: str) -> Iterator[tuple[int, str]]:
    heads = _signatures(text)
    for number, line in enumerate(text.splitlines(), start=1):
        mark = line.strip()
        if number in heads:
            continue  # names, shapes and types of a function are its interface, and every library shares some
        if _IMPORT.match(mark) or mark.startswith(("# %%", STUB)):
            continue  # everyone imports the same, a cell's head is structure, a stub is shown
        normal = normalise(line.lstrip("# "))  # text cells carry a '#' in the source and none in the notebook
        if len(normal) >= _SHORTEST:
            yield number, normal


def _signatures(text: str) -> set[int]:
    """Find the lines of function heads, up to where a body begins."""
    try:
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        return set()
    return {number for node in functions for number in range(node.lineno, node.body[0].lineno)}


def _without(text: str, spans: list[str]) -> str:
    for span in spans:
        if len(normalise(span)) >= _SHORTEST:
            text = text.replace(span, "\n")
    return text


def _module_files(module: str) -> list[Path]:
    """Find the files of a module or package without importing it."""
    spec = find_spec(module.partition(".")[0])
    if spec is None or not spec.submodule_search_locations:
        raise ReleaseError(f"the answers list {module!r}, which can't be found.", "correct assignment.toml.")
    base = Path(next(iter(spec.submodule_search_locations))).joinpath(*module.split(".")[1:])
    files = sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]
    if not files or not all(path.is_file() for path in files):
        raise ReleaseError(f"the answers list {module!r}, which can't be found.", "correct assignment.toml.")
    return files
