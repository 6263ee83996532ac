"""What stands in the place of nbgrader's own autograder: the verdicts are made outside the student's process.

nbgrader runs two lists of preprocessors over a notebook. The first of ours grades it as `seqlib grade` does, which
writes the store, the graded notebook and the gradebook, and hands nbgrader that notebook; the second leaves it alone.
"""

import atexit
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from seqlib.errors import GradingError
from seqlib.grading.autograded import notebook_path
from seqlib.grading.grade import ClassRun
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.settings import Settings
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import WorkerSettings

__all__ = ["GradeOutside", "KeepVerdicts"]


class GradeOutside(NbGraderPreprocessor):
    """Grades the submission in a sandbox and puts the graded notebook in the place of the submitted one."""

    repository = Unicode("", help="The instructors' repository, which holds solutions/ and assignments/.").tag(
        config=True
    )
    isolation = Unicode("warm", help="How submissions are kept apart: warm, cold, or none (you trust all).").tag(
        config=True
    )

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Grade one student's submission; what has not changed since is graded again only if its notebook is gone."""
        asked = resources["nbgrader"]
        course = Path(self.config.CourseDirectory.root or ".")
        settings = Settings(
            assignment=asked["assignment"],
            root=Path(self.repository or "."),
            course=course,
            students=(asked["student"],),
            gradebook=asked["db_url"],
            isolation=self.isolation,
            runner=_KeptRunner,
        )
        [row] = ClassRun(settings)
        if row.infrastructure:
            raise GradingError(f"{row.student} could not be graded: {row.fault}.", "run: seqlib doctor")
        path = notebook_path(course.resolve(), row.student, settings.assignment)
        return nbformat.from_dict(json.loads(path.read_text("utf-8"))), resources


class KeepVerdicts(NbGraderPreprocessor):
    """Leaves the graded notebook as it is: nothing of nbgrader's may run it, or read a score from it."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Do nothing."""
        return nb, resources


class _KeptRunner(AbstractRunner):
    """One worker for all students that one `nbgrader autograde` goes through; it ends with the command."""

    _kept: dict[WorkerSettings, PoolRunner] = {}  # noqa: RUF012 -- one for all, on purpose

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    def start(self) -> None:
        if self._settings not in self._kept:
            self._kept[self._settings] = runner = PoolRunner(self._settings, 1)
            runner.start()
            atexit.register(runner.close)

    def idle(self) -> Sequence[str]:
        return self._kept[self._settings].idle()

    def submit(self, slot: str, submitted: Submitted) -> None:
        self._kept[self._settings].submit(slot, submitted)

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        return self._kept[self._settings].wait(timeout_s)

    def close(self) -> None:
        """Nothing yet: the next student is graded by the same worker."""
