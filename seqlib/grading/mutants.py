"""The mutation table: is every wrong variant named by its own mistake, and every right one passed?"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.errors import ReleaseError
from seqlib.grading.skeleton import BEGIN, check_name
from seqlib.grading.source import Source, read_notebook, read_text

__all__ = ["Outcome", "read_variants", "run_mutants", "solution_namespace", "table"]

_KINDS = ("wrong", "right")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the checks said of one variant.

    Args:
        kind: `wrong` or `right`.
        exercise: The file it stands in.
        variant: Its cell's name; in `wrong/` the name of the mistake that must be told.
        failed: Checks that it did not pass.
        names: Mistakes that were named.
    """

    kind: str
    exercise: str
    variant: str
    failed: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def good(self) -> bool:
        """A wrong variant is killed by exactly its own name; a right one passes and no mistake is named."""
        if self.kind == "wrong":
            return bool(self.failed) and self.names == (self.variant,)
        return not self.failed and not self.names

    @property
    def told(self) -> str:
        """What happened, in a line."""
        if not self.failed:
            return "passed every check"
        return f"failed {', '.join(self.failed)}; named: {', '.join(self.names) or 'no mistake'}"


def run_mutants(
    source: Source,
    *,
    exercise: str | None = None,
    full: bool = False,
    report: Callable[[str], None] = lambda step: None,
) -> list[Outcome]:
    """Run every variant through the checks that use what it defines.

    Args:
        source: The assignment.
        exercise: Only the variants of this one.
        full: Run slow checks in full, not only their short form.
        report: Is told each variant, for a progress line.
    """
    from seqlib.checks.registry import load_suite
    from seqlib.checks.runner import Author

    author = Author(load_suite(source.checks, source.name), full=full)
    solution = solution_statements(source)
    variants = [variant for variant in read_variants(source) if exercise in (None, variant[1])]
    if not variants:
        raise ReleaseError(
            f"{source.name} has no variant{f' of {exercise}' if exercise else ''}.",
            "write them in wrong/EXERCISE.py and right/EXERCISE.py, each after a line '# %% name'.",
        )
    outcomes = []
    for kind, name, variant, code in variants:
        report(f"{kind} {name}/{variant}")
        outcomes.append(_run(author, solution, kind, name, variant, code))
    return outcomes


def _run(author: Any, solution: list[ast.stmt], kind: str, exercise: str, variant: str, code: ast.Module) -> Outcome:
    from seqlib.checks.proxy import local_student
    from seqlib.checks.runner import run_check

    namespace = _execute(solution, "solution")
    try:
        exec(compile(code, f"{kind}/{exercise}.py", "exec"), namespace)
    except Exception as error:
        raise ReleaseError(f"{kind}/{exercise}.py {variant} does not run: {error}.", "correct the variant.") from error
    defined = {node.name for node in code.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    # A later check that builds on a wrong function may say the same fault in its own words: each is judged by its own.
    known = list(author.suite.checks.values())
    checks = [check for check in known if defined & {check.name, *check.uses}]
    checks = checks or [check for check in known if check.name == exercise]
    if not checks:
        raise ReleaseError(
            f"no check uses what {kind}/{exercise}.py {variant} defines.", "name it in the check's uses."
        )
    verdicts = [run_check(check, local_student(namespace), author) for check in checks]
    return Outcome(
        kind=kind,
        exercise=exercise,
        variant=variant,
        failed=tuple(verdict.check for verdict in verdicts if verdict.status != "passed"),
        names=tuple(sorted({verdict.mistake for verdict in verdicts if verdict.mistake is not None})),
    )


def read_variants(source: Source) -> list[tuple[str, str, str, ast.Module]]:
    """Read (kind, exercise, variant, code) from `wrong/` and `right/`.

    Raises:
        ReleaseError: A file has code before its first cell, or a name comes twice.
    """
    found = []
    for kind in _KINDS:
        for path in sorted((source.folder / kind).glob("*.py")):
            found += [(kind, path.stem, name, code) for name, code in _cells(path).items()]
    return found


def _cells(path: Path) -> dict[str, ast.Module]:
    """Split a file at its `# %% name` lines; line numbers stay those of the file."""
    lines = read_text(path).splitlines()
    starts = [
        (number, line.removeprefix("# %%").strip()) for number, line in enumerate(lines) if line.startswith("# %%")
    ]
    ends = [number for number, _ in starts[1:]] + [len(lines)]
    cells: dict[str, ast.Module] = {}
    for (start, name), end in zip(starts, ends, strict=True):
        if not name.isidentifier() or name in cells:
            raise ReleaseError(f"{path} line {start + 1} names a variant {name!r}.", "give each its own name.")
        try:
            cells[name] = ast.parse("\n" * (start + 1) + "\n".join(lines[start + 1 : end]))
        except SyntaxError as error:
            raise ReleaseError(f"{path} line {error.lineno} is no Python: {error.msg}.", "correct it.") from error
    shared = ast.parse("\n".join(lines[: starts[0][0]] if starts else lines))
    for code in cells.values():
        code.body = [*shared.body, *code.body]  # imports above the first cell serve all of them
    return cells


def solution_namespace(source: Source) -> dict[str, Any]:
    """Run the solution's definitions: what a perfect student's notebook defines."""
    return _execute(solution_statements(source), source.notebook.name)


def solution_statements(source: Source) -> list[ast.stmt]:
    """Take the solution cells whole, and of all others imports, definitions and plain constants."""
    statements: list[ast.stmt] = []
    for cell in read_notebook(source).cells:
        if cell.cell_type != "code" or check_name(cell.source):
            continue
        try:
            body = ast.parse(cell.source).body
        except SyntaxError as error:
            raise ReleaseError(
                f"{source.notebook} has a cell that is no Python: {error.msg}.", "correct it."
            ) from error
        statements += body if BEGIN in cell.source else [node for node in body if _defines(node)]
    return statements


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module != "seqlib.checks.notebook"  # it looks for the released folder
    if isinstance(node, ast.Assign):
        try:
            ast.literal_eval(node.value)
        except ValueError:
            return False
    return isinstance(node, ast.Import | ast.FunctionDef | ast.ClassDef | ast.Assign)


def _execute(statements: list[ast.stmt], name: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(ast.Module(body=statements, type_ignores=[]), name, "exec"), namespace)
    return namespace


def table(outcomes: list[Outcome]) -> Any:
    """The outcomes as a table: per exercise killed of all wrong variants, passed of all right ones."""
    from rich.table import Table

    shown = Table("exercise", "wrong: killed", "right: passed")
    for exercise in sorted({outcome.exercise for outcome in outcomes}):
        shown.add_row(exercise, *(_count([o for o in outcomes if o.exercise == exercise], kind) for kind in _KINDS))
    shown.add_section()
    shown.add_row("all", *(_count(outcomes, kind) for kind in _KINDS))
    return shown


def _count(outcomes: list[Outcome], kind: str) -> str:
    of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
    return f"{sum(outcome.good for outcome in of_kind)}/{len(of_kind)}"
