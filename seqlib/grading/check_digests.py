"""What each check consists of, as a digest: when only one check has changed, only that one is asked again."""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["check_digests"]

_ANSWERS = "REFERENCE"
_LOOKS_UP = frozenset(("globals", "locals", "eval", "exec"))
_VARS = ast.dump(ast.Name(id="vars", ctx=ast.Load()))


def check_digests(checks: Path, names: Iterable[str], public: Mapping[str, bytes]) -> dict[str, str]:
    """The digest of each check, from its code and all that it may use.

    It errs on one side: it may change where the check has not, and never the other way round.
    So any mention of a name counts as a use, also in a text or behind a dot. A statement that binds no name, a file
    beside the checks that they mention, and a file that students are given count for every check; so does everything
    in a file that looks names up as it runs.

    Args:
        checks: The file of the checks.
        names: The checks.
        public: Files that lie beside the student's notebook.

    Raises:
        GradingError: The file can't be read as Python.
    """
    try:
        tree = ast.parse(checks.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise GradingError(
            f"{checks} can't be read: {error}.", "mend it; the tests of the assignment run it."
        ) from error
    parts = _parts(tree)
    shared = hashlib.sha256()
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    for path in sorted(checks.parent.glob("*.py")):
        if path != checks and (path.name in texts or path.stem in texts | imported):
            shared.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name, data in sorted(public.items()):
        shared.update(name.encode() + b"\0" + data + b"\0")
    return {name: _digest(shared.digest(), parts, name) for name in names}


def _digest(shared: bytes, parts: Mapping[str, list[ast.AST]], name: str) -> str:
    """A check's own code, what that uses, what this uses in turn, and what every check depends on."""
    found, waiting = set[str](), {name, ""}
    if _looks_names_up(parts):
        waiting = set(parts)
    while waiting:
        found |= waiting
        uses = {use for part in waiting for node in parts[part] for use in _uses(node, parts)}
        waiting = uses - found
    digest = hashlib.sha256(shared)
    for part in sorted(found):
        digest.update(part.encode() + b"\0" + "\n".join(map(ast.dump, parts[part])).encode() + b"\0")
    return digest.hexdigest()


def _looks_names_up(parts: Mapping[str, list[ast.AST]]) -> bool:
    nodes = [node for statements in parts.values() for statement in statements for node in ast.walk(statement)]
    asked = any(isinstance(node, ast.Name) and node.id in _LOOKS_UP for node in nodes)
    own = any(isinstance(n, ast.Call) and ast.dump(n.func) == _VARS and not n.args for n in nodes)
    return asked or own


def _parts(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """The statements of a file by the name that they bind; under the empty name those that bind none."""
    parts: dict[str, list[ast.AST]] = {"": []}
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        for name in _bound(statement):
            parts.setdefault(name, []).append(statement)
        value = getattr(statement, "value", None)
        if _ANSWERS in _bound(statement) and isinstance(value, ast.Dict):
            for key, answer in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    parts.setdefault(_answer(key.value), []).append(answer)
    return parts


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if all(isinstance(target, ast.Name | ast.Tuple | ast.List) for target in targets):
            return names
    return {""}


def _uses(node: ast.AST, parts: Mapping[str, list[ast.AST]]) -> Iterator[str]:
    """The parts that a piece of code mentions."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        answer = _answer(str(node.slice.value))
        if node.value.id == _ANSWERS and answer in parts:
            yield answer
            return
    for name in _mentioned(node):
        if name in parts:
            yield name
    if isinstance(node, ast.Constant) and _answer(str(node.value)) in parts:
        yield _answer(str(node.value))
    for child in ast.iter_child_nodes(node):
        yield from _uses(child, parts)


def _mentioned(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return (name,)
        case ast.Constant(value=str(text)) if text:
            return (text,)
    return ()


def _answer(key: str) -> str:
    return f"{_ANSWERS}[{key!r}]"
