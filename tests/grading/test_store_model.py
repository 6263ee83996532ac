"""The store against a model of a few lines: whatever is called in whatever order, both tell the same."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError, StaleClaimError
from seqlib.grading.jobs import Job
from seqlib.grading.states import State
from seqlib.grading.store import Claim, Store

KEY = b"k" * 32
STUDENTS = st.sampled_from("abc")
OWNERS = st.sampled_from(("w1", "w2"))
LEASE_S = 10


def job(student: str) -> Job:
    """Some work."""
    return Job(assignment="a1", student=student, submission="5" * 64, checks="c" * 64)


class Run:
    """What the model knows of the newest run of a job."""

    def __init__(self) -> None:
        self.state, self.holder, self.end = "queued", "", 0.0
        self.attempts = self.faults = self.lost = 0

    def give_back(self, kind: str = "") -> int:
        """A fault, a loss or a release; gives the number of records that this makes."""
        if kind:
            setattr(self, kind, getattr(self, kind) + 1)
        over = self.faults == 3 if kind == "faults" else self.lost == 2 if kind == "lost" else self.attempts >= 10
        self.state = "set aside" if over else "queued"
        return int(over)


class StoreMachine(RuleBasedStateMachine):
    """Calls in any order, of two workers, with a clock that the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder / "store.db", KEY)
        self.now = 0.0
        self.runs: dict[str, Run] = {}
        self.records = 0
        self.claims: list[tuple[Claim, Run, int]] = []

    def teardown(self) -> None:
        """The seals are whole, and nothing is left."""
        assert self.store.verify() == self.records
        self.store.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    @rule(student=STUDENTS)
    def enqueue(self, student: str) -> None:
        """New once, known afterwards."""
        assert self.store.enqueue([job(student)], {"step": 4}) == (student not in self.runs)
        self.runs.setdefault(student, Run())

    @rule(owner=OWNERS, count=st.integers(1, 3))
    def claim(self, owner: str, count: int) -> None:
        """As many as wait, and what is over is given back."""
        self._expire()
        waiting = sum(run.state == "queued" for run in self.runs.values())
        taken = self.store.claim(owner, count, LEASE_S, now=self.now)
        assert len(taken) == min(count, waiting)
        for claim in taken:
            run = self.runs[claim.job.student]
            assert run.state == "queued"
            run.state, run.holder, run.end = "claimed", owner, self.now + LEASE_S
            run.attempts += 1
            self.claims.append((claim, run, run.attempts))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), kind=st.sampled_from(("finish", "fault", "lost", "heartbeat")))
    def use(self, data: Any, kind: str) -> None:
        """A claim is good while its run is claimed and was not given back since, and else it does nothing."""
        claim, run, before = data.draw(st.sampled_from(self.claims))
        good = run.state == "claimed" and run.attempts == before
        if kind == "heartbeat":
            held = self.store.heartbeat([claim], LEASE_S, now=self.now)
            assert bool(held) == good
            if good:
                run.end = max(run.end, self.now + LEASE_S)
            return
        try:
            if kind == "finish":
                verdict = Verdict(check="step", points=4, earned=4, status="passed", message="")
                self.store.finish(claim, [verdict])
            else:
                self.store.fault(claim, "no sandbox", lost=kind == "lost")
        except StaleClaimError:
            assert not good
            return
        assert good
        if kind == "finish":
            run.state = "done"
            self.records += 1
        else:
            self.records += run.give_back("lost" if kind == "lost" else "faults")

    @rule(owner=OWNERS)
    def release(self, owner: str) -> None:
        """Every job of an owner that ends waits again, without a loss."""
        mine = [run for run in self.runs.values() if run.state == "claimed" and run.holder == owner]
        assert len(self.store.release(owner, now=self.now)) == len(mine)
        self.records += sum(run.give_back() for run in mine)

    @rule(seconds=st.integers(1, LEASE_S))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds

    @rule(student=STUDENTS)
    def regrade(self, student: str) -> None:
        """Only what has ended gets a new run."""
        ended = student in self.runs and self.runs[student].state in ("done", "set aside")
        try:
            self.store.regrade(job(student))
        except GradingError:
            assert not ended
            return
        assert ended
        self.runs[student] = Run()

    @rule()
    def reopen(self) -> None:
        """Nothing lives in the process."""
        self.store.__exit__(None, None, None)
        self.store = Store(self.folder / "store.db", KEY)
        assert self.store.verify() == self.records

    @invariant()
    def tells_the_same(self) -> None:
        """States agree."""
        counts = Counter(run.state for run in self.runs.values())
        assert self.store.progress("a1") == {s: counts[str(s)] for s in State if s is not State.ABSENT}

    def _expire(self) -> None:
        for run in self.runs.values():
            if run.state == "claimed" and run.end <= self.now:
                self.records += run.give_back()


@pytest.mark.slow
def test_the_store_does_what_the_model_does():
    """Random histories of calls, with stale claims, losses and new runs among them."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
