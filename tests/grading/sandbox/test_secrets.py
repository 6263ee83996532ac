"""What students must not have is neither on a sandbox's disk nor in the memory of what runs in it."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from seqlib.grading.kit import load_kit
from seqlib.grading.release import release
from seqlib.grading.worker import Worker, WorkerSettings

from .conftest import KINDS, ROOT, host_pid, open_box

TOY = Path(__file__).parents[1] / "toyclass" / "solutions"
KEY = hashlib.sha256(b"no byte of this is anywhere by chance").digest()
IN_SOLUTION, IN_CHECKS = "canary-8c1f-solution", "canary-5e77-checks"
ANSWERS = ROOT / "seqlib" / "nn" / "recurrent"
IMPORT_ALL = """
import importlib, os, pkgutil, sys, seqlib
failed = {}
for module in pkgutil.walk_packages(seqlib.__path__, "seqlib.", onerror=lambda name: None):
    if not module.name.endswith("__main__"):
        try: importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("seqlib.nn.recurrent"): failed[module.name] = repr(error)
        except Exception as error: failed[module.name] = repr(error)
print(failed)
print(sum(name.startswith("seqlib.") for name in sys.modules) > 40)
print([name for name in sys.modules if name.startswith(("seqlib.grading", "seqlib.nn.recurrent", "checks"))])
print([name for name in sys.modules if name.startswith(("nbgrader", "sqlalchemy", "pyseccomp"))])
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A repository whose solution and checks hold a string that is nowhere else."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(TOY, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    solution, checks = root / "solutions/toy/toy.py", root / "solutions/toy/checks.py"
    text = solution.read_text("utf-8")
    assert "### BEGIN SOLUTION\n" in text
    solution.write_text(plant(text), "utf-8")
    checks.write_text(f'{checks.read_text("utf-8")}\n_PLANTED = "{IN_CHECKS}"\n', "utf-8")
    release("toy", root)
    return root


def plant(text: str) -> str:
    """Put the string into the first solution."""
    before, mark, after = text.partition("### BEGIN SOLUTION\n")
    indent = before[before.rfind("\n") + 1 :]
    return f'{before}{mark}{indent}planted = "{IN_SOLUTION}"\n{after}'


@pytest.fixture(scope="module", params=KINDS)
def box(request, planted, need):
    """A submission's process that has imported whatever there is of the library."""
    need("bwrap")
    settings = WorkerSettings(assignment="toy", root=planted, key=KEY, isolation=request.param)
    with Worker(settings) as worker:
        worker.kit.suite  # noqa: B018  the host has them in its memory
        made = open_box(worker.boxes)
        yield made
        made.close()


@pytest.fixture(scope="module")
def told(box, text_of):
    """What the submission says after it has imported everything."""
    return text_of(box, IMPORT_ALL).splitlines()


def secrets() -> dict[str, bytes]:
    """What is looked for, in the form in which it would lie in memory or in a file."""
    answers = {path.name: path.read_text("utf-8").split('"""')[1].split("\n")[0] for path in ANSWERS.glob("*.py")}
    found = {name: line.encode() for name, line in answers.items() if len(line) > 40 and line.isascii()}
    return found | {"key": KEY, "key in hex": KEY.hex().encode()} | planted_secrets()


def planted_secrets() -> dict[str, bytes]:
    return {"solution": IN_SOLUTION.encode(), "checks": IN_CHECKS.encode()}


def test_the_plants_are_there(planted):
    """The strings are in the instructors' files, so that not finding them inside means something."""
    assert IN_SOLUTION in (planted / "solutions/toy/toy.py").read_text("utf-8")
    assert IN_CHECKS in load_kit("toy", planted).checks.read_text("utf-8")
    assert len(secrets()) > 6


def test_every_module_that_is_left_can_be_imported(told):
    """Leaving the answers out breaks no module of the library but those that are about them."""
    assert told[:2] == ["{}", "True"]


def test_no_module_of_the_grader_or_of_the_answers_is_loaded(told):
    """Nothing of the instructors' side, of the answers, of the checks or of what only graders install."""
    assert told[2:] == ["[]", "[]"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can read a submission's disk and memory from outside")
@pytest.mark.slow
def test_no_secret_is_on_its_disk(box, told):
    """Files that a submission can open hold none of it; the Python environment is the only part not searched."""
    tree = Path(f"/proc/{host_pid(box, 'seq-disk')}/root")
    searched = 0
    for place in ("run/seqlib", "home", "tmp", "dev/shm", "etc"):
        for folder, _, files in os.walk(tree / place):
            for name in files:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    searched += 1
                    data = path.read_bytes()
                    assert [what for what, secret in secrets().items() if secret in data] == [], path

    assert searched > 50
    for place in ("solutions", "seqlib", "class"):
        assert not (tree / str(ROOT / place).lstrip("/")).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can read a submission's disk and memory from outside")
def test_no_secret_is_in_its_memory(box, told):
    """Nothing that its process could read of its own memory holds any of it."""
    box.run("marker = ''.join(['cana', 'ry-2b90-own'])", 60)
    pid = host_pid(box, "seq-memory")

    found = search_memory(pid, secrets() | {"its own": b"canary-2b90-own"})

    assert found == {"its own"}


def search_memory(pid: int, secrets: dict[str, bytes]) -> set[str]:
    """Which of them lie in the memory of a process, besides what is mapped from libraries and can't be written."""
    found = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_, name = [*line.split(maxsplit=5), ""][:6]
            if "r" not in rights or name.startswith("[v") or ("w" not in rights and name.startswith("/")):
                continue
            start, end = (int(number, 16) for number in place.split("-"))
            found |= search_region(memory, start, end, secrets)
    return found


def search_region(memory, start: int, end: int, secrets: dict[str, bytes]) -> set[str]:
    """Which of them lie between two addresses."""
    found, step, overlap = set(), 16 << 20, 200
    for begin in range(start, end, step):
        memory.seek(begin)
        try:
            data = memory.read(min(end, begin + step + overlap) - begin)
        except OSError:
            continue
        found |= {what for what, secret in secrets.items() if secret in data}
    return found
