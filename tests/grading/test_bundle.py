"""The students' edition: only what the list allows, no answer in any byte, and a student's work left alone."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from seqlib.course.deadlines import read_deadlines
from seqlib.course.lateness import Deadline, Policy
from seqlib.errors import DeadlineError, ReleaseError
from seqlib.grading.bundle import EDITION, bundle
from seqlib.grading.edition import PRIVATE_PARTS, PUBLIC_PARTS, answer_modules, edition_files
from seqlib.grading.release import release

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, importlib.util, json, pkgutil, sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]  # as on a student's machine
import seqlib
names = ["seqlib"] + [m.name for m in pkgutil.walk_packages(seqlib.__path__, "seqlib.")]
for name in names:
    importlib.import_module(name)
outside = [n for n, m in sys.modules.items() if n.split(".")[0] == "seqlib" and not m.__file__.startswith(sys.argv[1])]
def absent(name):
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:
        return True
present = [name for name in sys.argv[2:] if not absent(name)]
print(json.dumps({"count": len(names), "outside": outside, "present": present}))
"""


@pytest.fixture
def small_repository(toy_root: Path) -> Path:
    """The toy assignment, released, in a repository with a few modules of each kind."""
    files = {
        "seqlib/__init__.py": "",
        "seqlib/errors.py": "WHAT = 1\n",
        "seqlib/nn/__init__.py": "",
        "seqlib/nn/recurrent/__init__.py": "",
        "seqlib/nn/recurrent/cell.py": "STEP = 1\n",
        "seqlib/nn/recurrent/bptt.py": "def backward():\n    return 'the answer, line by line'\n",
        "seqlib/nn/recurrent/__pycache__/cell.pyc": "compiled",
        "seqlib/grading/__init__.py": "SECRET = 1\n",
        "tests/test_x.py": "",
        "lectures/lectures.toml": '[[lecture]]\nfile = "01_a.py"\ntitle = "A"\nquestion = "B?"\nminutes = 1\n',
        "lectures/01_a.py": "# %%\nprint(1)\n",
        "lectures/draft.py": "# %%\nprint(2)\n",
        "work/a0_toy/a0_toy.ipynb": "{}",
        "class/gradebook.db": "marks",
        "LICENSE": "MIT",
        "pyproject.toml": (ROOT / "pyproject.toml").read_text("utf-8"),
    }
    for name, text in files.items():
        path = toy_root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    release("a0_toy", toy_root)
    return toy_root


def test_only_what_is_allowed_leaves(small_repository):
    """Answers, grading, tests, drafts, solutions, compiled files and anybody's work stay behind."""
    assert sorted(edition_files(small_repository)) == [
        "COURSE.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "assignments/a0_toy/a0_toy.ipynb",
        "assignments/a0_toy/cases.safetensors",
        "assignments/a0_toy/checks_public.py",
        "assignments/a0_toy/release.json",
        "lectures/01_a.py",
        "lectures/lectures.toml",
        "pyproject.toml",
        "seqlib/__init__.py",
        "seqlib/errors.py",
        "seqlib/nn/__init__.py",
        "seqlib/nn/recurrent/__init__.py",
        "seqlib/nn/recurrent/cell.py",
    ]


def test_two_bundles_are_byte_identical(small_repository, tmp_path):
    """The zip file's bytes depend on the contents only."""
    first = bundle(small_repository, tmp_path / "one.zip")
    os.utime(small_repository / "LICENSE", (1, 1))
    second = bundle(small_repository, tmp_path / "two.zip")

    assert first.digest == second.digest
    assert first.path.read_bytes() == second.path.read_bytes()


def test_an_answer_in_a_lecture_table_or_module_is_refused(small_repository, tmp_path):
    """A canary in any file that would leave stops the bundle, and nothing is written."""
    (small_repository / "seqlib/nn/recurrent/cell.py").write_text("X = 'toy-canary: canary-4f3a9b1c77'\n", "utf-8")

    with pytest.raises(ReleaseError, match=r"seqlib/nn/recurrent/cell\.py.* line 1 shows an answer"):
        bundle(small_repository, tmp_path / "out.zip")

    assert not (tmp_path / "out.zip").exists()


def test_a_solution_in_the_library_is_refused(small_repository, tmp_path):
    """Lines of a solution that stand together in a module for students are named with both places."""
    body = "squashed_input = torch.tanh(x)\n    return (1 - alpha) * h + alpha * squashed_input\n"
    (small_repository / "seqlib/nn/recurrent/cell.py").write_text(f"def mix(h, x, alpha):\n    {body}", "utf-8")

    with pytest.raises(ReleaseError, match=r"cell\.py line 2 .* from a0_toy\.py line 46"):
        bundle(small_repository, tmp_path / "out.zip")


def test_one_line_that_a_library_shares_by_chance_is_no_leak(small_repository, tmp_path):
    """A single line of a variant may stand in the library, where it means what it always means."""
    line = "def scan(x):\n    return torch.cumsum(x, dim=x.dim() - 1)\n"
    (small_repository / "seqlib/nn/recurrent/cell.py").write_text(line, "utf-8")

    assert bundle(small_repository, tmp_path / "out.zip").path.is_file()


def test_a_module_on_no_list_is_refused(small_repository):
    """A new part of seqlib must be put on one of the two lists before anything is bundled."""
    (small_repository / "seqlib/oracle.py").write_text("", "utf-8")

    with pytest.raises(ReleaseError, match=r"seqlib/oracle\.py is listed neither for students nor for instructors"):
        edition_files(small_repository)


