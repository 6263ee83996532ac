"""An IPython shell whose outputs are the messages of a Jupyter kernel, sent through a socket instead of ZeroMQ."""

import asyncio
import builtins
import getpass
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.async_helpers import _asyncio_runner
from IPython.core.error import StdinNotImplementedError, UsageError
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from traitlets.config import Config

from .frames import LARGEST_BYTES, send_frame

__all__ = ["Shell", "make_shell"]

_SHOWN = ("clear_output", "display_data", "error", "execute_result", "update_display_data")
_WARM_UP = ("x = 1", "def f(x):\n    return x", "1", "print(1)", "%time 1", "raise ValueError")
_FLUSH_S = 0.05
_FLUSH_CHARS = 8192
_REFUSED_INPUT = "{name} was called, but this frontend does not support input requests."


class _KernelShell(ZMQInteractiveShell):
    """A kernel's shell without its event loops: there is no window to follow."""

    known: tuple[str, str] | None = None
    """A plain cell as it was written and as it is run, which the shell would work out once more."""

    def transform_cell(self, raw_cell: str) -> str:
        if self.known is not None and raw_cell == self.known[0]:
            return self.known[1]
        return str(super().transform_cell(raw_cell))

    def should_run_async(self, raw_cell: str, **known: Any) -> bool:
        if self.known is not None and raw_cell == self.known[0]:
            return False
        return bool(super().should_run_async(raw_cell, **known))

    def enable_gui(self, gui: Any = None) -> None:
        if gui not in (None, "inline"):
            raise UsageError(f"there is no screen here: %gui {gui} can't be used; plots are shown inline.")


def make_shell() -> "_KernelShell":
    """Make the shell as a kernel does, and do what is slow the first time."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    shell = _KernelShell.instance(config=config, compiler_class=XCachingCompiler)
    _ = shell.logger  # made when it is first asked for
    session = _Session()
    for part in (shell.displayhook, shell.display_pub):
        part.session, part.pub_socket = session, None
    shell.displayhook.topic = b"execute_result"
    for source in _WARM_UP:
        with redirect_stdout(io.StringIO()):
            shell.run_cell(source, store_history=True, silent=False)
    shell.reset(new_session=True)
    return shell


class Shell:
    """Cells in, messages out.

    Args:
        sock: The way to the host.
        shell: A shell that has run nothing yet.
    """

    def __init__(self, sock: socket.socket, shell: _KernelShell) -> None:
        self._sock, self._shell = sock, shell
        self._lock = threading.RLock()
        self._seq, self._silent = 0, False
        self._session = shell.displayhook.session
        self._session.publish = self._publish
        sys.stdout = self._out = _Stream("stdout", self._stream)
        sys.stderr = self._err = _Stream("stderr", self._stream)
        self._pipe = _Pipe(self._stream)
        self._pipe.follow()
        _refuse_input()
        # As in a kernel, cells run while a loop does, so that they can make tasks.
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    @property
    def namespace(self) -> dict[str, Any]:
        """The student's names."""
        names: dict[str, Any] = self._shell.user_ns
        return names

    def run(self, seq: int, source: str) -> None:
        """Run one cell; ends with a message of the kind `done`."""
        self._seq = seq
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            cell = self._loop.create_task(self._execute(source))
            self._loop.run_until_complete(cell)
            self._out.flush()
            self._err.flush()
        except KeyboardInterrupt:  # it came between two of the student's statements, or while one waited
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            cell.cancel()
            with suppress(asyncio.CancelledError, KeyboardInterrupt):
                self._loop.run_until_complete(cell)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._out.flush()
        self._err.flush()
        self._pipe.drain()
        self._send("done", {})

    async def _execute(self, source: str) -> None:
        """Run a cell as a kernel does: in this task if it awaits anything, else as plain code."""
        shell, fault = self._shell, None
        try:
            transformed = shell.transform_cell(source)
        except Exception:
            transformed, fault = source, sys.exc_info()
        known: dict[str, Any] = {"transformed_cell": transformed, "preprocessing_exc_tuple": fault}
        if shell.loop_runner is not _asyncio_runner or not shell.should_run_async(source, **known):
            if shell.loop_runner is _asyncio_runner and fault is None:
                shell.known = source, transformed
            try:
                shell.run_cell(source, store_history=True, silent=False)
            finally:
                shell.known = None
            return
        result = None
        try:
            result = await shell.run_cell_async(source, store_history=True, silent=False, **known)
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Drop what is shown meanwhile: what a check makes the student's code print belongs to nobody."""
        self._silent = True
        try:
            yield
        finally:
            self._pipe.drain()
            self._silent = False

    def mute(self) -> None:
        """Send nothing any more, in a copy that only answers."""
        self._sock.close()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.close(null)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        self._session.publish = _to_nobody

    def _stream(self, name: str, text: str) -> None:
        self._send("stream", {"name": name, "text": text})

    def _publish(self, kind: str, content: dict[str, Any]) -> None:
        self._pipe.drain()
        self._send(kind, content)

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        if self._silent:
            return
        message = {"kind": kind, "seq": self._seq, "content": content}
        with self._lock:
            try:
                send_frame(self._sock, message)
            except (TypeError, ValueError):
                send_frame(self._sock, {"kind": "unsendable", "seq": self._seq, "content": {}})


