"""A course with one released assignment, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from seqlib.grading.release import release

TOY = Path(__file__).parents[1] / "grading" / "toy" / "solutions"


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released toy assignment."""
    root = tmp_path_factory.mktemp("toy")
    shutil.copytree(TOY, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    return release("a0_toy", root).folder


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    """A student's course folder, with a space in its path."""
    course = tmp_path / "my course"
    shutil.copytree(released, course / "assignments" / "a0_toy")
    (course / "lectures").mkdir()
    (course / "lectures" / "lectures.toml").write_text("", "utf-8")
    return course
