"""What runs in Dask's worker processes: seats, each a trusted process and, for jobs on a GPU, one GPU of its own.

A Dask worker that ends takes its seats with it; a client that ends closes its seats on all workers.
"""

import asyncio
import os
import platform
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from seqlib.grading.devices import VISIBLE, AbstractDevices, Loan, borrow
from seqlib.grading.runners.base import Outcome
from seqlib.grading.runners.cluster.trusted import Work
from seqlib.grading.runners.deaths import memory_kills, was_killed
from seqlib.grading.scratch import Scratch
from seqlib.grading.submitted import Submitted

__all__ = ["Offer", "Order", "grade_in", "offer_seats", "presence"]

_DEATHS_BEFORE_READY = 3
_GOODBYE_S = 1.0
_LAST_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run asks of every Dask worker.

    Attributes:
        run: The run's name.
        presence: The task whose result is held as long as the run wants this worker.
        work: What seats work on.
        gpus: How many GPUs this Dask worker counts; 0: its seats use the CPU.
        devices: Where GPUs come from.
    """

    run: str
    presence: str
    work: Work
    gpus: int
    devices: AbstractDevices


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a Dask worker can do.

    Attributes:
        seats: The device of each seat, by the seat's name.
        notes: What whoever grades should know.
    """

    seats: dict[str, str]
    notes: tuple[str, ...] = ()


async def offer_seats(order: Order, dask_worker: DaskWorker) -> Offer:
    """Start a run's seats on this Dask worker; those that can't grade are told, and not offered."""
    plugin = _Seats(order)
    await dask_worker.plugin_add(plugin, _plugin_name(order.run), catch_errors=False)
    notes = await asyncio.to_thread(plugin.take, dask_worker.state.nthreads)
    seats = list(plugin.seats.values())
    refusals = await asyncio.gather(*(asyncio.to_thread(seat.wait_until_ready) for seat in seats))
    for seat, reason in zip(seats, refusals, strict=True):
        if reason:
            plugin.seats.pop(seat.name, None)
            seat.close()
    notes += sorted({reason for reason in refusals if reason})
    return Offer(seats={name: seat.device_name for name, seat in plugin.seats.items()}, notes=tuple(notes))


def presence(run: str) -> str:
    """The task of that name; the plugin sees its result go when the client lets go of it, or ends."""
    return run


def grade_in(run: str, name: str, submitted: Submitted) -> Outcome | str:
    """The task: grade in a seat. A string says why that seat can't be used any more."""
    plugin = get_worker().plugins.get(_plugin_name(run))
    if not isinstance(plugin, _Seats) or name not in plugin.seats:
        raise LookupError(f"no seat {name} is here")  # another process than the one that it was in
    return plugin.seats[name].grade(submitted)


def _plugin_name(run: str) -> str:
    return f"seqlib-{run}"


class _Seats(WorkerPlugin):
    """A run's seats on one Dask worker."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._worker: Any = None
        self._scratch = Scratch()  # seats may be killed, and can't remove what they have written
        self.seats: dict[str, _Seat] = {}

    def take(self, threads: int) -> list[str]:
        """Make seats, as many as can work at once; blocks while GPUs are tried."""
        order, node = self._order, f"{platform.node()}-{os.getpid()}"
        if not order.gpus:
            self._add({f"{node}/cpu:{number}": None for number in range(threads)})
            return []
        loans, notes = self._borrow(min(order.gpus, threads))
        self._add({f"{node}/{loan.device.name}": loan for loan in loans})
        if not loans and not notes:
            notes.append(f"{platform.node()} counts {order.gpus} GPUs, and none of them is free")
        return notes

    def _borrow(self, count: int) -> tuple[list[Loan], list[str]]:
        """GPUs that are free and work, and what is wrong with others."""
        devices = self._order.devices
        loans: list[Loan] = []
        notes = []
        for device in devices.all():
            for loan in borrow([device], count - len(loans)):
                broken = devices.probe(device)
                if broken:
                    loan.close()
                    notes.append(f"{platform.node()}: {broken}")
                else:
                    loans.append(loan)
        return loans, notes

    def _add(self, loans: Mapping[str, Loan | None]) -> None:
        for name, loan in loans.items():
            seat = _Seat(name, self._order, loan, str(self._scratch.folder))
            seat.start()
            self.seats[seat.name] = seat

    def setup(self, worker: DaskWorker) -> None:
        self._worker = worker

    def teardown(self, worker: DaskWorker) -> None:
        seats, self.seats = self.seats, {}
        for seat in seats.values():
            seat.close()
        self._scratch.close()

    def transition(self, key: Any, start: str, finish: str, **details: Any) -> None:
        name = _plugin_name(self._order.run)
        if start == "memory" and key == self._order.presence and self._worker.plugins.get(name) is self:
            self._worker.loop.add_callback(self._worker.plugin_remove, name)


class _Seat:
    """A trusted process and what it was lent; one that ends is replaced at the next submission."""

    def __init__(self, name: str, order: Order, loan: Loan | None, scratch: str) -> None:
        self.name = f"{name}/{secrets.token_hex(2)}"
        self.device_name = loan.device.name if loan else "cpu"
        self._order, self._loan, self._scratch = order, loan, scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._ready = self._busy = self._closed = False

    def start(self) -> None:
        """Start the process; it gets ready while others do other things."""
        device = self._loan.device if self._loan else None
        work = self._order.work
        if device is not None:
            work = replace(work, settings=replace(work.settings, devices=device.nodes))
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "seqlib.grading.runners.cluster.trusted", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env=os.environ | {VISIBLE: device.visible if device else "", "OMP_NUM_THREADS": "1"},
            )
        self._link = Connection(ours.detach())
        self._ready = False
        self._link.send((work, self._order.devices, device, self._scratch))

    def wait_until_ready(self) -> str:
        """Wait until it can grade; a string says why it can't."""
        with self._working():
            return self._get_ready()

    def grade(self, submitted: Submitted) -> Outcome | str:
        """Grade here; a string says why nothing can be graded here any more."""
        with self._working():
            reason, link, before = self._get_ready(), self._link, memory_kills()
            if reason:
                return reason
            try:
                if link is None:
                    raise EOFError("this seat is closed")
                link.send(submitted)
                told = link.recv()
            except (OSError, EOFError):
                return Outcome(slot=self.name, lost=True, killed=was_killed(self._end(_LAST_S), before))
        return told if isinstance(told, str) else replace(told, slot=self.name)

    def close(self) -> None:
        """End it and give back the GPU."""
        self._closed = True
        process = self._process
        if self._busy and process is not None:
            process.kill()  # the thread that listens to it sees that it ended
            process.wait()
        else:
            self._end(_GOODBYE_S)
        if self._loan is not None:
            self._loan.close()

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _get_ready(self) -> str:
        deaths = 0
        while not self._ready and not self._closed:
            try:
                if self._link is None:
                    self.start()
                reason = str(self._link.recv()) if self._link is not None else ""
            except (OSError, EOFError):
                deaths += 1
                code = self._end()
                if deaths >= _DEATHS_BEFORE_READY:
                    return f"workers end before they are ready (exit {code})"
            else:
                self._ready = not reason
                if reason:
                    return reason
        return ""

    def _end(self, patience_s: float | int = 0) -> int | None:
        self._ready = False
        process, self._process = self._process, None
        link, self._link = self._link, None
        if link is not None:
            with suppress(OSError):
                link.close()  # an idle one ends by itself now, and tidies up
        if process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
        process.kill()
        if process.stdin is not None:
            process.stdin.close()
        return process.wait()
