"""Grading a class: every submission gets its verdicts, the store keeps them, nbgrader's folders show them."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, StaleClaimError, StoreError
from seqlib.grading.autograded import notebook_path, write_autograded
from seqlib.grading.deadlines import Due, class_deadlines
from seqlib.grading.forbidden import find_forbidden
from seqlib.grading.gradebook import gradebook_url, prepare, project
from seqlib.grading.graded import Graded
from seqlib.grading.held import Held
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.kit import KEY_FILE, Kit, course_folder, course_key, load_kit
from seqlib.grading.owners import bearer, own_name
from seqlib.grading.records import without_points
from seqlib.grading.rows import Row
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.sandbox.bubblewrap import find_bubblewrap
from seqlib.grading.settings import Settings
from seqlib.grading.software import environment_digest
from seqlib.grading.source import list_sources
from seqlib.grading.states import FINAL, State, at
from seqlib.grading.store import Claim, Record, Store
from seqlib.grading.submitted import Submitted, find_submissions, read_submission
from seqlib.grading.worker import WorkerSettings

__all__ = ["ClassRun", "open_store"]

STORE_FILE = "store.db"
_WAIT_S = 1.0
_FAILED = "The grader itself failed here; this is not your fault and will be graded again."


def open_store(course: Path, place: str | None, key: bytes) -> Store:
    """The class's store."""
    return Store(place or course / STORE_FILE, key)


