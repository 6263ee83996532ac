"""The default runner: worker processes on this machine, and one warm parent for all of their sandboxes."""

import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.kit import load_kit
from seqlib.grading.limits import open_limits
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.deaths import memory_kills, was_killed
from seqlib.grading.runners.in_process import outcome_of
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import WarmParent
from seqlib.grading.scratch import Scratch, use
from seqlib.grading.states import at
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import Worker, WorkerSettings

__all__ = ["PoolRunner"]

_DEATHS_BEFORE_READY = 3
_GOODBYE_S = 5.0


@dataclass
class _Slot:
    process: SpawnProcess
    link: Connection
    busy: bool = False
    memory_kills: int | None = None
    ready: bool = False


class PoolRunner(AbstractRunner):
    """Worker processes; one that dies is replaced.

    Args:
        settings: What a worker needs to know.
        workers: How many.
    """

    def __init__(self, settings: WorkerSettings, workers: int) -> None:
        self._settings, self._count = settings, workers
        self._context = get_context("spawn")
        self._slots: dict[str, _Slot] = {}
        self._died_early = 0
        self._scratch: Scratch | None = None
        self._stack = ExitStack()
        self._parent: WarmParent | None = None

    def start(self) -> None:
        self._scratch = Scratch()  # workers may be killed, and can't remove what they have written
        if self._settings.isolation == "warm":
            self._parent = self._warm_parent(self._scratch.folder)
        for number in range(self._count):
            self._slots[str(number)] = self._started()

    def idle(self) -> Sequence[str]:
        return [name for name, slot in self._slots.items() if not slot.busy]

    def submit(self, slot: str, submitted: Submitted) -> None:
        place = self._slots[slot]
        place.busy, place.memory_kills = True, memory_kills()
        with suppress(OSError):  # it died idle: `wait` notices
            place.link.send(submitted)

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        links = {slot.link: name for name, slot in self._slots.items()}
        return [out for link in wait(list(links), timeout_s) if (out := self._heard(links[link])) is not None]  # type: ignore[index]

    def close(self) -> None:
        for slot in self._slots.values():
            slot.link.close()
        for slot in self._slots.values():
            if not slot.busy:
                slot.process.join(_GOODBYE_S)  # an idle worker ends by itself, and tidies up
            slot.process.kill()
            slot.process.join()
        self._slots.clear()
        self._stack.close()
        if self._scratch is not None:
            self._scratch.close()

    def _heard(self, name: str) -> Outcome | None:
        slot = self._slots[name]
        try:
            told = slot.link.recv()
        except (OSError, EOFError):
            return self._replace(name)
        if isinstance(told, str):
            if told:
                self.close()
                raise GradingError(f"a worker can't start: {told}.", "run: seqlib doctor")
            slot.ready, self._died_early = True, 0
            return None
        slot.busy = False
        return Outcome(slot=name, graded=told.graded, fault=told.fault)

    def _replace(self, name: str) -> Outcome | None:
        """A worker that is gone is replaced; what it was doing is lost."""
        old = self._slots[name]
        old.process.join(1)
        if not old.ready:
            self._died_early += 1
            if self._died_early >= _DEATHS_BEFORE_READY:
                code = old.process.exitcode
                self.close()
                raise GradingError(f"workers end before they are ready (exit {code}).", "run: seqlib doctor")
        old.link.close()
        self._slots[name] = self._started()
        killed = was_killed(old.process.exitcode, old.memory_kills)
        return Outcome(slot=name, lost=True, killed=killed) if old.busy else None

    def _started(self) -> _Slot:
        ours, theirs = self._context.Pipe()
        folder = str(self._scratch.folder) if self._scratch is not None else ""
        control = self._connection()
        process = self._context.Process(target=_serve, args=(theirs, self._settings, folder, control), daemon=True)
        process.start()
        theirs.close()
        if control is not None:
            control.close()
        return _Slot(process, ours)

    def _warm_parent(self, place: Path) -> WarmParent:
        """One for all workers: it only forks, and each of them puts its own forks under limits."""
        settings = self._settings
        kit = load_kit(settings.assignment, settings.root)
        image = self._stack.enter_context(Image(settings.root, kit.public, place))
        limits = open_limits()
        self._stack.callback(limits.close)
        parent = WarmParent(image, settings.box_limits, limits, settings.process_limits, settings.devices)
        self._stack.callback(parent.close)
        return parent

    def _connection(self) -> socket.socket | None:
        """A worker's way to the warm parent; None, and it starts its own, where there is none any more."""
        if self._parent is not None and self._parent.alive:
            with suppress(OSError):
                return self._parent.connect()
        return None


def _serve(link: Connection, settings: WorkerSettings, scratch: str, control: socket.socket | None) -> None:
    """A worker process: grades what comes until nobody sends any more."""
    use(scratch)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the coordinator's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = Worker(settings, control)
    except Exception as error:
        link.send(error.what if isinstance(error, GradingError) else f"{type(error).__name__}: {error}")
        return
    with worker:
        at("ready", "before")
        link.send("")
        while True:
            try:
                submitted = link.recv()
                at("grade", "before")
                outcome = outcome_of(worker, "", submitted)
                at("grade", "after")
                link.send(outcome)
            except (EOFError, OSError):
                return


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
