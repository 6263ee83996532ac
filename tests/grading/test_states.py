"""The table of transitions and its step: every state is reached, every path can end, and nothing else happens."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlib.errors import GradingError
from seqlib.grading.states import (
    MOST_ATTEMPTS,
    MOST_FAULTS,
    MOST_LOST,
    TRANSITIONS,
    Event,
    Kind,
    Progress,
    State,
    killer,
    step,
)

OWNERS = ("w1", "w2")
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(Kind),
    owner=st.sampled_from(("", *OWNERS)),
    lease_s=st.integers(1, 20),
    reason=st.sampled_from(("", "no sandbox")),
)


def after(*kinds: Kind, owner: str = "w1") -> Progress:
    """What some events in a row lead to."""
    progress = Progress()
    for kind in kinds:
        progress = step(progress, Event(kind=kind, owner=owner, lease_s=60), 0)
    return progress


def reachable(state: State) -> set[State]:
    """All states that some path leads to."""
    found, edge = {state}, [state]
    while edge:
        new = {target for targets in TRANSITIONS[edge.pop()].values() for target in targets} - found
        found |= new
        edge += new
    return found


def test_every_state_is_reached_and_can_end():
    """From the start every state is reached, and from every state some path ends in verdicts."""
    assert reachable(State.ABSENT) == set(State)
    assert all({State.DONE, State.SET_ASIDE} <= reachable(state) for state in State)
    assert not Progress(state=State.WITHDRAWN).final


def test_an_end_is_an_end():
    """What has verdicts takes nothing but a new run, which starts from nothing."""
    for state in (State.DONE, State.SET_ASIDE):
        assert TRANSITIONS[state].keys() == {Kind.ENQUEUE, Kind.REGRADE}
        over = Progress(state=state, run=3, version=9, attempts=4, faults=2, lost=1, owner="w1", reason="x")
        assert step(over, Event(kind=Kind.REGRADE), 0) == Progress(state=State.QUEUED, run=4, version=1)


@pytest.mark.parametrize(
    ("kind", "most"), [(Kind.FAULT, MOST_FAULTS), (Kind.LOST, MOST_LOST), (Kind.RELEASE, MOST_ATTEMPTS)]
)
def test_attempts_are_bounded(kind, most):
    """A job that our side fails on goes back to the queue until the limit, and is then set aside."""
    before = after(Kind.ENQUEUE, *[Kind.CLAIM, kind] * (most - 1))
    at_last = after(Kind.ENQUEUE, *[Kind.CLAIM, kind] * most)

    assert (before.state, at_last.state) == (State.QUEUED, State.SET_ASIDE)
    assert at_last.attempts == most


def test_a_lease_that_runs_is_not_released():
    """Only a lease that is over, or its owner by name, gives a job back, and that counts neither fault nor loss."""
    claimed = after(Kind.ENQUEUE, Kind.CLAIM)

    with pytest.raises(GradingError, match=r"the lease of w1 runs for another 1 s\.\nHint: wait for its end\."):
        step(claimed, Event(kind=Kind.RELEASE), 59)
    for released in (
        step(claimed, Event(kind=Kind.RELEASE), 60),
        step(claimed, Event(kind=Kind.RELEASE, owner="w1"), 1),
    ):
        assert (released.state, released.faults, released.lost) == (State.QUEUED, 0, 0)
        assert released.reason == "w1 gave it back"


def test_a_loss_is_told_by_name():
    """A worker is lost only under a living owner, who says so."""
    claimed = after(Kind.ENQUEUE, Kind.CLAIM)

    with pytest.raises(GradingError, match="nobody does not hold this job: w1 does"):
        step(claimed, Event(kind=Kind.LOST), 1000)
    assert step(claimed, Event(kind=Kind.LOST, owner="w1"), 1).reason == "worker w1 vanished"


def test_what_is_withdrawn_waits_for_nobody_until_it_is_asked_for():
    """A withdrawn job can't be claimed or regraded; asked for once more it waits in the same run."""
    withdrawn = after(Kind.ENQUEUE, Kind.CLAIM, Kind.RELEASE, Kind.WITHDRAW)

    for kind in (Kind.CLAIM, Kind.REGRADE, Kind.WITHDRAW):
        with pytest.raises(GradingError, match="a job that is withdrawn can't take the event"):
            step(withdrawn, Event(kind=kind, owner="w1"), 0)
    asked = step(withdrawn, Event(kind=Kind.ENQUEUE), 0)
    assert (asked.state, asked.run, asked.attempts) == (State.QUEUED, 1, 1)


