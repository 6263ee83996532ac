"""The states of a job: a table of what may happen, and a pure function that applies it.

Nothing here reads a clock, a file or a database; `seqlib.grading.store` writes what `step` says.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from seqlib.errors import GradingError

__all__ = [
    "MOST_ATTEMPTS",
    "MOST_FAULTS",
    "MOST_LOST",
    "TRANSITIONS",
    "Event",
    "Kind",
    "Progress",
    "State",
    "at",
    "killer",
    "step",
]

MOST_FAULTS = 3
MOST_LOST = 2
MOST_ATTEMPTS = 10  # only what is given back without a fault or a loss comes so far


class State(StrEnum):
    """Where a job is."""

    ABSENT = "absent"
    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    SET_ASIDE = "set aside"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """What may happen to a job; these are also the names of the transitions that a test can kill at."""

    ENQUEUE = "enqueue"
    CLAIM = "claim"
    HEARTBEAT = "heartbeat"
    FINISH = "finish"
    FAULT = "fault"
    LOST = "lost"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    REGRADE = "regrade"


# Of two states the second is taken once the limit of such events is reached.
TRANSITIONS: dict[State, dict[Kind, tuple[State, ...]]] = {
    State.ABSENT: {Kind.ENQUEUE: (State.QUEUED,)},
    State.QUEUED: {
        Kind.ENQUEUE: (State.QUEUED,),  # the same work asked for twice is one job
        Kind.CLAIM: (State.CLAIMED,),
        Kind.WITHDRAW: (State.WITHDRAWN,),  # newer work, checks or software are asked for by now
    },
    State.CLAIMED: {
        Kind.ENQUEUE: (State.CLAIMED,),
        Kind.HEARTBEAT: (State.CLAIMED,),
        Kind.FINISH: (State.DONE,),
        Kind.FAULT: (State.QUEUED, State.SET_ASIDE),  # our side failed, not the student: try again
        Kind.LOST: (State.QUEUED, State.SET_ASIDE),  # a job that ends its workers must not end them all
        Kind.RELEASE: (State.QUEUED, State.SET_ASIDE),  # the whole run ended: not this job's doing, as far as we know
    },
    State.WITHDRAWN: {Kind.ENQUEUE: (State.QUEUED,)},
    State.DONE: {Kind.ENQUEUE: (State.DONE,), Kind.REGRADE: (State.QUEUED,)},
    State.SET_ASIDE: {Kind.ENQUEUE: (State.SET_ASIDE,), Kind.REGRADE: (State.QUEUED,)},
}
FINAL = tuple(state for state, events in TRANSITIONS.items() if Kind.REGRADE in events)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a job.

    Attributes:
        kind: What.
        owner: Who claims, holds or held it; for a release empty where only the lease shows it.
        lease_s: How long a claim or a heartbeat is good for.
        reason: Of a fault, a loss or a release.
    """

    kind: Kind
    owner: str = ""
    lease_s: float | int = 0.0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one run of a job has come.

    Attributes:
        state: Where it is.
        run: Counts gradings of the same job from 1.
        version: Counts changes of state; a write that knows another version than the store's is refused.
        attempts: How often it was claimed.
        faults: How often our side failed.
        lost: How often its worker vanished.
        owner: Who has it, or had it last.
        lease_end: When the claim ends, in seconds since 1970.
        reason: Of the last fault, loss or release.
    """

    state: State = State.ABSENT
    run: int = 1
    version: int = 0
    attempts: int = 0
    faults: int = 0
    lost: int = 0
    owner: str = ""
    lease_end: float | int = 0.0
    reason: str = ""

    @property
    def final(self) -> bool:
        """Whether this run has its verdicts."""
        return self.state in FINAL


def step(progress: Progress, event: Event, now: float | int) -> Progress:
    """What a job's progress is after an event.

    Args:
        progress: Before; it is not changed.
        event: What happened.
        now: When, in seconds since 1970.

    Raises:
        GradingError: The table has no such event in this state, it comes from somebody who does not hold the job,
            or the lease that is said to be over is not.

    >>> queued = step(Progress(), Event(kind=Kind.ENQUEUE), now=0)
    >>> claimed = step(queued, Event(kind=Kind.CLAIM, owner="w1", lease_s=60), now=10)
    >>> claimed.state, claimed.lease_end
    (<State.CLAIMED: 'claimed'>, 70)
    >>> step(claimed, Event(kind=Kind.FINISH, owner="w1"), now=20).state
    <State.DONE: 'done'>
    """
    targets = TRANSITIONS[progress.state].get(event.kind)
    if targets is None:
        may = ", ".join(TRANSITIONS[progress.state])
        raise GradingError(f"a job that is {progress.state} can't take the event {event.kind}.", f"it may: {may}.")
    return _APPLY[event.kind](progress, event, now, targets)


_Targets = tuple[State, ...]


def _enqueue(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    return replace(progress, state=targets[0], version=progress.version + (progress.state is not targets[0]))


def _claim(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    if not event.owner:
        raise GradingError("a claim names nobody.", "give the owner a name that no other worker has.")
    return replace(
        _changed(progress, targets[0]),
        attempts=progress.attempts + 1,
        owner=event.owner,
        lease_end=now + event.lease_s,
    )


def _heartbeat(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    _require_owner(progress, event)
    # No change of state, so no new version: a claim stays good while its heart beats.
    return replace(progress, lease_end=max(progress.lease_end, now + event.lease_s))


def _finish(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    _require_owner(progress, event)
    return _changed(progress, targets[0])


def _fault(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    _require_owner(progress, event)
    faults = progress.faults + 1
    return replace(_changed(progress, targets[faults >= MOST_FAULTS]), faults=faults, reason=event.reason)


def _lost(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    _require_owner(progress, event)
    lost = progress.lost + 1
    reason = event.reason or f"worker {progress.owner} vanished"
    return replace(_changed(progress, targets[lost >= MOST_LOST]), lost=lost, reason=reason)


def _release(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    if event.owner:
        _require_owner(progress, event)
    elif now < progress.lease_end:
        left = progress.lease_end - now
        raise GradingError(f"the lease of {progress.owner} runs for another {left:.0f} s.", "wait for its end.")
    reason = event.reason or f"{progress.owner} gave it back"
    return replace(_changed(progress, targets[progress.attempts >= MOST_ATTEMPTS]), reason=reason)


def _withdraw(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    return replace(_changed(progress, targets[0]), reason=event.reason)


def _regrade(progress: Progress, event: Event, now: float | int, targets: _Targets) -> Progress:
    return Progress(state=targets[0], run=progress.run + 1, version=1)


_APPLY: dict[Kind, Callable[[Progress, Event, float | int, _Targets], Progress]] = {
    Kind.ENQUEUE: _enqueue,
    Kind.CLAIM: _claim,
    Kind.HEARTBEAT: _heartbeat,
    Kind.FINISH: _finish,
    Kind.FAULT: _fault,
    Kind.LOST: _lost,
    Kind.RELEASE: _release,
    Kind.WITHDRAW: _withdraw,
    Kind.REGRADE: _regrade,
}


def _changed(progress: Progress, state: State) -> Progress:
    return replace(progress, state=state, version=progress.version + 1)


def _require_owner(progress: Progress, event: Event) -> None:
    if event.owner != progress.owner:
        raise GradingError(
            f"{event.owner or 'nobody'} does not hold this job: {progress.owner} does.", "claim it first."
        )


def killer(order: str) -> Callable[[str, str], None]:
    """What ends this process by SIGKILL at one passing of one transition; only tests ask for it.

    Args:
        order: `NAME:MOMENT:COUNT`, where the moment is `before` the write, `within` it (all is said to the database
            and nothing is committed) or `after` it, and the count is 1 for the first passing.
            With `:FILE` at its end, only whoever can make that file is killed: one of all processes.

    Raises:
        GradingError: The order is none.
    """
    name, _, rest = order.partition(":")
    moment, _, rest = rest.partition(":")
    number, _, latch = rest.partition(":")
    if not name or moment not in ("before", "within", "after") or not number.isdecimal() or int(number) < 1:
        raise GradingError(
            f"SEQLIB_KILL_AT is {order!r}.", "it is for tests: unset it, or give NAME:before|within|after:COUNT[:FILE]."
        )
    left = int(number)

    def passing(transition: str, when: str) -> None:
        nonlocal left
        if (transition, when) == (name, moment):
            left -= 1
            if left == 0 and (not latch or _is_first(latch)):
                os.kill(os.getpid(), signal.SIGKILL)

    return passing


def _is_first(latch: str) -> bool:
    try:
        os.close(os.open(latch, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _pass_by(transition: str, when: str) -> None:
    """Outside tests a transition is just passed."""


at: Callable[[str, str], None] = killer(os.environ["SEQLIB_KILL_AT"]) if "SEQLIB_KILL_AT" in os.environ else _pass_by
