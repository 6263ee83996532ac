"""What is to be graded, and by what: everything that a run over a class reads and checks before it begins."""

import secrets
from pathlib import Path

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.deadlines import Due, class_deadlines
from seqlib.grading.forbidden import find_forbidden
from seqlib.grading.jobs import Job
from seqlib.grading.kit import KEY_FILE, Kit, course_folder, course_key, load_kit
from seqlib.grading.records import Record, without_points
from seqlib.grading.rows import Row
from seqlib.grading.runners.base import AbstractRunner
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.sandbox.bubblewrap import find_bubblewrap
from seqlib.grading.settings import Settings
from seqlib.grading.software import environment_digest
from seqlib.grading.source import list_sources
from seqlib.grading.submitted import Submitted, find_submissions, read_submission
from seqlib.grading.worker import WorkerSettings

__all__ = ["WAIT_S", "Plan"]

WAIT_S = 1.0
"""How long a run waits for its runner before it looks after its claims."""

_FAILED = "The grader itself failed here; this is not your fault and will be graded again."


class Plan:
    """A class, an assignment and the settings of a run.

    Attributes:
        settings: As they were given.
        kit: The assignment.
        course: The class folder.
        due: When the assignment is due and what lateness costs.
        folders: The folder of each submission, by student.
        key: The course key.
        digests: What each check's verdict depends on, by check.

    Raises:
        GradingError: The assignment, the class folder, a student or the key is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kit: Kit = load_kit(settings.assignment, settings.root)
        self.course = course_folder(settings.course)
        self.due = class_deadlines(self.course, list_sources(settings.root)).get(settings.assignment, Due())
        self.folders = _chosen(find_submissions(self.course, settings.assignment), settings)
        make = not settings.dry_run
        throwaway = settings.dry_run and settings.key is None and not (self.course / KEY_FILE).exists()
        self.key = secrets.token_bytes(32) if throwaway else course_key(self.course, settings.key, create=make)
        if settings.isolation != "none":
            find_bubblewrap()
        self._environment = environment_digest(settings.root, isolated=settings.isolation != "none")
        self._checks = self.kit.checks_digest(self.key)
        self.digests = self.kit.digest_by_check(self.key)

    def runner(self) -> AbstractRunner:
        """What the work is handed to, not started yet."""
        settings = self.settings
        worker = WorkerSettings(
            assignment=settings.assignment,
            root=settings.root,
            key=self.key,
            isolation=settings.isolation,
            time_limits=settings.limits,
        )
        if settings.runner is not None:
            return settings.runner(worker)
        return PoolRunner(worker, settings.workers)

    def read(self, student: str) -> Submitted:
        """A student's work as it lies in the class folder now."""
        return read_submission(student, self.folders[student], self.settings.assignment)

    def job(self, submitted: Submitted) -> Job:
        """What would have to be done to grade this work."""
        limits = self.settings.limits
        return Job(
            assignment=self.settings.assignment,
            student=submitted.student,
            submission=submitted.digest,
            checks=self._checks,
            environment=self._environment,
            limits=(("cell_s", limits.cell_s), ("notebook_s", limits.notebook_s)),
            device=self.settings.device,
        )

    def row(
        self,
        submitted: Submitted,
        verdicts: tuple[Verdict, ...],
        before: Record | None,
        *,
        fault: str = "",
        seconds: float | int = 0.0,
        skipped: bool = False,
    ) -> Row:
        """What is shown of a submission."""
        return Row(
            student=submitted.student,
            verdicts=verdicts,
            before=before.earned if before is not None else None,
            skipped=skipped,
            fault=submitted.fault or fault,
            forbidden=tuple(find_forbidden(submitted.cells, self.kit.forbidden)),
            seconds=seconds,
            late=self.due.of(submitted.student, submitted.arrived),
        )

    def nothing(self) -> tuple[Verdict, ...]:
        """The verdicts of a submission that our own side failed on."""
        return tuple(without_points(self.kit.points, _FAILED))


def _chosen(folders: dict[str, Path], settings: Settings) -> dict[str, Path]:
    unknown = sorted(set(settings.students) - set(folders))
    if unknown:
        raise GradingError(
            f"{unknown[0]} did not hand in {settings.assignment}.", f"those who did: {', '.join(list(folders)[:8])}."
        )
    return {name: folder for name, folder in folders.items() if not settings.students or name in settings.students}