def test_an_event_that_the_table_has_not_is_refused():
    """The error names state and event, and what may happen instead."""
    with pytest.raises(GradingError) as refused:
        step(after(Kind.ENQUEUE), Event(kind=Kind.FINISH, owner="w1"), 0)

    assert str(refused.value) == (
        "a job that is queued can't take the event finish.\nHint: it may: enqueue, claim, withdraw."
    )


def test_another_owner_changes_nothing():
    """Finish, fault and heartbeat come from whoever holds the job."""
    claimed = after(Kind.ENQUEUE, Kind.CLAIM)

    for kind in (Kind.FINISH, Kind.FAULT, Kind.HEARTBEAT, Kind.LOST, Kind.RELEASE):
        with pytest.raises(GradingError, match="w2 does not hold this job: w1 does"):
            step(claimed, Event(kind=kind, owner="w2"), 0)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 5)), max_size=40))
def test_any_history_keeps_its_counts(history):
    """Whatever happens in whatever order: counts add up, bounds hold, versions rise, and refusals change nothing."""
    progress, now, released = Progress(), 0, 0
    for event, passed in history:
        now += passed
        before = replace(progress)
        try:
            progress = step(progress, event, now)
        except GradingError:
            assert progress == before
            continue
        allowed = TRANSITIONS[before.state][event.kind]
        assert progress.state in allowed
        if progress.run == before.run:
            still = event.kind is Kind.HEARTBEAT or (event.kind is Kind.ENQUEUE and before.state is progress.state)
            assert progress.version - before.version == (not still)
        released = 0 if event.kind is Kind.REGRADE else released + (event.kind is Kind.RELEASE)
        ended = progress.faults + progress.lost + released + (progress.state in (State.DONE, State.CLAIMED))
        assert progress.attempts == ended
        assert progress.faults <= MOST_FAULTS
        assert progress.lost <= MOST_LOST
        stopped = progress.faults == MOST_FAULTS or progress.lost == MOST_LOST
        stopped |= event.kind is Kind.RELEASE and progress.attempts >= MOST_ATTEMPTS
        stopped |= before.state is progress.state is State.SET_ASIDE
        assert stopped == (progress.state is State.SET_ASIDE)


@pytest.mark.parametrize("order", ["", "finish", "finish:soon:1", "finish:after:0", ":after:1", "finish:after:x"])
def test_a_kill_order_that_is_none_is_refused(order):
    """A variable that is set by mistake is named, and kills nobody."""
    with pytest.raises(GradingError, match="SEQLIB_KILL_AT is"):
        killer(order)


def test_a_kill_order_ends_the_process_at_the_passing_that_it_counts(tmp_path):
    """The second passing of the one moment ends the process, others do not; with a file, one process; unset, none."""
    code = "from seqlib.grading import states\nfor k in range(3):\n    states.at('x', 'before'); print(k, flush=True)"

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **more}
        return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)

    killed, other, unset = run(SEQLIB_KILL_AT="x:before:2"), run(SEQLIB_KILL_AT="x:after:1"), run()

    first, second = (run(SEQLIB_KILL_AT=f"x:before:1:{tmp_path}/latch") for _ in range(2))

    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "0\n")
    assert (first.returncode, second.returncode) == (-signal.SIGKILL, 0)
    assert (other.returncode, unset.returncode) == (0, 0)
