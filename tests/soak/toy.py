"""The class that is graded again and again: eight submissions of the toy assignment, two of them hostile."""

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from seqlib.grading.kit import Kit, load_kit
from seqlib.grading.release import release
from seqlib.grading.source import find_source

__all__ = ["ASSIGNMENT", "HONEST", "HOSTILE", "Scene", "load", "make_scene"]

ASSIGNMENT = "toy"
GRADING = Path(__file__).parents[1] / "grading"
HONEST = ("right", "right_with_scripts", "partial", "empty", "wrong_forgets", "right_by_colab")
HOSTILE = ("forged", "crashing_function", "patched", "crashing_cell")


@dataclass(frozen=True)
class Scene:
    """A released toy assignment and the submissions that can be made of it, by kind."""

    root: Path
    kit: Kit
    made: dict[str, Any]
    write: Any

    def hand_in(self, course: Path, kinds: dict[str, str]) -> None:
        """Put a submission of a kind into the class folder for each student."""
        from dataclasses import replace

        self.write(course, ASSIGNMENT, [replace(self.made[kind], student=name) for name, kind in kinds.items()])

    def statuses(self, kinds: dict[str, str]) -> dict[str, dict[str, str]]:
        """What every student must get, check by check."""
        return {name: self.made[kind].expected for name, kind in kinds.items()}

    def points(self, kinds: dict[str, str]) -> dict[str, float]:
        """The points that every student must get."""
        return {name: self.made[kind].points(self.kit) for name, kind in kinds.items()}


def make_scene(folder: Path) -> Scene:
    """Release the toy assignment in a folder, if it is not there yet, and make its submissions."""
    root = folder / "repository"
    if not (root / "assignments" / ASSIGNMENT).is_dir():
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(
            GRADING / "toyclass" / "solutions", root / "solutions", ignore=shutil.ignore_patterns("__pycache__")
        )
        release(ASSIGNMENT, root)
    kit = load_kit(ASSIGNMENT, root)
    generator = load(GRADING / "made_class" / "generate.py")
    made = {one.student: one for one in generator.make_class(kit, find_source(ASSIGNMENT, root))}
    return Scene(root, kit, made, generator.write_class)


def load(path: Path) -> ModuleType:
    """A module by its file: the folders of tests are no packages."""
    name = f"soak_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]
