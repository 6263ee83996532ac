"""The default runner: worker processes on this machine, and one warm parent for all of their sandboxes."""

import os
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.kit import load_kit
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.deaths import memory_kills, was_killed
from seqlib.grading.runners.forks import Fork, Template
from seqlib.grading.runners.in_process import outcome_of
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import WarmParent
from seqlib.grading.scratch import Scratch, use
from seqlib.grading.states import at
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import Worker, WorkerSettings

__all__ = ["PoolRunner"]

_PRELOADED = "seqlib.grading.runners.preloaded"
_DEATHS_BEFORE_READY = 3
_GOODBYE_S = 5.0
_LAST_BREATH_S = 1.0


@dataclass
class _Slot:
    process: Fork
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
        self._slots: dict[str, _Slot] = {}
        self._died_early = 0
        self._scratch: Scratch | None = None
        self._stack = ExitStack()
        self._parent: WarmParent | None = None
        self._template: Template | None = None

    def start(self) -> None:
        self._scratch = Scratch()  # workers may be killed, and can't remove what they have written
        if self._settings.isolation == "warm":
            self._parent = self._warm_parent(self._scratch.folder)
        self._template = Template(_PRELOADED)

    def idle(self) -> Sequence[str]:
        for number in range(len(self._slots), self._count):  # only now, since the first one waits for imports
            self._slots[str(number)] = self._started()
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
            slot.process.end(0.0 if slot.busy else _GOODBYE_S)  # an idle worker ends by itself, and tidies up
        self._slots.clear()
        if self._template is not None:
            self._template.close()
            self._template = None
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
                raise GradingError(f"a worker can't start: {told.rstrip('.')}.", "run: seqlib doctor")
            slot.ready, self._died_early = True, 0
            return None
        slot.busy = False
        return Outcome(slot=name, graded=told.graded, fault=told.fault)

    def _replace(self, name: str) -> Outcome | None:
        """A worker that is gone is replaced; what it was doing is lost."""
        old = self._slots[name]
        code = old.process.end(_LAST_BREATH_S)
        if not old.ready:
            self._died_early += 1
            if self._died_early >= _DEATHS_BEFORE_READY:
                self.close()
                raise GradingError(f"workers end before they are ready (exit {code}).", "run: seqlib doctor")
        old.link.close()
        self._slots[name] = self._started()
        killed = was_killed(code, old.memory_kills)
        return Outcome(slot=name, lost=True, killed=killed) if old.busy else None

    def _started(self) -> _Slot:
        if (
            self._template is None or not self._template.alive
        ):  # it was killed: its workers go on, new ones need another
            self._template = Template(_PRELOADED)
        ours, theirs = Pipe()
        control = self._connection()
        with theirs, control or nullcontext():
            handles = [end.fileno() for end in (theirs, control) if end is not None]
            scratch = str(self._scratch.folder) if self._scratch is not None else ""
            return _Slot(self._template.fork(_serve, (self._settings, scratch), handles), ours)

    def _warm_parent(self, place: Path) -> WarmParent:
        """One for all workers: it only forks, and each of them puts its own forks under limits."""
        kit = load_kit(self._settings.assignment, self._settings.root)
        image = self._stack.enter_context(Image(self._settings.root, kit.public, place))
        parent = WarmParent(image, self._settings.devices)
        self._stack.callback(parent.close)
        return parent

    def _connection(self) -> socket.socket | None:
        """A worker's way to the warm parent; None, and it starts its own, where there is none any more."""
        return self._parent.connect() if self._parent is not None and self._parent.alive else None


def _serve(settings: WorkerSettings, scratch: str, orders: int, parent: int | None = None) -> None:
    """A worker process: grades what comes until nobody sends any more."""
    link: Connection = Connection(orders)
    control = None if parent is None else socket.socket(fileno=parent)
    use(scratch)
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
