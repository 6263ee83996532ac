"""Limits that a process sets on itself, where nothing better is to be had.

What this does not cover: memory is limited for each process, not for all together, and shared memory is not counted.
The number of processes is counted for a user in a user namespace, and for the machine's root not at all.
A process that has left the tree of those added is found only if it sits in a pid namespace whose first process is not.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.limits.base import AbstractGroup, AbstractLimits, ProcessLimits

__all__ = ["RlimitGroup", "Rlimits"]

PATIENCE_S = 5.0


class Rlimits(AbstractLimits):
    """Works everywhere; outside Linux it limits nothing, and the probe says so."""

    name = "rlimit"

    def group(self, limits: ProcessLimits) -> AbstractGroup:
        return RlimitGroup(limits)

    def close(self) -> None:
        """Nothing was made."""


class RlimitGroup(AbstractGroup):
    """Handles of the processes that were added."""

    def __init__(self, limits: ProcessLimits) -> None:
        self._limits = limits
        self._handles: dict[int, int | None] = {}
        self._closed = False

    @property
    def rlimits(self) -> dict[int, int]:
        if not sys.platform.startswith("linux"):
            return {}
        import resource

        return {resource.RLIMIT_DATA: self._limits.memory_bytes, resource.RLIMIT_NPROC: self._limits.processes}

    def add(self, pid: int) -> None:
        if self._closed:
            raise GradingError(f"process {pid} comes too late: the group is ended.", "start the submission again.")
        try:
            self._handles[pid] = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        except OSError as error:
            raise GradingError(
                f"process {pid} can't be put under limits: {error.strerror}.",
                "it has ended; start the submission again.",
            ) from error

    def peak_bytes(self) -> int | None:
        """The most of any one process that is still there."""
        peaks = [int(line.split()[1]) * 1024 for pid in self._tree() if (line := _status_line(pid, "VmHWM:"))]
        return max(peaks, default=None)

    def cpu_s(self) -> float | None:
        """What the processes that are still there have used, with their children that have ended."""
        ticks = [sum(int(field) for field in stat[11:15]) for pid in self._tree() if (stat := _stat(pid))]
        return sum(ticks) / os.sysconf("SC_CLK_TCK") if ticks else None

    def killed_for_memory(self) -> bool | None:
        return None

    def kill(self) -> None:
        self._closed = True
        tree = self._stop_all()
        for pid in self._living():
            _signal_group(pid, signal.SIGKILL)
        for pid, handle in tree.items():
            _signal(pid, handle, signal.SIGKILL)
        try:
            self._wait(tree)
        finally:
            for handle in tree.values():
                if handle is not None and handle not in self._handles.values():
                    os.close(handle)

    def close(self) -> None:
        try:
            self.kill()
        finally:
            for handle in self._handles.values():
                if handle is not None:
                    os.close(handle)
            self._handles.clear()

    def _living(self) -> list[int]:
        return [pid for pid, handle in self._handles.items() if _signal(pid, handle, 0)]

    def _tree(self) -> set[int]:
        """The living processes that were added, and all that descend from them."""
        tree: set[int] = set()
        fresh = set(self._living())
        parents = _parents() if fresh else {}  # looking through /proc costs milliseconds
        while fresh:
            tree |= fresh
            fresh = {pid for pid, parent in parents.items() if parent in fresh} - tree
        return tree

    def _stop_all(self) -> dict[int, int | None]:
        """Stop the tree from the top until nothing new appears, so that it can't outrun the kill; their handles."""
        stopped: dict[int, int | None] = {}
        for _ in range(100):
            fresh = self._tree() - stopped.keys()
            if not fresh:
                break
            for pid in fresh:
                handle = self._handles[pid] if pid in self._handles else _open(pid)
                stopped[pid] = handle
                _signal(pid, handle, signal.SIGSTOP)
        return stopped

    def _wait(self, tree: dict[int, int | None]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        for pid, handle in tree.items():
            if handle is not None and not _has_ended(handle, deadline - time.monotonic()):
                raise GradingError(
                    f"process {pid} can't be ended.",
                    "look at it with ps; a process that waits for a broken disk can't be ended.",
                )


def _has_ended(handle: int, wait_s: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0.0, wait_s) * 1000))


def _open(pid: int) -> int | None:
    with suppress(OSError, AttributeError):
        return os.pidfd_open(pid)
    return None


def _signal(pid: int, handle: int | None, number: int) -> bool:
    """Send a signal; whether there was somebody to get it. Without a handle only where the system has none."""
    try:
        if handle is not None:
            signal.pidfd_send_signal(handle, number)
        elif not hasattr(os, "pidfd_open"):
            os.kill(pid, number)
        else:
            return False
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _signal_group(pid: int, number: int) -> None:
    """Signal the process group that this process leads; never our own."""
    with suppress(OSError):
        if os.getpgid(pid) == pid != os.getpgrp():
            os.killpg(pid, number)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; [] for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _status_line(pid: int, key: str) -> str | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((line for line in lines if line.startswith(key)), None)


def _parents() -> dict[int, int]:
    """The parent of every process that is to be seen."""
    with suppress(OSError):
        found = ((int(entry), _stat(int(entry))) for entry in os.listdir("/proc") if entry.isdigit())
        return {pid: int(stat[1]) for pid, stat in found if stat}
    return {}
