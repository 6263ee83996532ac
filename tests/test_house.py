"""The house: versions agree, imports go one way, the entry point fails in one line, links lead somewhere."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@cache
def pins() -> dict[str, str]:
    """The exact version of every package, by lower-case name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return dict(line.strip().lower().split("==") for line in lines if not line.startswith("#"))


def dependencies(*extras: str) -> dict[str, str]:
    """What pyproject.toml asks for: requirement by lower-case package name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"] + [d for extra in extras for d in project["optional-dependencies"][extra]]
    return {re.split(r"[<>=\[]", requirement)[0].lower(): requirement for requirement in asked}


def test_every_dependency_is_pinned():
    """Each package that pyproject.toml asks for has one exact version in constraints.txt."""
    assert dependencies("cluster", "grading", "postgres", "dev").keys() <= pins().keys()


def test_pins_satisfy_what_is_asked_for():
    """Each pin is at least the version that pyproject.toml asks for."""
    from packaging.requirements import Requirement

    for name, requirement in dependencies("cluster", "grading", "postgres", "dev").items():
        assert Requirement(requirement).specifier.contains(pins()[name]), requirement


def test_torch_is_pinned_without_a_build():
    """A build suffix would tie the course to one index; no pin would fetch gigabytes."""
    assert pins()["torch"] == "2.13.0"


def test_environment_yml_states_the_same():
    """Conda users get the same packages at the same versions."""
    text = (ROOT / "environment.yml").read_text("utf-8")
    stated = dict(re.findall(r"^      - ([\w.-]+)==(\S+)$", text, re.MULTILINE))

    assert stated == {name: pins()[name] for name in dependencies("grading")}


def import_table() -> dict[str, set[str]]:
    """The table in ARCHITECTURE.md: which parts of seqlib a part may import."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.split("## Who imports whom")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \|", section, re.MULTILINE)
    return {part: set(re.findall(r"`([\w.]+)`", allowed)) for part, allowed in rows}


def imported_parts(path: Path) -> set[str]:
    """The parts of seqlib that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("seqlib.")}
    return found


def test_imports_follow_the_table():
    """No part of seqlib imports a part that the table in ARCHITECTURE.md does not grant it."""
    table = import_table()
    parts = {path.stem for path in (ROOT / "seqlib").iterdir() if not path.name.startswith(("_", "."))}

    assert parts == table.keys()
    for path in sorted((ROOT / "seqlib").rglob("*.py")):
        part = path.relative_to(ROOT / "seqlib").parts[0].removesuffix(".py")
        if part != "__init__":
            beyond = imported_parts(path) - table[part] - {part, "__version__"}
            assert not beyond, f"{path.relative_to(ROOT)} imports {', '.join(sorted(beyond))}"


def test_import_costs_little_beyond_torch():
    """`import seqlib` itself loads no torch: its parts are loaded when they are used."""
    code = "import sys, seqlib; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_start_py_refuses_an_old_python(monkeypatch, capsys):
    """An old Python is told its version and what to run, in two lines."""
    monkeypatch.syspath_prepend(str(ROOT))
    import start

    monkeypatch.setattr(start.sys, "version_info", (3, 9, 2, "final", 0))

    with pytest.raises(SystemExit) as stopped:
        start.main([])

    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "This is Python 3.9; the course needs 3.11 to 3.13.\n"
        "Hint: install one of those and run it by name, for example: python3.11 start.py\n"
    )


def test_start_py_refuses_a_full_disk(monkeypatch, capsys, tmp_path):
    """Before anything is made, a disk without room is named with what is needed."""
    monkeypatch.syspath_prepend(str(ROOT))
    import start

    monkeypatch.setattr(start, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(start.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**30}))

    with pytest.raises(SystemExit):
        start.main(["--setup"])

    assert capsys.readouterr().err.startswith("1.0 GiB are free on this disk; setting up takes about 3 GiB.")
    assert list(tmp_path.iterdir()) == []


def test_start_py_is_readable_by_an_old_python():
    """The first file that anybody runs parses as Python 3.6, so that its own message can be shown."""
    ast.parse((ROOT / "start.py").read_text("utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_lead_somewhere(page):
    """Every relative link of a page at the top leads to a file that is there."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    # work/ holds a student's own copies, made when the course is opened
    missing = [
        target for target in targets if target and not target.startswith("work/") and not (ROOT / target).exists()
    ]
    assert missing == []
