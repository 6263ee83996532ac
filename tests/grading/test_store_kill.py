"""Kill -9 at every named transition: afterwards each job ends in exactly one record, none lost, none doubled."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seqlib.grading.states import Kind, State
from seqlib.grading.store import Store

KEY = b"k" * 32
STUDENTS = ("ada", "bob", "cyd", "eve")
MOMENTS = ("before", "within", "after")
WRITES = [kind for kind in Kind if kind is not Kind.WITHDRAW]  # which is part of another write
# Each job runs once; ada is graded twice. bob meets a fault once, cyd loses her worker once, eve always;
# the first claim is given back once.
PASSINGS = [*itertools.product(WRITES, MOMENTS, (1,)), *itertools.product((Kind.CLAIM, Kind.FINISH), MOMENTS, (2, 3))]

COORDINATOR = """
import sys
from seqlib.checks.verdict import Verdict
from seqlib.grading.jobs import Job
from seqlib.grading.store import Store

POINTS = {"step": 4, "loss": 6}

def job(name):
    return Job(assignment="a1", student=name, submission="5" * 64, checks="c" * 64)

def passed():
    return [Verdict(check=c, points=p, earned=p, status="passed", message="") for c, p in POINTS.items()]

def grade_all(store, me, now):
    while claims := store.claim(me, 1, 60, now=now):
        [claim] = store.heartbeat(claims, 60, now=now)
        student, progress = claim.job.student, claim.progress
        if student == "bob" and progress.faults == 0:
            store.fault(claim, "no sandbox")
        elif student == "eve" or (student == "cyd" and progress.lost == 0):
            store.fault(claim, "killed by signal 9", lost=True)
        else:
            store.finish(claim, passed())

def coordinate(path, me, now):
    with Store(path, b"k" * 32) as store:
        store.enqueue(map(job, ("ada", "bob", "cyd", "eve")), POINTS)
        if store.claim(me, 1, 60, now=now):
            store.release(me, now=now)
        grade_all(store, me, now)
        if all(standing.progress.run == 1 for standing in store.jobs()):
            store.regrade(job("ada"))
        grade_all(store, me, now)

if __name__ == "__main__":
    coordinate(sys.argv[1], "c1", 0)
"""


def killed_at(path: Path, order: str) -> int:
    """Run the coordinator, killed where the order says, and return its status."""
    env = os.environ | {"SEQLIB_KILL_AT": order}
    return subprocess.run([sys.executable, "-c", COORDINATOR, str(path)], env=env, check=False, timeout=60).returncode


def resume(path: Path) -> None:
    """Run another coordinator to its end, when the leases of the first are over."""
    code: dict[str, Any] = {"__name__": "coordinator"}
    exec(COORDINATOR, code)
    code["coordinate"](path, "c2", 100)


@pytest.mark.slow
@pytest.mark.parametrize(("transition", "moment", "count"), PASSINGS)
def test_killed_anywhere_then_resumed_every_job_has_one_record(tmp_path, transition, moment, count):
    """The coordinator is killed at one passing, another goes on after the lease: one whole record for each run."""
    path = tmp_path / "store.db"

    killed = killed_at(path, f"{transition}:{moment}:{count}")
    with Store(path, KEY) as store:
        between = store.verify()
    resume(path)

    assert killed == -signal.SIGKILL
    assert between % 2 == 0  # never half a record
    with Store(path, KEY) as store:
        standings = {standing.job.student: standing.progress for standing in store.jobs()}
        latest = store.latest("a1")
        runs = sum(progress.run for progress in standings.values())
        assert store.verify() == 2 * runs
    assert standings.keys() == latest.keys() == set(STUDENTS)
    assert all(progress.final for progress in standings.values())
    assert standings["ada"].run == 2
    assert standings["eve"].state is State.SET_ASIDE
    # A coordinator that dies is nobody's loss: only eve, who always loses her worker, is set aside.
    done = {name for name, progress in standings.items() if progress.state is State.DONE}
    assert done == {"ada", "bob", "cyd"}
    assert {name: latest[name].earned for name in done} == dict.fromkeys(done, 10)
    assert latest["eve"].earned == 0
