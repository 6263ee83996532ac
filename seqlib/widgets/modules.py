"""One ES module out of several: local imports are written in, with no tool but Python."""

import os
import re
from functools import cache
from pathlib import Path

from seqlib.errors import WidgetError

__all__ = ["HERE", "inline", "style"]

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]*)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:function|const|class) (\w+))", re.MULTILINE)


@cache
def inline(name: str | Path) -> str:
    """Write the ES module of a stepper with everything that it imports, ready for a host that loads one file.

    Args:
        name: `recurrent` for `recurrent.js` of this package, or the path of a module elsewhere.

    Raises:
        WidgetError: No such module, or an import in a form that this does not read.

    >>> "import {" in inline("recurrent")
    False
    """
    path = name if isinstance(name, Path) else HERE / f"{name}.js"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in HERE.glob("*.js")))
        raise WidgetError(f"no stepper module is called {name!r}.", f"choose one of: {known}.")
    found: dict[Path, str] = {}
    _collect(path, found)
    *needed, own = found.items()
    return "const modules = {};\n" + "".join(_scoped(*each) for each in needed) + _with_imports(*own)


def style() -> str:
    """The style sheet that every stepper shares."""
    return (HERE / "static" / "stepper.css").read_text("utf-8")


def _collect(path: Path, found: dict[Path, str]) -> None:
    source = path.read_text("utf-8")
    for _, target in IMPORT.findall(source):
        needed = (path.parent / target).resolve()
        if needed not in found:
            _collect(needed, found)
    found[path] = source


def _with_imports(path: Path, source: str) -> str:
    def local(match: re.Match[str]) -> str:
        names = " ".join(match[1].split()).replace(" as ", ": ")
        return f'const {{ {names} }} = modules["{_key(path.parent / match[2])}"];'

    written = IMPORT.sub(local, source)
    if stray := re.search(r"^import\b.*$", written, re.MULTILINE):
        raise WidgetError(
            f"{path.name} has an import that cannot be inlined: {stray[0]}",
            'write it as `import { name } from "./file.js";`.',
        )
    return written


def _scoped(path: Path, source: str) -> str:
    names = ", ".join(EXPORT.findall(source))
    body = EXPORT.sub("", _with_imports(path, source))
    return f'modules["{_key(path)}"] = (() => {{\n{body}\nreturn {{ {names} }};\n}})();\n'


def _key(path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), HERE)).as_posix()
