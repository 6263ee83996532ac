"""Grading a class: every submission gets its verdicts, the store keeps them, nbgrader's folders show them."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.checks.sources import Grader
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.autograded import notebook_path, write_autograded
from seqlib.grading.deadlines import Due, Lateness, class_deadlines
from seqlib.grading.forbidden import Found, find_forbidden
from seqlib.grading.gradebook import gradebook_url, project
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.kit import KEY_FILE, Kit, course_folder, course_key, load_kit
from seqlib.grading.session import Graded, TimeLimits, grade_submission
from seqlib.grading.source import list_sources
from seqlib.grading.states import State
from seqlib.grading.store import Record, Store
from seqlib.grading.submitted import Submitted, find_submissions, read_submission

__all__ = ["ClassRun", "Row", "Settings", "open_store"]

STORE_FILE = "store.db"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to grade and how.

    Args:
        assignment: Its name.
        root: The instructors' repository.
        course: The class folder.
        students: Only these. Empty: all.
        regrade: Also grade again what has not changed.
        dry_run: Write nothing.
        key: Another place of the course key.
        store: Another place of the store: a path or a database URL.
        gradebook: Another gradebook: a database URL.
        limits: How long a submission may take.
    """

    assignment: str
    root: Path
    course: Path
    students: tuple[str, ...] = ()
    regrade: bool = False
    dry_run: bool = False
    key: Path | None = None
    store: str | None = None
    gradebook: str | None = None
    limits: TimeLimits = field(default_factory=TimeLimits)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What happened to one submission.

    Attributes:
        student: Whose it is.
        verdicts: One for every check.
        before: Points of the last grading; None where there was none.
        skipped: Nothing had changed, so nothing ran.
        fault: Why the notebook was not run, or what broke on our side; empty otherwise.
        forbidden: Shortcuts to look at.
        seconds: Wall time.
        late: How late it is and what that costs; None where there is no due time.
    """

    student: str
    verdicts: tuple[Verdict, ...]
    before: float | int | None = None
    skipped: bool = False
    fault: str = ""
    forbidden: tuple[Found, ...] = ()
    seconds: float | int = 0.0
    late: Lateness | None = None

    @property
    def earned(self) -> float | int:
        """Points earned."""
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> float | int:
        """Points that could be earned."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def infrastructure(self) -> bool:
        """Whether our side failed: to be graded again."""
        return any(verdict.status == "infrastructure" for verdict in self.verdicts)


def open_store(course: Path, place: str | None, key: bytes) -> Store:
    """The class's store."""
    return Store(place or course / STORE_FILE, key)


class ClassRun:
    """One run over a class: iterate to grade; `head` is the store's afterwards.

    Everything is read and checked before the first submission runs.

    Raises:
        GradingError: The assignment, the class folder, a student, the key or the store is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kit: Kit = load_kit(settings.assignment, settings.root)
        self.course = course_folder(settings.course)
        self.due = class_deadlines(self.course, list_sources(settings.root)).get(settings.assignment, Due())
        self.folders = _chosen(find_submissions(self.course, settings.assignment), settings)
        make = not settings.dry_run
        throwaway = settings.dry_run and settings.key is None and not (self.course / KEY_FILE).exists()
        self._key = uuid.uuid4().bytes * 2 if throwaway else course_key(self.course, settings.key, create=make)
        self.head = ""

    def __len__(self) -> int:
        return len(self.folders)

    def __iter__(self) -> Iterator[Row]:
        """Grade one submission after the other; the gradebook is written at the end, also of an interrupted run."""
        settings = self.settings
        if settings.dry_run:
            before = self._records_without_writing()
            for student, folder in self.folders.items():
                yield self._one(self._read(student, folder), before.get(student), None)
            return
        with open_store(self.course, settings.store, self._key) as store:
            store.verify()
            records = store.latest(settings.assignment)
            arrivals: dict[str, str] = {}
            try:
                for student, folder in self.folders.items():
                    submitted = self._read(student, folder)
                    arrivals[student] = submitted.arrived
                    yield self._one(submitted, records.get(student), store)
            finally:
                self.head = store.head()
                latest = {
                    name: record for name, record in store.latest(settings.assignment).items() if name in arrivals
                }
                project(self.kit, settings.gradebook or gradebook_url(self.course), latest, arrivals, self.due)

    def _read(self, student: str, folder: Path) -> Submitted:
        return read_submission(student, folder, self.settings.assignment)

    def _one(self, submitted: Submitted, before: Record | None, store: Store | None) -> Row:
        settings, student = self.settings, submitted.student
        work = Job(
            assignment=settings.assignment,
            student=student,
            submission=submitted.digest,
            checks=self.kit.checks_digest(self._key),
        )
        forbidden = tuple(find_forbidden(submitted.cells, self.kit.forbidden))
        earlier = before.earned if before is not None else None
        if before is not None and self._unchanged(before, work) and not _wanted(store, work):
            return Row(
                student=student,
                verdicts=before.verdicts,
                before=earlier,
                skipped=True,
                fault=submitted.fault,
                forbidden=forbidden,
                late=self.due.of(student, submitted.arrived),
            )
        graded, fault = self._grade(submitted)
        if store is not None:
            write_autograded(self.course, self.kit, graded)
            store.append(work, graded.verdicts, Facts(seconds=graded.seconds, device=work.device))
        return Row(
            student=student,
            verdicts=graded.verdicts,
            before=earlier,
            fault=submitted.fault or fault,
            forbidden=forbidden,
            seconds=graded.seconds,
            late=self.due.of(student, submitted.arrived),
        )

    def _unchanged(self, before: Record, work: Job) -> bool:
        if self.settings.regrade or before.work != work:
            return False
        if any(verdict.status == "infrastructure" for verdict in before.verdicts):
            return False
        return notebook_path(self.course, work.student, work.assignment).is_file()

    def _grade(self, submitted: Submitted) -> tuple[Graded, str]:
        """Grade; a fault of our own side is a state of its own, and the batch goes on."""
        source = Grader(self.kit.suite, self._key)
        try:
            return grade_submission(self.kit, submitted, source, self.settings.limits), ""
        except Exception as error:  # whatever it is, the next submission must not suffer
            reason = error.what if isinstance(error, GradingError) else f"{type(error).__name__}: {error}"
            verdicts = tuple(
                Verdict(
                    check=check.name,
                    points=check.points,
                    earned=0,
                    status="infrastructure",
                    message="The grader itself failed here; this is not your fault and will be graded again.",
                )
                for check in self.kit.suite.checks.values()
            )
            return Graded(submitted=submitted, verdicts=verdicts, cells=(), seconds=0.0), f"not graded: {reason}"

    def _records_without_writing(self) -> dict[str, Record]:
        place = self.settings.store or self.course / STORE_FILE
        if "://" not in str(place) and not Path(place).exists():
            return {}
        with Store(place, self._key, write=False) as store:
            return store.latest(self.settings.assignment)


def _wanted(store: Store | None, work: Job) -> bool:
    """Whether `seqlib store retry` asked for it to be graded again."""
    return store is not None and store.state(work) is State.QUEUED


def _chosen(folders: dict[str, Path], settings: Settings) -> dict[str, Path]:
    unknown = sorted(set(settings.students) - set(folders))
    if unknown:
        raise GradingError(
            f"{unknown[0]} did not hand in {settings.assignment}.", f"those who did: {', '.join(list(folders)[:8])}."
        )
    return {name: folder for name, folder in folders.items() if not settings.students or name in settings.students}
