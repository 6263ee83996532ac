"""The public half of `checks.py`: input makers and comparisons stay, references and mistakes' code go.

What is kept is what the stripped checks and the input makers reach, and nothing else.
Where a check still reaches a reference, the release is refused: guessing would leak or change the inputs.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from seqlib.errors import ReleaseError

__all__ = ["public_checks", "secret_spans"]

_HEADER = (
    '"""Written by `seqlib release`: the public half of the checks; edit the assignment\'s own source instead."""\n\n'
)
_COMPARISONS = {"close", "equal"}
_REFERENCES = "REFERENCE"
_NAMED = "named"


def public_checks(path: Path, answers: Iterable[str]) -> str:
    """Strip a `checks.py` of everything that gives an answer.

    Args:
        path: The instructors' checks.
        answers: Modules that hold answers: nothing kept may import them.

    Returns:
        Python source that loads as a suite, whose expected values come from recorded cases.
    """
    module = _Module(path, tuple(answers))
    for function in module.public:
        _Stripper(module).strip(function)
    kept = module.reachable(module.public)
    statements = [_rewrite(statement, kept, module) for statement in module.tree.body]
    body = [statement for statement in statements if statement is not None]
    text = ast.unparse(ast.fix_missing_locations(ast.Module(body=body, type_ignores=[])))
    return _HEADER + text + "\n"


def secret_spans(path: Path) -> list[str]:
    """List the source text of everything that `public_checks` must not let through."""
    module = _Module(path, ())
    secret = [node for name, node in module.functions.items() if name in module.private]
    spans = ["\n".join(module.lines[node.body[0].lineno - 1 : node.end_lineno]) for node in secret]
    for function in module.public:
        spans += [ast.get_source_segment(module.text, thunk.body) or "" for thunk in _thunks(function)]
    return spans


class _Module:
    """One parsed `checks.py` and what each of its names is."""

    def __init__(self, path: Path, answers: tuple[str, ...]) -> None:
        self.path, self.answers = path, answers
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        try:
            self.tree = ast.parse(self.text)
        except SyntaxError as error:
            raise ReleaseError(f"{path} line {error.lineno} is no Python: {error.msg}.", "correct it.") from error
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.mistakes = {name for name, node in self.functions.items() if _decorated(node, "mistake")}
        self.public = [
            node for node in self.functions.values() if _decorated(node, "check") or _decorated(node, "inputs")
        ]
        self.bound: dict[str, ast.stmt] = {name: node for node in self.tree.body for name in _binds(node)}
        self.private = self._spread(
            self.mistakes | self._references() | self._imported_answers() | self._loaded_beside()
        )

    def _references(self) -> set[str]:
        """Name the table of references and every name in it."""
        table = self.bound.get(_REFERENCES)
        names = _loads(table) if table is not None else set()
        local = {name for name in names if name in self.functions or name in self._imports()}
        return local | {_REFERENCES}

    def _loaded_beside(self) -> set[str]:
        """Name what is made from a file of this folder, such as a module loaded by its path."""
        beside = {path.name for path in self.path.parent.glob("*.py")}
        return {name for name, node in self.bound.items() if beside & {getattr(n, "value", None) for n in _texts(node)}}

    def _spread(self, private: set[str]) -> set[str]:
        """What is computed from an answer is an answer, except the checks themselves."""
        public = {function.name for function in self.public}
        while more := {
            name
            for name, node in self.bound.items()
            if name not in private | public and isinstance(node, ast.FunctionDef | ast.Assign | ast.AnnAssign)
            if _loads(node) & (private - self.mistakes)
        }:
            private = private | more
        return private

    def _imports(self) -> set[str]:
        return {name for name, node in self.bound.items() if isinstance(node, ast.Import | ast.ImportFrom)}

    def _imported_answers(self) -> set[str]:
        return {name for name in self._imports() if self._is_answer(name, self.bound[name])}

    def _is_answer(self, name: str, node: ast.stmt) -> bool:
        if isinstance(node, ast.ImportFrom):
            modules = [
                f"{node.module}",
                *(f"{node.module}.{alias.name}" for alias in node.names if _bound(alias) == name),
            ]
        else:
            modules = [alias.name for alias in getattr(node, "names", []) if _bound(alias) == name]
        beside = {path.stem for path in self.path.parent.glob("*.py")}  # a module in this folder ships with nothing
        return any(
            module.partition(".")[0] in beside
            or any(module == answer or module.startswith(f"{answer}.") for answer in self.answers)
            for module in modules
        )

    def reachable(self, roots: Iterable[ast.FunctionDef]) -> set[str]:
        """Follow names from the checks and makers to everything at module level that they need."""
        kept: set[str] = set()
        queue: list[tuple[str, str, int]] = []
        for node in roots:
            queue.append((node.name, node.name, node.lineno))
        while queue:
            name, owner, line = queue.pop()
            if name in kept or name not in self.bound:
                continue
            if name in self.private and name not in self.mistakes:
                raise ReleaseError(
                    f"{self.path.name} line {line}: {owner!r} uses {name!r}, which is an answer.",
                    "put it into the lambda of case.close(actual, lambda: ...), which the release takes out.",
                )
            kept.add(name)
            if name not in self.mistakes:
                queue += [(used, name, at) for used, at in _loads_at(self.bound[name])]
        return kept