class _Session(Session):
    """Stands where a kernel's session stands; takes what is shown and lets the rest go."""

    def __init__(self) -> None:
        super().__init__(key=b"", check_pid=False)
        self.publish = _to_nobody

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **kwargs: Any) -> None:
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type.get("msg_type", ""), msg_or_type.get("content")
        else:
            kind = msg_or_type
        if kind in _SHOWN:  # bytes become base64, as on their way from a kernel
            self.publish(kind, json.loads(json.dumps(content or {}, default=json_default)))


def _to_nobody(kind: str, content: dict[str, Any]) -> None:
    """Where what is shown goes as long as nobody looks."""


class _Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the cells: text is collected for a moment and sent on."""

    encoding = "UTF-8"
    errors = "backslashreplace"

    def __init__(self, name: str, send: Callable[[str, str], None]) -> None:
        self.name = name
        self._name, self._emit = name, send
        self._parts: list[str] = []
        self._chars, self._sent_at = 0, 0.0
        self._lock = threading.RLock()
        self._maker = os.getpid()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return {"stdout": 1, "stderr": 2}[self._name]

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._maker:  # a process that the student started: its text comes by the pipe
            os.write(self.fileno(), text.encode("utf-8", "replace"))
            return len(text)
        with self._lock:
            self._parts.append(text)
            self._chars += len(text)
            if self._chars >= _FLUSH_CHARS or time.monotonic() - self._sent_at > _FLUSH_S:
                self.flush()
        return len(text)

    def flush(self) -> None:
        if os.getpid() != self._maker:
            return
        with self._lock:
            text, self._parts, self._chars = "".join(self._parts), [], 0
            self._sent_at = time.monotonic()
            for start in range(0, len(text), LARGEST_BYTES // 8):
                self._emit(self._name, text[start : start + LARGEST_BYTES // 8])


class _Pipe:
    """What is written to the file descriptors 1 and 2, by programs and by code below Python."""

    def __init__(self, send: Callable[[str, str], None]) -> None:
        self._emit = send
        self._lock = threading.Lock()
        self._names = {}
        for number, name in ((1, "stdout"), (2, "stderr")):
            reader, writer = os.pipe()
            os.dup2(writer, number)
            os.close(writer)
            os.set_blocking(reader, False)
            self._names[reader] = name

    def drain(self) -> None:
        """Send what has been written so far."""
        with self._lock:
            for reader, name in self._names.items():
                while True:
                    try:
                        data = os.read(reader, 1 << 16)
                    except OSError:
                        break
                    if not data:
                        break
                    self._emit(name, data.decode("utf-8", "replace"))

    def follow(self) -> None:
        """Read in a thread, so that a program that writes much is not held up."""
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            select.select(list(self._names), [], [])
            self.drain()


def _refuse_input() -> None:
    def refusing(name: str) -> Callable[..., str]:
        def refuse(*args: Any, **kwargs: Any) -> str:
            raise StdinNotImplementedError(_REFUSED_INPUT.format(name=name))

        return refuse

    builtins.input, getpass.getpass = refusing("raw_input"), refusing("getpass")
