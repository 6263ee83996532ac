"""The jobs that one run holds: claimed a few ahead, kept alive while they run, and given back when the run ends."""

import time
from collections.abc import Collection, Iterable
from types import TracebackType

from seqlib.errors import StoreError
from seqlib.grading.store import Claim, Store
from seqlib.grading.submitted import Submitted

__all__ = ["Held"]

_LEASE_S = 60.0
_HEARTBEAT_S = 15.0
_CHOICE = 32
_MANY = 8  # claims are made ahead while more jobs than that wait for each slot: the last are for whoever comes first


class Held:
    """Claims of one run; use as a context manager.

    Args:
        store: Where the jobs are.
        owner: A name that nobody else has.
    """

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self._owner = store, owner
        self._spare: list[Claim] = []
        self._running: dict[str, tuple[Claim, Submitted]] = {}
        self._ending: list[Claim] = []
        self._beat = time.monotonic()

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A store that fails can't be told; the next run sees that this one has ended.
        if self._claims() and not isinstance(error, StoreError):
            self._store.release(self._owner, "its run was interrupted")

    def __bool__(self) -> bool:
        return bool(self._claims())

    def take(self, wanted: Collection[str]) -> Claim | None:
        """A job of those that are wanted; None where others hold all that is left."""
        if not self._spare:
            self._spare = self._claim(wanted, 1)
        return self._spare.pop(0) if self._spare else None

    def stock(self, wanted: Collection[str]) -> None:
        """Claim ahead while the slots work, so that none of them waits for the disk."""
        slots = len(self._running)
        if len(self._spare) < slots and len(wanted) > _MANY * slots:
            self._spare += self._claim(wanted, 2 * slots - len(self._spare))

    def run(self, slot: str, claim: Claim, submitted: Submitted) -> None:
        """Note that a slot works on a job."""
        self._running[slot] = claim, submitted

    def ended(self, slots: Iterable[str]) -> dict[str, tuple[Claim, Submitted]]:
        """The jobs of slots that have ended; each is held until it is closed. A slot may end work of an earlier run."""
        found = {slot: self._running.pop(slot) for slot in slots if slot in self._running}
        self._ending += [claim for claim, _ in found.values()]
        return found

    def closed(self, claim: Claim) -> None:
        """Note that a job is written: it is not held any more."""
        self._ending.remove(claim)

    def beat(self) -> None:
        """Prolong the claims now and then."""
        if time.monotonic() - self._beat > _HEARTBEAT_S:
            self._beat = time.monotonic()
            self._store.heartbeat(self._claims(), _LEASE_S)

    def _claim(self, wanted: Collection[str], count: int) -> list[Claim]:
        self.beat()  # after a long sleep of the machine, before anybody takes what is ours
        mine = {claim.job.digest for claim in self._claims()}
        free = [digest for digest in wanted if digest not in mine]
        for choice in (free[:_CHOICE], free[_CHOICE:]):
            claims = self._store.claim(self._owner, count, _LEASE_S, only=choice) if choice else []
            if claims:
                return claims
        return []

    def _claims(self) -> list[Claim]:
        return [*self._spare, *(claim for claim, _ in self._running.values()), *self._ending]
