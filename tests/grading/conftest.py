"""A small repository of its own for each test that releases something."""

import shutil
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy" / "solutions"


@pytest.fixture
def toy_root(tmp_path: Path) -> Path:
    """A copy of a repository with one assignment of two exercises, `a0_toy`."""
    root = tmp_path / "a course"  # a space in the path is the user's right
    shutil.copytree(TOY, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
    return root