def test_an_edited_release_is_refused(small_repository):
    """A released file that is not what its digest says does not leave."""
    (small_repository / "assignments/a0_toy/checks_public.py").write_text("x = 1\n", "utf-8")

    with pytest.raises(ReleaseError, match="is not what was released"):
        edition_files(small_repository)


def test_a_release_older_than_its_source_is_refused(small_repository):
    """After an edit of the source the old release does not leave: local and graded verdicts would differ."""
    path = small_repository / "solutions/a0_toy/checks.py"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")

    with pytest.raises(ReleaseError, match="is older than its source"):
        edition_files(small_repository)


def test_an_update_keeps_the_students_work(small_repository, tmp_path):
    """Bundling into a folder renews the edition, never touches work/, and keeps what the student changed."""
    target = tmp_path / "mine"
    bundle(small_repository, target)
    (target / "work").mkdir()
    (target / "work/notes.txt").write_text("mine", "utf-8")
    (target / "lectures/01_a.py").write_text("# my remark\n", "utf-8")
    (small_repository / "seqlib/nn/recurrent/cell.py").unlink()

    made = bundle(small_repository, target)

    assert (target / "work/notes.txt").read_text("utf-8") == "mine"
    assert [(target / name).read_text("utf-8") for name in made.kept] == ["# my remark\n"]
    assert (target / "lectures/01_a.py").read_text("utf-8") == "# %%\nprint(1)\n"
    assert not (target / "seqlib/nn/recurrent/cell.py").exists()


def test_a_folder_with_other_things_is_refused(small_repository, tmp_path):
    """A folder that holds other files is not written over."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("mine", "utf-8")

    with pytest.raises(ReleaseError, match="holds other things than a students' edition"):
        bundle(small_repository, tmp_path / "thesis")

    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_students_install_the_core_only(small_repository):
    """The project table asks for what the instructors' asks for, without extras, and says where the version is."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    project = tomllib.loads(edition_files(small_repository)["pyproject.toml"].decode())

    assert project["project"]["dependencies"] == whole["project"]["dependencies"]
    assert "optional-dependencies" not in project["project"]
    assert project["tool"]["setuptools"] == whole["tool"]["setuptools"]


def test_every_part_is_on_one_list():
    """Nothing in seqlib is both for students and for instructors, and no list names what is not there."""
    parts = {path.name for path in (ROOT / "seqlib").iterdir()}

    assert not set(PUBLIC_PARTS) & set(PRIVATE_PARTS)
    assert set(PRIVATE_PARTS) <= parts


@pytest.mark.slow
def test_the_whole_edition_imports_by_itself(tmp_path):
    """The real edition passes the leak test, every module left in it imports, and what was left out is absent."""
    made = bundle(ROOT, tmp_path / "course.zip")
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(tmp_path)
    course = tmp_path / "course"
    left_out = ["seqlib.grading", "seqlib.grading.release", "solutions", *answer_modules(ROOT)]

    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(course), *left_out],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(course), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["outside"] == []
    assert told["present"] == []
    assert told["count"] > 50
    listed = json.loads((course / EDITION).read_text("utf-8"))["files"]
    found = {path.relative_to(course).as_posix(): path for path in course.rglob("*") if path.is_file()}
    assert found.keys() == listed.keys() | {EDITION}
    assert all(hashlib.sha256(found[name].read_bytes()).hexdigest() == digest for name, digest in listed.items())


TABLE = """
late = { per_day = 10, at_most = 50 }
[assignments.a0_toy]
due = 2026-12-01T23:59:00+01:00
[extensions.a0_toy]
alice = 2026-12-08T23:59:00+01:00
"""


def test_students_are_told_when_work_is_due(small_repository, tmp_path):
    """Home page and table say due time and policy; no file names who has an extension, or until when."""
    (tmp_path / "course.toml").write_text(TABLE, "utf-8")

    bundle(small_repository, tmp_path / "out", course=tmp_path)

    assert read_deadlines(tmp_path / "out") == {
        "a0_toy": Deadline(
            due=datetime(2026, 12, 1, 23, 59, tzinfo=timezone(timedelta(hours=1))),
            policy=Policy(per_day=10, at_most=50),
        )
    }
    home = (tmp_path / "out/COURSE.md").read_text("utf-8")
    assert "): due **Tue 1 Dec 2026, 23:59 (UTC+01:00)**. Each started day late costs 10% of the points" in home
    assert "by the clock there" in home
    for path in (tmp_path / "out").rglob("*"):
        text = path.read_bytes() if path.is_file() else b""
        assert not any(word in text for word in (b"alice", b"2026-12-08", b"8 Dec", b"extensions.a"))


def test_a_misspelt_assignment_is_refused_before_students_are_told(small_repository, tmp_path):
    """A name that no source has would leave its assignment without a due time."""
    (tmp_path / "course.toml").write_text(TABLE.replace("a0_toy", "a0_tyo"), "utf-8")

    with pytest.raises(DeadlineError, match=r"assignments\.a0_tyo is no assignment"):
        bundle(small_repository, tmp_path / "out", course=tmp_path)

    assert not (tmp_path / "out").exists()


def test_a_class_without_a_table_is_one_line(small_repository, tmp_path):
    """The class folder was named for its table."""
    with pytest.raises(ReleaseError, match=r"has no course\.toml"):
        bundle(small_repository, tmp_path / "out.zip", course=tmp_path)