class ClassRun:
    """One run over a class: iterate to grade; `head` is the store's afterwards, `tell` is given what to show meanwhile.

    Everything is read and checked before the first submission runs.
    An interrupted run loses nothing: the next one goes on where it stopped.

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
        self._key = secrets.token_bytes(32) if throwaway else course_key(self.course, settings.key, create=make)
        if settings.isolation != "none":
            find_bubblewrap()
        self._environment = environment_digest(settings.root, isolated=settings.isolation != "none")
        self._checks = self.kit.checks_digest(self._key)
        self._digests = self.kit.digest_by_check(self._key)
        self.head = ""
        self.tell: Callable[[str], None] = lambda text: None

    def __len__(self) -> int:
        return len(self.folders)

    def __iter__(self) -> Iterator[Row]:
        """Grade in the order in which work gets done; the gradebook is written at the end, also of a broken run."""
        settings = self.settings
        if settings.dry_run:
            yield from self._try()
            return
        with open_store(self.course, settings.store, self._key) as store:
            store.verify()
            try:
                yield from self._all(store)
            except StoreError:
                raise
            except BaseException:
                with suppress(Exception):  # the first error is the one to be told
                    self._project(store)
                raise
            self._project(store)

    def _all(self, store: Store) -> Iterator[Row]:
        """What has not changed, then what is set aside, then all that is to be graded."""
        store.expire()
        records, states = store.latest(self.settings.assignment), store.states(self.settings.assignment)
        asked, waiting = [], {}
        for student in self.folders:
            submitted = self._read(student)
            job = self._job(submitted)
            asked.append(job)
            if self._unchanged(records.get(student), job, states.get(job.digest)):
                yield self._row(submitted, records[student].verdicts, records[student], skipped=True)
            else:
                waiting[job.digest] = student
        store.enqueue(asked, self.kit.points)
        states = store.states(self.settings.assignment)
        for job in [job for job in asked if job.digest in waiting]:
            state = states.get(job.digest)
            if state is State.DONE or (state is State.SET_ASIDE and self.settings.regrade):
                store.regrade(job)
            elif state is State.SET_ASIDE:
                del waiting[job.digest]
                yield self._set_aside(store, self._read(job.student), records.get(job.student))
        yield from self._grade(store, waiting, records)

    def _grade(self, store: Store, waiting: dict[str, str], records: dict[str, Record]) -> Iterator[Row]:
        """Hand claimed jobs to free slots, and write what comes back, until every job has its verdicts."""
        if not waiting:
            return
        at("spawn", "before")
        with Held(store, own_name()) as held, self._runner() as runner:
            at("spawn", "after")
            prepare()  # while the runner starts
            while waiting:
                self._fill(store, runner, held, waiting, records)
                held.stock(waiting)
                if not held:
                    yield from self._done_by_others(store, waiting, records)
                outcomes = {outcome.slot: outcome for outcome in runner.wait(_WAIT_S)}
                ended = held.ended(outcomes)
                self._fill(store, runner, held, waiting, records)  # so that the slots work while we write
                for slot, (claim, submitted) in ended.items():
                    at("outcome", "after")
                    row = self._close(store, claim, submitted, outcomes[slot], records.get(submitted.student))
                    held.closed(claim)
                    if row is not None:
                        waiting.pop(claim.job.digest, None)
                        yield row
                held.beat()

    def _fill(
        self, store: Store, runner: AbstractRunner, held: Held, waiting: dict[str, str], records: dict[str, Record]
    ) -> None:
        """Give every idle slot a job, as long as there are some to claim."""
        for slot in runner.idle():
            while (claim := held.take(waiting)) is not None:
                submitted = self._read(claim.job.student)
                if submitted.digest == claim.job.submission:
                    submitted = replace(submitted, kept=self._kept(claim.job, records.get(claim.job.student)))
                    held.run(slot, claim, submitted)
                    runner.submit(slot, submitted)
                    at("submit", "after")
                    break
                # Other work was handed in since this run began: it takes the place of the older.
                newer = self._job(submitted)
                store.enqueue([newer], self.kit.points)
                store.fault(claim, "other work was handed in meanwhile")
                waiting[newer.digest] = waiting.pop(claim.job.digest)
            else:
                return

    def _close(
        self, store: Store, claim: Claim, submitted: Submitted, outcome: Outcome, before: Record | None
    ) -> Row | None:
        """Write how a job ended; None when it is to be tried again, or is somebody else's by now."""
        graded = outcome.graded
        try:
            if graded is not None:
                at("autograded", "before")
                write_autograded(self.course, self.kit, graded)
                at("autograded", "after")
                verdicts = [replace(verdict, digest=self._digests[verdict.check]) for verdict in graded.verdicts]
                store.finish(claim, verdicts, Facts(seconds=graded.seconds, device=graded.device))
                return self._row(submitted, graded.verdicts, before, seconds=graded.seconds)
            if outcome.killed:
                progress = store.give_back(claim, "its worker was killed")
            else:
                reason = "its worker died" if outcome.lost else outcome.fault
                progress = store.fault(claim, reason, lost=outcome.lost)
        except StaleClaimError:
            return None
        return self._set_aside(store, submitted, before) if progress.final else None

    def _kept(self, job: Job, before: Record | None) -> tuple[Verdict, ...]:
        """What still holds of the last verdicts on the same work, where nothing but some checks has changed."""
        if before is None or self.settings.regrade or replace(before.work, checks=job.checks) != job:
            return ()
        return tuple(
            verdict
            for verdict in before.verdicts
            if verdict.status != "infrastructure" and verdict.digest == self._digests.get(verdict.check)
        )

    def _set_aside(self, store: Store, submitted: Submitted, before: Record | None) -> Row:
        """Show the verdicts that say so, and why."""
        record = store.latest(self.settings.assignment)[submitted.student]
        reason = next((s.progress.reason for s in store.jobs(record.work.assignment) if s.job == record.work), "")
        write_autograded(self.course, self.kit, Graded(submitted=submitted, verdicts=record.verdicts, cells=()))
        return self._row(submitted, record.verdicts, before, fault=f"not graded: {reason}")

    def _done_by_others(self, store: Store, waiting: dict[str, str], records: dict[str, Record]) -> Iterator[Row]:
        """Jobs that another run holds: wait for it, and show what it found."""
        latest, states = store.latest(self.settings.assignment), store.states(self.settings.assignment)
        for digest, student in list(waiting.items()):
            state, record = states.get(digest), latest.get(student)
            if state in (*FINAL, State.WITHDRAWN):
                del waiting[digest]
                verdicts = record.verdicts if record is not None else self._nothing()
                fault = "another run has newer work of this student" if state is State.WITHDRAWN else ""
                yield self._row(self._read(student), verdicts, records.get(student), fault=fault)
        others = store.owners(self.settings.assignment)
        if waiting and others:
            self.tell(f"{len(waiting)} are graded by another run ({', '.join(map(bearer, others))})")
        if waiting:
            time.sleep(_WAIT_S)

    def _try(self) -> Iterator[Row]:
        """Grade without writing anything."""
        records = self._records_without_writing()
        waiting = list(self.folders)
        held: dict[str, Submitted] = {}
        with self._runner() as runner:
            while waiting or held:
                for slot in runner.idle()[: len(waiting)]:
                    held[slot] = self._read(waiting.pop(0))
                    runner.submit(slot, held[slot])
                for outcome in runner.wait(_WAIT_S):
                    submitted = held.pop(outcome.slot)
                    reason = "its worker died" if outcome.lost else outcome.fault
                    verdicts = outcome.graded.verdicts if outcome.graded is not None else self._nothing()
                    fault = f"not graded: {reason}" if reason else ""
                    yield self._row(submitted, verdicts, records.get(submitted.student), fault=fault)

    def _runner(self) -> AbstractRunner:
        settings = self.settings
        worker = WorkerSettings(
            assignment=settings.assignment,
            root=settings.root,
            key=self._key,
            isolation=settings.isolation,
            time_limits=settings.limits,
        )
        if settings.runner is not None:
            return settings.runner(worker)
        return PoolRunner(worker, settings.workers)

    def _read(self, student: str) -> Submitted:
        return read_submission(student, self.folders[student], self.settings.assignment)

    def _job(self, submitted: Submitted) -> Job:
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

    def _row(
        self,
        submitted: Submitted,
        verdicts: tuple[Verdict, ...],
        before: Record | None,
        *,
        fault: str = "",
        seconds: float | int = 0.0,
        skipped: bool = False,
    ) -> Row:
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

    def _unchanged(self, before: Record | None, job: Job, state: State | None) -> bool:
        if before is None or before.work != job or state not in FINAL or self.settings.regrade:
            return False
        return notebook_path(self.course, job.student, job.assignment).is_file()

    def _nothing(self) -> tuple[Verdict, ...]:
        return tuple(without_points(self.kit.points, _FAILED))

    def _project(self, store: Store) -> None:
        latest = {
            name: record for name, record in store.latest(self.settings.assignment).items() if name in self.folders
        }
        now = {name: self._read(name) for name in latest}
        # Work that came after it was graded is late by its own time, once it is graded.
        arrivals = {name: one.arrived for name, one in now.items() if one.digest == latest[name].work.submission}
        url = self.settings.gradebook or gradebook_url(self.course)
        self.head = store.head()
        at("project", "before")
        project(self.kit, url, latest, arrivals, self.due)
        at("project", "after")

    def _records_without_writing(self) -> dict[str, Record]:
        place = self.settings.store or self.course / STORE_FILE
        if "://" not in str(place) and not Path(place).exists():
            return {}
        with Store(place, self._key, write=False) as store:
            return store.latest(self.settings.assignment)


def _chosen(folders: dict[str, Path], settings: Settings) -> dict[str, Path]:
    unknown = sorted(set(settings.students) - set(folders))
    if unknown:
        raise GradingError(
            f"{unknown[0]} did not hand in {settings.assignment}.", f"those who did: {', '.join(list(folders)[:8])}."
        )
    return {name: folder for name, folder in folders.items() if not settings.students or name in settings.students}
