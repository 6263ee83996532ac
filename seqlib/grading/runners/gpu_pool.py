"""The local runner for jobs on a GPU: one worker process a GPU, which nobody else on this machine is lent meanwhile."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from seqlib.errors import GradingError
from seqlib.grading.devices import AbstractDevices, Device, borrow
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import WorkerSettings

__all__ = ["GpuPoolRunner", "suspect"]

_LOOK_S = 0.02


class GpuPoolRunner(AbstractRunner):
    """A `PoolRunner` of one worker for each GPU; a GPU that stops working is not used any more.

    Args:
        settings: What a worker needs to know.
        devices: Where GPUs come from.
        workers: How many GPUs to use at most.
        say: Gets one line for each thing that whoever grades should know.
    """

    def __init__(
        self, settings: WorkerSettings, devices: AbstractDevices, workers: int, say: Callable[[str], None]
    ) -> None:
        self._settings, self._devices, self._count, self._say = settings, devices, workers, say
        self._stack = ExitStack()
        self._pools: dict[str, tuple[Device, AbstractRunner]] = {}
        self._probing: set[str] = set()
        self._probed: list[tuple[Outcome, str]] = []

    def start(self) -> None:
        for device in self._devices.all():
            for loan in borrow([device], self._count - len(self._pools)):
                self._stack.callback(loan.close)
                self._take(device)
        if not self._pools:
            self.close()
            raise GradingError("no GPU of this machine works and is free.", "see who uses them: nvidia-smi")

    def idle(self) -> Sequence[str]:
        return [name for name, (_, pool) in self._pools.items() if pool.idle() and name not in self._probing]

    def submit(self, slot: str, submitted: Submitted) -> None:
        _, pool = self._pools[slot]
        pool.submit(pool.idle()[0], submitted)

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        deadline = time.monotonic() + timeout_s
        while True:
            ended = [out for slot in list(self._pools) for out in self._heard(slot)]
            while self._probed:
                ended.append(self._judged(*self._probed.pop()))
            if ended or time.monotonic() > deadline:
                return ended
            time.sleep(_LOOK_S)

    def close(self) -> None:
        for _, pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._stack.close()

    def _take(self, device: Device) -> None:
        broken = self._devices.probe(device)
        if broken:
            self._say(broken)
            return
        pool = PoolRunner(replace(self._settings, devices=device.nodes), 1)
        pool.start()
        self._pools[device.name] = device, pool

    def _heard(self, slot: str) -> list[Outcome]:
        device, pool = self._pools[slot]
        ended = []
        for outcome in pool.wait(0):
            named = replace(outcome, slot=slot)
            if suspect(outcome):
                self._probing.add(slot)
                threading.Thread(target=self._probe, args=(device, named), daemon=True).start()
            else:
                ended.append(named)
        return ended

    def _probe(self, device: Device, outcome: Outcome) -> None:
        self._probed.append((outcome, self._devices.probe(device)))

    def _judged(self, outcome: Outcome, broken: str) -> Outcome:
        self._probing.discard(outcome.slot)
        if not broken:
            return outcome
        self._say(broken)
        _, pool = self._pools.pop(outcome.slot)
        pool.close()
        if not self._pools:
            raise GradingError(f"no GPU is left: {broken}.", "mend it and run the same again: what is graded is kept.")
        return Outcome(slot=outcome.slot, fault=broken)


def suspect(outcome: Outcome) -> bool:
    """Whether what went wrong may be the GPU's fault; whether it is, only a probe of the GPU says."""
    return outcome.graded is not None and any(v.status in ("error", "over_limit") for v in outcome.graded.verdicts)
