"""A made class that a runner grades, and what it must get."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seqlib.grading.graded import TimeLimits
from seqlib.grading.kit import load_kit
from seqlib.grading.source import find_source

sys.path.insert(0, str(Path(__file__).parent))

from slurm_machine import SlurmMachine, missing, slurm_machine

STUDENTS = ("empty", "not_json", "right_with_scripts", "right_renamed", "wrong_forgets", "crashing_function", "partial")


class MadeClass:
    """Submissions of `toy`, each with what it must get."""

    def __init__(self, root: Path, made: list[Any]) -> None:
        self.root, self.made = root, made
        self.kit = load_kit("toy", root)

    def run(self, course: Path, runner: Callable[..., Any], **options: Any) -> Any:
        """A run over it with this runner, to be iterated."""
        from seqlib.grading.grade import ClassRun
        from seqlib.grading.settings import Settings

        limits = TimeLimits(cell_s=20)
        return ClassRun(
            Settings(assignment="toy", root=self.root, course=course, limits=limits, runner=runner, **options)
        )

    def assert_graded(self, rows: list[Any]) -> None:
        """Every submission has exactly its verdicts, once."""
        assert len(rows) == len(self.made)
        got = {row.student: {v.check: v.status for v in row.verdicts} for row in rows}
        assert got == {one.student: one.expected for one in self.made}
        assert {row.student: row.earned for row in rows} == {one.student: one.points(self.kit) for one in self.made}


@pytest.fixture
def course(released: Path, need: Any, made_class: ModuleType, tmp_path: Path) -> tuple[MadeClass, Path]:
    """A class folder with a few submissions."""
    need("bwrap")
    kit = load_kit("toy", released)
    made = [one for one in made_class.make_class(kit, find_source("toy", released)) if one.student in STUDENTS]
    folder = tmp_path / "class"
    made_class.write_class(folder, "toy", made)
    return MadeClass(released, made), folder


class Heard:
    """What passed between coordinator and runner."""

    def __init__(self) -> None:
        self.slots: list[str] = []
        self.outcomes: list[Any] = []


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What passes between coordinator and DaskRunner during one test."""
    from seqlib.grading.runners.cluster.runner import DaskRunner

    heard, submit, wait = Heard(), DaskRunner.submit, DaskRunner.wait

    def submitting(self: Any, slot: str, submitted: Any) -> None:
        heard.slots.append(slot)
        submit(self, slot, submitted)

    def waiting(self: Any, timeout_s: float) -> Any:
        outcomes = wait(self, timeout_s)
        heard.outcomes += outcomes
        return outcomes

    monkeypatch.setattr(DaskRunner, "submit", submitting)
    monkeypatch.setattr(DaskRunner, "wait", waiting)
    return heard


@pytest.fixture(scope="session")
def slurm_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmMachine]:
    """A SLURM on this machine, with two fake GPUs."""
    reason = missing()
    if reason:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with slurm_machine(tmp_path_factory.mktemp("slurm")) as machine:
        yield machine


@pytest.fixture
def slurm(slurm_here: SlurmMachine, monkeypatch: pytest.MonkeyPatch) -> SlurmMachine:
    """The same, found by SLURM's commands during one test."""
    for name, value in slurm_here.environment.items():
        monkeypatch.setenv(name, value)
    return slurm_here
