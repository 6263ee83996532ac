"""The runner for everything larger than a laptop: seats on Dask workers, wherever those are."""

import asyncio
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import Client, Future

from seqlib.errors import GradingError
from seqlib.grading.devices import AbstractDevices, NvidiaDevices
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.cluster.seats import Offer, Order, grade_in, offer_seats, presence
from seqlib.grading.runners.cluster.sources import GPU, AbstractSource
from seqlib.grading.runners.cluster.trusted import Work, make_work
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import WorkerSettings

__all__ = ["DaskRunner"]

_LOOK_S = 0.5
_LOOK_FIRST_S = 0.1
_SILENCE_S = 60.0
_NOBODY_S = 2.0
_NOBODY_LEFT_S = 30.0  # the source replaces what it has lost
_GRACE_S = 5.0  # others may be on their way


@dataclass
class _Seat:
    """A place for one submission; its name is its slot's."""

    address: str
    device: str
    job: Future | None = None


@dataclass
class _Place:
    """A Dask worker that was seen."""

    gpus: int
    presence: Future | None = None


class DaskRunner(AbstractRunner):
    """Grades in seats on Dask workers.

    Dask never runs a job twice of its own: a worker that is lost is reported, and the store decides.
    Nothing that can block waits in the coordinator's thread: what others find comes through one queue.

    Args:
        settings: What a worker needs to know.
        source: Where Dask workers come from.
        device: `cuda` for jobs that want a GPU; where no worker counts one, they run on the CPU, and `say` is told.
        devices: Where GPUs come from. None: NVIDIA's, as the nodes have them.
        key_file: The course key's place on the nodes. None: it travels with the settings.
        say: Gets one line for each thing that whoever grades should know.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        source: AbstractSource,
        *,
        device: str = "cpu",
        devices: AbstractDevices | None = None,
        key_file: Path | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._settings, self._source, self._key_file = settings, source, key_file
        self._device, self._devices, self._say = device, devices or NvidiaDevices(), say
        self._run = secrets.token_hex(8)
        self._places: dict[str, _Place] = {}
        self._seats: dict[str, _Seat] = {}
        self._heard: queue.SimpleQueue[Callable[[], Outcome | None]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._client: Client | None = None
        self._work: Work | None = None
        self._seen = self._seated = time.monotonic()
        self._refusals: dict[str, str] = {}
        self._refused_at = 0.0

    def start(self) -> None:
        self._work = make_work(self._settings, self._key_file)
        self._client = self._source.open()
        self._seen = self._seated = time.monotonic()
        threading.Thread(target=self._watch, args=(self._client,), daemon=True).start()

    def idle(self) -> Sequence[str]:
        return [name for name, seat in self._seats.items() if seat.job is None]

    def submit(self, slot: str, submitted: Submitted) -> None:
        assert self._client is not None
        seat = self._seats[slot]
        seat.job = self._client.submit(
            grade_in,
            self._run,
            slot,
            submitted,
            key=f"seqlib-grade-{self._run}-{secrets.token_hex(8)}",
            workers=[seat.address],
            allow_other_workers=False,
            resources={GPU: 1} if seat.device != "cpu" else None,
            retries=0,
            pure=False,
        )
        threading.Thread(target=self._follow, args=(slot, seat.job), daemon=True).start()

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + timeout_s
        while True:
            left = 0 if outcomes else deadline - time.monotonic()
            try:
                event = self._heard.get(timeout=max(left, 0)) if left > 0 else self._heard.get_nowait()
            except queue.Empty:
                self._require_workers()
                return outcomes
            outcome = event()
            if outcome is not None:
                outcomes.append(outcome)

    def close(self) -> None:
        self._stop.set()
        self._seats.clear()
        self._places.clear()
        client, self._client = self._client, None
        try:
            if client is not None:
                client.close()  # the workers see our presence go, and end our seats
        finally:
            self._source.close()

    # In threads of their own: they only put into the queue.

    def _watch(self, client: Client) -> None:
        """Look which workers are there."""
        asked, patience_s = time.monotonic(), _NOBODY_S
        while not self._stop.wait(_LOOK_S if self._places else _LOOK_FIRST_S):
            try:
                workers = client.scheduler_info(n_workers=-1)["workers"]
            except Exception:
                continue  # silence is noticed in the coordinator's thread
            if workers:
                asked, patience_s = time.monotonic(), _NOBODY_LEFT_S
            elif time.monotonic() - asked > patience_s and not self._stop.is_set():
                asked = time.monotonic()
                if fault := self._source.fault():
                    self._heard.put(lambda fault=fault: _fail(f"{self._source.where}: {fault}."))  # type: ignore[misc]
                    return
            self._heard.put(lambda workers=workers: self._look(workers))  # type: ignore[misc]

    def _follow(self, slot: str, job: Future) -> None:
        """Wait for a job."""
        told: Any
        try:
            told = job.result()
        except (Exception, asyncio.CancelledError) as error:
            told = error
        self._heard.put(lambda: self._ended(slot, job, told))

    def _ask(self, client: Client, address: str, place: _Place, order: Order) -> None:
        """Have a worker make seats."""
        told: Any
        held = None
        try:
            held = client.submit(presence, self._run, key=order.presence, workers=[address], pure=False, retries=0)
            told = client.run(offer_seats, order, workers=[address], on_error="return").get(address)
        except (Exception, asyncio.CancelledError) as error:
            told = error
        self._heard.put(lambda: self._answered(address, place, held, told))

    # In the coordinator's thread: what was heard.

    def _look(self, there: dict[str, Any]) -> None:
        self._seen = time.monotonic()
        for address in self._places.keys() - there.keys():
            self._forget(address)
        for address, facts in there.items():
            if address not in self._places and facts["status"] == "running":
                gpus = int(facts["resources"].get(GPU, 0)) if self._device == "cuda" else 0
                place = self._places[address] = _Place(gpus)
                assert self._work is not None
                token = f"seqlib-presence-{self._run}-{secrets.token_hex(8)}"
                order = Order(run=self._run, presence=token, work=self._work, gpus=gpus, devices=self._devices)
                threading.Thread(target=self._ask, args=(self._client, address, place, order), daemon=True).start()

    def _answered(self, address: str, place: _Place, held: Future | None, told: Any) -> None:
        if self._places.get(address) is not place:
            return  # it was gone meanwhile, and is asked again if it came back
        if not isinstance(told, Offer):
            self._refused(address, f"{type(told).__name__}: {told}")
            return
        place.presence = held
        for name, device in told.seats.items():
            self._seats[name] = _Seat(address, device)
        for note in told.notes:
            self._say(note)
        if not told.seats:
            self._refused(address, told.notes[0] if told.notes else "it has no thread")
        elif self._device == "cuda" and not place.gpus:
            self._say(f"{address} counts no {GPU}: its jobs run on the CPU")

    def _ended(self, slot: str, job: Future, told: Any) -> Outcome | None:
        seat = self._seats.get(slot)
        if seat is None or seat.job is not job:
            return None
        seat.job = None
        if isinstance(told, str):
            del self._seats[slot]
            self._refused(seat.address, told)
            return Outcome(slot=slot, fault=told)
        if isinstance(told, Outcome):
            return replace(told, slot=slot)
        self._forget(seat.address)  # if it is there after all, it is asked again
        return Outcome(slot=slot, lost=True)

    def _forget(self, address: str) -> None:
        """A worker is gone, and its seats with it; what they were doing is lost."""
        self._places.pop(address, None)
        self._refusals.pop(address, None)
        for name in [name for name, seat in self._seats.items() if seat.address == address]:
            seat = self._seats.pop(name)
            if seat.job is not None:
                seat.job.cancel()
                self._heard.put(lambda name=name: Outcome(slot=name, lost=True))  # type: ignore[misc]

    def _refused(self, address: str, reason: str) -> None:
        self._refusals[address], self._refused_at = reason, time.monotonic()
        self._say(f"{address} can't grade: {reason}")

    def _require_workers(self) -> None:
        now = time.monotonic()
        if self._seats:
            self._seated = now
        if now - self._seen > _SILENCE_S:
            raise GradingError(
                f"{self._source.where} does not answer any more.", "run the same again: what is graded is kept."
            )
        refused = bool(self._places) and self._refusals.keys() >= self._places.keys()
        if not self._seats and refused and now - self._refused_at > _GRACE_S:
            reason = next(iter(self._refusals.values()))
            raise GradingError(
                f"no worker of {self._source.where} can grade: {reason.rstrip('.')}.", "run: seqlib doctor there"
            )
        if now - self._seated > self._source.wait_s:
            raise GradingError(
                f"no worker came to {self._source.where} within {self._source.wait_s:g} s.",
                "start workers, or ask for what the cluster has; what is graded is kept.",
            )


def _fail(what: str) -> None:
    raise GradingError(what, "mend that, then run the same again: what is graded is kept.")