class _Stripper(ast.NodeTransformer):
    """Takes the thunks out of one check or maker, and the local names that only they used."""

    def __init__(self, module: _Module) -> None:
        self.module = module

    def strip(self, function: ast.FunctionDef) -> None:
        """Strip in place, until no unused local function is left."""
        for index, statement in enumerate(function.body):
            function.body[index] = self.visit(statement)
        while unused := [
            node
            for node in function.body
            if isinstance(node, ast.FunctionDef) and node.name not in _loads(ast.Module(function.body, []))
        ]:
            function.body[:] = [node for node in function.body if node not in unused]

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _COMPARISONS:
            del node.args[1:]
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in ("expected", "expected_thunk")]
        else:
            node.args = [self._without_answer(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = self._without_answer(keyword.value)
        return node

    def _without_answer(self, argument: ast.expr) -> ast.expr:
        """A thunk handed to a helper is an answer as well."""
        thunk = isinstance(argument, ast.Lambda) and not argument.args.args
        return ast.Constant(None) if thunk and _loads(argument) & self.module.private else argument


def _rewrite(statement: ast.stmt, kept: set[str], module: _Module) -> ast.stmt | None:
    """Keep a statement, its kept part, a mistake's name in place of its code, or nothing."""
    if isinstance(statement, ast.FunctionDef) and statement.name in module.mistakes & kept:
        return _name_only(statement)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = [alias for alias in statement.names if _bound(alias) in kept]
        extra = [ast.alias(_NAMED)] if _imports_mistake(statement) else []
        statement.names = [alias for alias in names if alias.name != "mistake"] + extra
        return statement if statement.names else None
    return statement if any(name in kept for name in _binds(statement)) else None


def _name_only(function: ast.FunctionDef) -> ast.stmt:
    decorator = next(node for node in function.decorator_list if _called(node) == "mistake")
    assert isinstance(decorator, ast.Call)
    sentence = decorator.args or [keyword.value for keyword in decorator.keywords if keyword.arg == "sentence"]
    call = ast.Call(ast.Name(_NAMED), [ast.Constant(function.name), *sentence], [])
    return ast.Assign([ast.Name(function.name, ast.Store())], call)


def _imports_mistake(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and any(alias.name == "mistake" for alias in statement.names)


def _thunks(function: ast.FunctionDef) -> list[ast.Lambda]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Lambda) and not node.args.args]


def _decorated(node: ast.FunctionDef, name: str) -> bool:
    return any(_called(decorator) == name for decorator in node.decorator_list)


def _called(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _binds(node: ast.stmt) -> list[str]:
    """Name what a statement at module level binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [_bound(alias) for alias in node.names]
    return sorted(_stored(node) - {name for part in ast.walk(node) if _comprehends(part) for name in _stored(part)})


def _comprehends(node: ast.AST) -> bool:
    return isinstance(node, ast.comprehension)


def _texts(node: ast.AST) -> list[ast.Constant]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _loads(node: ast.AST) -> set[str]:
    return {name for name, _ in _loads_at(node)}


def _loads_at(node: ast.AST) -> list[tuple[str, int]]:
    """Name what a node reads from outside itself, with the line; a function's own locals hide names of the module."""
    own = _stored(node) | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    hidden = own if isinstance(node, ast.FunctionDef) else set()
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]
    return [(part.id, part.lineno) for part in names if part.id not in hidden]


def _stored(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
