"""The first process of a submission's namespaces: it runs no student code, and when it ends, all of them end."""

import json
import os
import resource
import select
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import kernel_calls
from .submission import serve_submission

__all__ = ["supervise"]

_REAP_MS = 500


def supervise(
    leash: socket.socket,
    cells: socket.socket,
    made: Any,
    home: Path,
    public: Path,
    environment: dict[str, str],
) -> None:
    """Start the process that runs the cells; interrupt or end it when the host says so; end when the host hangs up."""
    kernel_calls.set_dumpable(False)  # what it holds is closed to the process that it starts
    pid = os.fork()
    if pid == 0:
        try:
            leash.close()
            kernel_calls.set_dumpable(True)
            serve_submission(cells, made, home, public, environment)
        finally:
            os._exit(0)
    cells.close()
    _follow(leash, pid)


def _follow(leash: socket.socket, pid: int) -> None:
    alive = select.poll()
    alive.register(leash, select.POLLIN | select.POLLHUP)
    running = True
    handle = os.pidfd_open(pid)
    alive.register(handle, select.POLLIN)
    while True:
        alive.poll(_REAP_MS)
        for ended, status in _reap():
            if ended == pid:
                running = False
                alive.unregister(handle)
                _tell(leash, status)
        order = _order(leash)
        if order == b"":
            return
        if order == b"interrupt" and running:
            os.kill(pid, signal.SIGINT)
        elif order is not None and order.startswith(b"end "):
            _end(int(order[4:]))


def _order(leash: socket.socket) -> bytes | None:
    try:
        return leash.recv(64, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _reap() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, status))


def _tell(leash: socket.socket, status: int) -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {"exit": os.waitstatus_to_exitcode(status), "cpu_s": used.ru_utime + used.ru_stime}
    leash.send(json.dumps(told).encode())


def _end(pid: int) -> None:
    if pid > 1:  # whatever number it is, it names a process in here
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
