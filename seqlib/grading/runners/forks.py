"""Worker processes as forks of one process that has imported torch for all of them, so that a new one is there at once.

The fork server of `multiprocessing` does the same through a socket in the file system, which stays when its owner is
killed and whose path may be too long; this one listens to nobody but the process that started it.
A worker that has ended keeps its number until its `Fork` is asked how it ended, so no signal reaches another process.
"""

import os
import pickle
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from seqlib.errors import GradingError

__all__ = ["Fork", "Template"]

_LARGEST_ORDER = 1 << 18
_MOST_HANDLES = 8
_ANSWER_S = 120.0
_LOOK_S = 0.005


class Template:
    """The process whose forks do the work; it starts when this is made, and ends with the process that made it.

    Args:
        preloaded: The module that it imports first.
    """

    def __init__(self, preloaded: str) -> None:
        context = get_context("spawn")
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link.settimeout(_ANSWER_S)
        with theirs:
            self._process = context.Process(target=_serve, args=(theirs, preloaded), daemon=True)
            self._process.start()

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self._process.is_alive()

    def fork(self, work: Callable[..., None], arguments: Sequence[Any], handles: Sequence[int]) -> "Fork":
        """Start `work(*arguments, *handles)` in a fork; the first one waits for the imports.

        Args:
            work: A function of a module.
            arguments: What it is given, as copies.
            handles: Open files that it is given: their numbers here, and it gets their numbers there.

        Raises:
            GradingError: The process is gone.
        """
        try:
            socket.send_fds(self._link, [pickle.dumps(("fork", work, tuple(arguments)))], list(handles))
            return Fork(self, int(self._answer()))
        except (OSError, ValueError) as error:
            self._process.join(1)
            code = self._process.exitcode
            raise GradingError(f"no worker process can be started (exit {code}).", "run: seqlib doctor") from error

    def end(self, pid: int, patience_s: float | int) -> int | None:
        """End one of its forks if it does not end by itself, and say how it ended; None where nobody knows."""
        try:
            self._link.send(pickle.dumps(("end", pid, patience_s)))
            return int(self._answer())
        except (OSError, ValueError):
            with suppress(ProcessLookupError):
                _wait_without_template(pid, patience_s)
                os.kill(pid, signal.SIGKILL)
            return None

    def close(self) -> None:
        """End it; its forks are ended before."""
        self._link.close()
        self._process.kill()
        self._process.join()

    def _answer(self) -> bytes:
        return self._link.recv(64)


def _wait_without_template(pid: int, patience_s: float | int) -> None:
    """Give a process that is nobody's child here some time to end."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        time.sleep(_LOOK_S)


class Fork:
    """A process that a `Template` has forked.

    Attributes:
        pid: Its number.
    """

    def __init__(self, template: Template, pid: int) -> None:
        self._template, self.pid = template, pid
        self._code: int | None = None
        self._ended = False

    def end(self, patience_s: float | int = 0.0) -> int | None:
        """End it if it has not ended within some seconds; minus the signal, or its exit status, or None: unknown."""
        if not self._ended:
            self._ended, self._code = True, self._template.end(self.pid, patience_s)
        return self._code


def _serve(link: socket.socket, preloaded: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for whoever started this
    import_module(preloaded)
    while True:
        order, handles, _, _ = socket.recv_fds(link, _LARGEST_ORDER, _MOST_HANDLES)
        if not order:
            return
        kind, *told = pickle.loads(order)
        answer = _end(*told) if kind == "end" else _fork(link, *told, handles=handles)
        link.send(str(answer).encode())


def _fork(link: socket.socket, work: Callable[..., None], arguments: Sequence[Any], *, handles: Sequence[int]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            link.close()
            work(*arguments, *handles)
            code = 0
        finally:
            os._exit(code)
    for handle in handles:
        os.close(handle)
    return pid


def _end(pid: int, patience_s: float | int) -> int:
    deadline = time.monotonic() + patience_s
    ended, status = os.waitpid(pid, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status)
