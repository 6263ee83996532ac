"""A small repository of its own for each test that releases something."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from seqlib.grading.kit import load_kit

TOY = Path(__file__).parent / "toy" / "solutions"


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    """A copy of a repository with one assignment of two exercises, `a0_toy`."""
    root = tmp_path / "a course"  # a space in the path is the user's right
    shutil.copytree(TOY, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    return root


MADE = Path(__file__).parent / "made_class" / "generate.py"
SMALL = ("empty", "looping_function", "not_json", "right_with_scripts", "wrong_forgets")


@pytest.fixture(scope="session")
def made_class() -> ModuleType:
    """The generator of made classes, as a module."""
    spec = importlib.util.spec_from_file_location("made_class", MADE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the assignment `toy`, released."""
    from seqlib.grading.release import release

    root = tmp_path_factory.mktemp("a course")
    source = Path(__file__).parent / "toyclass" / "solutions"
    shutil.copytree(source, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    release("toy", root)
    return root


@pytest.fixture(scope="session")
def boxes(released: Path, need: Any) -> Iterator[Any]:
    """A warm sandbox for submissions of `toy`."""
    from seqlib.grading.worker import Worker, WorkerSettings

    need("bwrap")
    with Worker(WorkerSettings(assignment="toy", root=released, key=b"k" * 32)) as worker:
        yield worker.boxes


@pytest.fixture(scope="session")
def small_class(released: Path, need: Any, made_class: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Five submissions of `toy`, graded once: the run's rows, what was expected, and the class folder."""
    from seqlib.grading.grade import ClassRun
    from seqlib.grading.graded import TimeLimits
    from seqlib.grading.settings import Settings
    from seqlib.grading.source import find_source

    need("bwrap")
    kit = load_kit("toy", released)
    made = [one for one in made_class.make_class(kit, find_source("toy", released)) if one.student in SMALL]
    course = tmp_path_factory.mktemp("class folder")
    made_class.write_class(course, "toy", made)
    settings = Settings(assignment="toy", root=released, course=course, limits=TimeLimits(cell_s=5))
    rows = {row.student: row for row in ClassRun(settings)}
    return SimpleNamespace(kit=kit, made=made, course=course, settings=settings, rows=rows)
