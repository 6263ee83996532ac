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
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from seqlib.grading.devices import VISIBLE, AbstractDevices, Loan, borrow
from seqlib.grading.runners.base import Outcome
from seqlib.grading.runners.cluster.trusted import Work
from seqlib.grading.submitted import Submitted

__all__ = ["Offer", "Order", "grade_in", "offer_seats", "presence", "presence_key"]

_DEATHS_BEFORE_READY = 3


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a run asks of every Dask worker.

    Attributes:
        run: The run's name.
        work: What seats work on.
        gpus: How many GPUs this Dask worker counts; 0: its seats use the CPU.
        devices: Where GPUs come from.
    """

    run: str
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
    """Start a run's seats on this Dask worker, without waiting until they are ready."""
    plugin = _Seats(order)
    notes = await asyncio.to_thread(plugin.take, dask_worker.state.nthreads)
    await dask_worker.plugin_add(plugin, _plugin_name(order.run), catch_errors=False)
    return Offer(seats={name: seat.device_name for name, seat in plugin.seats.items()}, notes=tuple(notes))


def presence(run: str) -> str:
    """A task whose result is held as long as the run's client is there; the plugin sees it go."""
    return run


def grade_in(run: str, name: str, submitted: Submitted) -> Outcome | str:
    """The task: grade in a seat. A string says why that seat can't be used any more."""
    plugin = get_worker().plugins.get(_plugin_name(run))
    if not isinstance(plugin, _Seats) or name not in plugin.seats:
        return Outcome(slot=name, lost=True)  # another process than the one that the seat was in
    return plugin.seats[name].grade(submitted)


def presence_key(run: str, address: str) -> str:
    """The name of a run's presence on a Dask worker."""
    return f"seqlib-presence-{run}-{address}"


def _plugin_name(run: str) -> str:
    return f"seqlib-{run}"


class _Seats(WorkerPlugin):
    """A run's seats on one Dask worker."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._worker: Any = None
        self.seats: dict[str, _Seat] = {}

    def take(self, threads: int) -> list[str]:
        """Make seats, as many as can work at once; blocks while GPUs are tried."""
        order, node = self._order, f"{platform.node()}-{os.getpid()}"
        if not order.gpus:
            self._add(_Seat(f"{node}/cpu:{number}", order, None) for number in range(threads))
            return []
        loans, notes = self._borrow(min(order.gpus, threads))
        self._add(_Seat(f"{node}/{loan.device.name}", order, loan) for loan in loans)
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

    def _add(self, seats: Iterable["_Seat"]) -> None:
        self.seats = {seat.name: seat for seat in seats}
        for seat in self.seats.values():
            seat.start()

    def setup(self, worker: DaskWorker) -> None:
        self._worker = worker

    def teardown(self, worker: DaskWorker) -> None:
        for seat in self.seats.values():
            seat.close()
        self.seats.clear()

    def transition(self, key: Any, start: str, finish: str, **details: Any) -> None:
        if start == "memory" and key == presence_key(self._order.run, self._worker.address):
            self._worker.loop.add_callback(self._worker.plugin_remove, _plugin_name(self._order.run))


class _Seat:
    """A trusted process and what it was lent; one that ends is replaced at the next submission."""

    def __init__(self, name: str, order: Order, loan: Loan | None) -> None:
        self.name = f"{name}/{secrets.token_hex(2)}"
        self.device_name = loan.device.name if loan else "cpu"
        self._order, self._loan = order, loan
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._ready = self._busy = self._closed = False
        self._died_early = 0

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
        self._link.send((work, self._order.devices, device))

    def grade(self, submitted: Submitted) -> Outcome | str:
        """Grade here; a string says why nothing can be graded here any more."""
        self._busy = True
        try:
            return self._told(submitted)
        finally:
            self._busy = False

    def close(self) -> None:
        """End it and give back the GPU."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
        if not self._busy:  # else the thread that listens to it sees that it ended
            self._end()
        if self._loan is not None:
            self._loan.close()

    def _told(self, submitted: Submitted) -> Outcome | str:
        if self._link is None and not self._closed:
            self.start()
        if self._link is None:
            return Outcome(slot=self.name, lost=True)
        try:
            if not self._ready:
                reason = self._link.recv()
                if reason:
                    return str(reason)
                self._ready, self._died_early = True, 0
            self._link.send(submitted)
            told = self._link.recv()
        except (OSError, EOFError):
            return self._lost()
        if isinstance(told, str):
            return told
        return Outcome(slot=self.name, graded=told.graded, fault=told.fault)

    def _lost(self) -> Outcome | str:
        self._died_early += not self._ready
        code = self._end()
        if self._died_early >= _DEATHS_BEFORE_READY:
            return f"workers end before they are ready (exit {code})"
        return Outcome(slot=self.name, lost=True)

    def _end(self) -> int | None:
        process, self._process = self._process, None
        link, self._link = self._link, None
        if process is not None:
            process.kill()
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
        if link is not None:
            with suppress(OSError):
                link.close()
        return process.returncode if process is not None else None
