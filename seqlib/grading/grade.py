"""Grading a class: every submission gets its verdicts, the store keeps them, nbgrader's folders show them."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from seqlib.checks.verdict import Verdict
from seqlib.errors import StaleClaimError, StoreError
from seqlib.grading.autograded import notebook_path, write_autograded
from seqlib.grading.class_store import open_store
from seqlib.grading.dry_run import try_class
from seqlib.grading.gradebook import gradebook_url, prepare, project
from seqlib.grading.graded import Graded
from seqlib.grading.held import Held
from seqlib.grading.jobs import Facts, Job
from seqlib.grading.owners import bearer, own_name
from seqlib.grading.plan import WAIT_S, Plan
from seqlib.grading.rows import Row
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.settings import Settings
from seqlib.grading.states import FINAL, State, at
from seqlib.grading.store import Claim, Record, Store
from seqlib.grading.submitted import Submitted

__all__ = ["ClassRun"]


class ClassRun:
    """One run over a class: iterate to grade; `head` is the store's afterwards, `tell` is given what to show meanwhile.

    Everything is read and checked before the first submission runs.
    An interrupted run loses nothing: the next one goes on where it stopped.

    Raises:
        GradingError: The assignment, the class folder, a student, the key or the store is not there.
    """

    def __init__(self, settings: Settings) -> None:
        self.plan = Plan(settings)
        self.head = ""
        self.tell: Callable[[str], None] = lambda text: None

    def __len__(self) -> int:
        return len(self.plan.folders)

    def __iter__(self) -> Iterator[Row]:
        """Grade in the order in which work gets done; the gradebook is written at the end, also of a broken run."""
        plan = self.plan
        if plan.settings.dry_run:
            yield from try_class(plan)
            return
        with open_store(plan.course, plan.settings.store, plan.key) as store:
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
        records, states = store.latest(self.plan.settings.assignment), store.states(self.plan.settings.assignment)
        asked, waiting = [], {}
        for student in self.plan.folders:
            submitted = self.plan.read(student)
            job = self.plan.job(submitted)
            asked.append(job)
            if self._unchanged(records.get(student), job, states.get(job.digest)):
                yield self.plan.row(submitted, records[student].verdicts, records[student], skipped=True)
            else:
                waiting[job.digest] = student
        store.enqueue(asked, self.plan.kit.points)
        states = store.states(self.plan.settings.assignment)
        for job in [job for job in asked if job.digest in waiting]:
            state = states.get(job.digest)
            if state is State.DONE or (state is State.SET_ASIDE and self.plan.settings.regrade):
                store.regrade(job)
            elif state is State.SET_ASIDE:
                del waiting[job.digest]
                yield self._set_aside(store, self.plan.read(job.student), records.get(job.student))
        yield from self._grade(store, waiting, records)

    def _grade(self, store: Store, waiting: dict[str, str], records: dict[str, Record]) -> Iterator[Row]:
        """Hand claimed jobs to free slots, and write what comes back, until every job has its verdicts."""
        if not waiting:
            return
        at("spawn", "before")
        with Held(store, own_name()) as held, self.plan.runner() as runner:
            at("spawn", "after")
            prepare()  # while the runner starts
            while waiting:
                self._fill(store, runner, held, waiting, records)
                held.stock(waiting)
                if not held:
                    yield from self._done_by_others(store, waiting, records)
                outcomes = {outcome.slot: outcome for outcome in runner.wait(WAIT_S)}
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
                submitted = self.plan.read(claim.job.student)
                if submitted.digest == claim.job.submission:
                    submitted = replace(submitted, kept=self._kept(claim.job, records.get(claim.job.student)))
                    held.run(slot, claim, submitted)
                    runner.submit(slot, submitted)
                    at("submit", "after")
                    break
                # Other work was handed in since this run began: it takes the place of the older.
                newer = self.plan.job(submitted)
                store.enqueue([newer], self.plan.kit.points)
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
                write_autograded(self.plan.course, self.plan.kit, graded)
                at("autograded", "after")
                verdicts = [replace(verdict, digest=self.plan.digests[verdict.check]) for verdict in graded.verdicts]
                store.finish(claim, verdicts, Facts(seconds=graded.seconds, device=graded.device))
                return self.plan.row(submitted, graded.verdicts, before, seconds=graded.seconds)
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
        if before is None or self.plan.settings.regrade or replace(before.work, checks=job.checks) != job:
            return ()
        return tuple(
            verdict
            for verdict in before.verdicts
            if verdict.status != "infrastructure" and verdict.digest == self.plan.digests.get(verdict.check)
        )

    def _set_aside(self, store: Store, submitted: Submitted, before: Record | None) -> Row:
        """Show the verdicts that say so, and why."""
        record = store.latest(self.plan.settings.assignment)[submitted.student]
        reason = next((s.progress.reason for s in store.jobs(record.work.assignment) if s.job == record.work), "")
        write_autograded(
            self.plan.course, self.plan.kit, Graded(submitted=submitted, verdicts=record.verdicts, cells=())
        )
        return self.plan.row(submitted, record.verdicts, before, fault=f"not graded: {reason}")

    def _done_by_others(self, store: Store, waiting: dict[str, str], records: dict[str, Record]) -> Iterator[Row]:
        """Jobs that another run holds: wait for it, and show what it found."""
        latest, states = store.latest(self.plan.settings.assignment), store.states(self.plan.settings.assignment)
        for digest, student in list(waiting.items()):
            state, record = states.get(digest), latest.get(student)
            if state in (*FINAL, State.WITHDRAWN):
                del waiting[digest]
                verdicts = record.verdicts if record is not None else self.plan.nothing()
                fault = "another run has newer work of this student" if state is State.WITHDRAWN else ""
                yield self.plan.row(self.plan.read(student), verdicts, records.get(student), fault=fault)
        others = store.owners(self.plan.settings.assignment)
        if waiting and others:
            self.tell(f"{len(waiting)} are graded by another run ({', '.join(map(bearer, others))})")
        if waiting:
            time.sleep(WAIT_S)

    def _unchanged(self, before: Record | None, job: Job, state: State | None) -> bool:
        if before is None or before.work != job or state not in FINAL or self.plan.settings.regrade:
            return False
        return notebook_path(self.plan.course, job.student, job.assignment).is_file()

    def _project(self, store: Store) -> None:
        latest = {
            name: record
            for name, record in store.latest(self.plan.settings.assignment).items()
            if name in self.plan.folders
        }
        now = {name: self.plan.read(name) for name in latest}
        # Work that came after it was graded is late by its own time, once it is graded.
        arrivals = {name: one.arrived for name, one in now.items() if one.digest == latest[name].work.submission}
        url = self.plan.settings.gradebook or gradebook_url(self.plan.course)
        self.head = store.head()
        at("project", "before")
        project(self.plan.kit, url, latest, arrivals, self.plan.due)
        at("project", "after")
