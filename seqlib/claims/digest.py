"""What a result depends on, as one digest: source text, settings and data, the same on every machine.

Followed are the imports of `seqlib` modules, found by reading the source and not by running it. A package's
`__init__` counts only where a name is imported from it: import from the module that defines the name, and a change
to its neighbours leaves the claim alone.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from seqlib.claims.claim import Claim
from seqlib.errors import ClaimError

__all__ = ["digest", "sources"]

_PACKAGE = Path(__file__).resolve().parents[1]
# Numbers pass through these unchanged, which their own tests hold: a new error class must not run every claim again.
_NO_ARITHMETIC = ("seqlib.claims.claim", "seqlib.errors", "seqlib.shapes", "seqlib.threads", "seqlib.trace")


def digest(claim: Claim, package: Path = _PACKAGE) -> str:
    """Give the SHA-256 of everything that can change what the claim measures."""
    parts = [(name, _text(path)) for name, path in sources(claim.experiment.__module__, package).items()]
    parts.append(("settings", json.dumps(asdict(claim.settings), sort_keys=True)))
    parts += [(name, hashlib.sha256((package / name).read_bytes()).hexdigest()) for name in sorted(claim.data)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def sources(module: str, package: Path = _PACKAGE) -> dict[str, Path]:
    """List the module and every `seqlib` module that it imports, directly or through others, sorted by name."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or any(name == skipped or name.startswith(f"{skipped}.") for skipped in _NO_ARITHMETIC):
            continue
        path = _file(name, package)
        if path is None:
            raise ClaimError(f"{name}, which {module} imports, has no source file.", "correct the import.")
        found[name] = path
        waiting += _imports(name, path, package)
    return dict(sorted(found.items()))


def _imports(name: str, path: Path, package: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name, package))
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, name, path)
            if _is_ours(origin, package):
                for alias in node.names:
                    inner = f"{origin}.{alias.name}"
                    yield inner if _file(inner, package) else origin


def _origin(node: ast.ImportFrom, name: str, path: Path) -> str:
    """Resolve a relative import against the module that it stands in."""
    if not node.level:
        return node.module or ""
    above = node.level - (path.name == "__init__.py")
    parent = ".".join(name.split(".")[: len(name.split(".")) - above])
    return f"{parent}.{node.module}" if node.module else parent


def _is_ours(name: str, package: Path) -> bool:
    return name.split(".")[0] == package.name


def _file(name: str, package: Path) -> Path | None:
    base = package.parent.joinpath(*name.split("."))
    for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _text(path: Path) -> str:
    """Read source so that a checkout with other line ends has the same digest."""
    return path.read_bytes().decode().replace("\r\n", "\n")
