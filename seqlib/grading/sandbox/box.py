"""The host's end of one submission's process: cells in, outputs out, and a copy to ask at each check's place."""

import json
import secrets
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqlib.errors import GradingError
from seqlib.grading.limits import AbstractGroup
from seqlib.grading.outputs import CellOutputs, CellRun, CellState, NotebookOutputs
from seqlib.grading.sandbox.inside.frames import FrameError, receive_frame, send_frame

if TYPE_CHECKING:
    from seqlib.checks.socket_transport import SocketTransport

__all__ = ["SO_PASSCRED", "AbstractBoxes", "Box", "BoxLimits", "SandboxError", "Snapshot", "greet"]

SO_PASSCRED = getattr(socket, "SO_PASSCRED", 16)
_SNAPSHOT_S = 30.0
_CREDENTIALS = struct.Struct("3i")


class SandboxError(GradingError):
    """The sandbox itself is gone or can't start a process: our own fault, never the student's."""


@dataclass(frozen=True, kw_only=True)
class BoxLimits:
    """What one submission may use besides memory and processes.

    Args:
        scratch_bytes: Its folder, and as much again for `/tmp`.
        file_bytes: Its largest file.
        open_files: Handles of one process.
        grace_s: How long an interrupted cell may take to end before it is killed.
    """

    scratch_bytes: int = 128 << 20
    file_bytes: int = 64 << 20
    open_files: int = 512
    grace_s: float | int = 2.0


@dataclass(kw_only=True)
class Snapshot:
    """A copy of the process as it was at a check's cell.

    Attributes:
        transport: The way to it.
        in_place: It is no copy but the process itself, which must be asked now.
    """

    transport: "SocketTransport"
    link: socket.socket
    pid: int
    in_place: bool


class Box:
    """One submission's processes; `close` always.

    Args:
        cells: The way to the process that runs cells.
        leash: The way to the first process of its namespaces, which ends them all when we hang up.
        group: The limits that they are under.
        outputs: Where outputs go.
        limits: How long an interrupted cell may take.
        afterwards: Called at the end, where more is to be ended or removed.
    """

    def __init__(
        self,
        cells: socket.socket,
        leash: socket.socket,
        group: AbstractGroup | None,
        outputs: NotebookOutputs,
        limits: BoxLimits,
        afterwards: Callable[[], None] | None = None,
    ) -> None:
        self._afterwards = afterwards
        self._cells, self._leash, self._group = cells, leash, group
        self._outputs, self._limits = outputs, limits
        self._seq = 0
        self.alive = True

    def run(self, source: str, timeout_s: float | int) -> CellRun:
        """Run one cell; a cell that takes too long is interrupted, and killed if it goes on."""
        started = time.monotonic()
        run, outputs = CellRun(), self._outputs.cell()
        try:
            self._order({"op": "run", "source": source})
            if not self._collect(run, outputs, started + timeout_s):
                run.state = CellState.INTERRUPTED
                self._leash.send(b"interrupt")
                if not self._collect(run, outputs, time.monotonic() + self._limits.grace_s):
                    run.state = CellState.STUCK
                    self.end_cells()
        except (OSError, EOFError, FrameError):
            run.state = CellState.DIED
            self.end_cells()
        run.outputs = outputs.finished()
        run.seconds = time.monotonic() - started
        return run

    def snapshot(self, timeout_s: float | int = _SNAPSHOT_S) -> Snapshot | None:
        """Have the process copied as it is now; None when it does not do that any more.

        Args:
            timeout_s: How long that may take, if it is less than we would wait.
        """
        from seqlib.checks.socket_transport import SocketTransport

        ours, theirs = socket.socketpair()
        deadline = time.monotonic() + min(_SNAPSHOT_S, max(0.0, timeout_s))
        nonce = secrets.token_hex(16)
        try:
            with theirs:
                self._order({"op": "snapshot", "nonce": nonce}, theirs.fileno())
            while True:
                reply = receive_frame(self._cells, deadline)
                if reply is not None and reply.get("kind") == "snapshot" and reply.get("seq") == self._seq:
                    break
            content = reply.get("content")
            pid = content.get("pid") if isinstance(content, dict) else None
            if type(pid) is not int or not 0 <= pid < 1 << 22:
                raise FrameError("a copy without a number")
        except (OSError, EOFError, FrameError):
            ours.close()
            self.end_cells()
            return None
        return Snapshot(transport=SocketTransport(ours, nonce), link=ours, pid=pid, in_place=pid == 0)

    def show_in(self, outputs: NotebookOutputs) -> None:
        """From now on, collect what cells show there."""
        self._outputs = outputs

    def forget(self, snapshot: Snapshot) -> None:
        """End a copy."""
        snapshot.link.close()
        if not snapshot.in_place:
            with suppress(OSError):
                self._leash.send(b"end %d" % snapshot.pid)

    def end_cells(self) -> None:
        """Let no cell run and nothing be shown any more; the copies stay."""
        self.alive = False
        self._cells.close()

    def out_of_memory(self) -> bool:
        """Whether the limit on memory ended a process of it, as far as this machine tells."""
        return bool(self._group is not None and self._group.killed_for_memory())

    def close(self) -> None:
        """End everything that the submission has started."""
        self.alive = False
        self._cells.close()
        self._leash.close()  # its first process ends, and with it the whole namespace
        if self._group is not None:
            self._group.close()
            self._group = None
        if self._afterwards is not None:
            self._afterwards()

    def _order(self, message: dict[str, Any], *handles: int) -> None:
        self._seq += 1
        self._cells.settimeout(_SNAPSHOT_S)
        socket.send_fds(self._cells, [b"\0"], list(handles))
        send_frame(self._cells, message | {"seq": self._seq})

    def _collect(self, run: CellRun, outputs: CellOutputs, deadline: float) -> bool:
        """Read outputs until the cell is done (True) or the deadline has passed (False)."""
        while True:
            try:
                message = receive_frame(self._cells, deadline)
            except TimeoutError:
                return False
            if message is None:
                outputs.cut()
                continue
            if message.get("seq") != self._seq:
                continue
            kind, content = message.get("kind"), message.get("content")
            if kind == "done":
                return True
            if not isinstance(kind, str) or not isinstance(content, dict):
                continue
            if kind == "error" and run.state == CellState.OK:
                run.state = CellState.RAISED
            outputs.add(kind, content)


class AbstractBoxes(ABC):
    """Where a submission's processes come from."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether our own part of it is there: if not, a process that ended proves nothing."""

    @abstractmethod
    def open(self, outputs: NotebookOutputs) -> Box:
        """Start the process of one submission.

        Raises:
            SandboxError: It can't be started.
        """

    @abstractmethod
    def close(self) -> None:
        """End what is left."""


def greet(leash: socket.socket, group: AbstractGroup | None, timeout_s: float | int) -> int:
    """Wait for a new process to say that it is there, put it under its limits, and let it go on.

    Returns its number, which comes from the kernel as this process sees it, so nobody can name another one.

    Raises:
        SandboxError: It did not come.
    """
    leash.settimeout(timeout_s)
    try:
        data, ancillary, _, _ = leash.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        pids = [
            _CREDENTIALS.unpack(raw)[0]
            for level, kind, raw in ancillary
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS
        ]
        if data != b"?" or not pids or pids[0] <= 0:
            raise SandboxError(f"a process can't be started in the sandbox: {_reason(data)}.", "run: seqlib doctor")
        _die_first(pids[0])
        if group is not None:
            group.add(pids[0])
        leash.send(b"!")
        return pids[0]
    except OSError as error:
        raise SandboxError(f"the sandbox did not answer: {error}.", "run: seqlib doctor") from error


def _die_first(pid: int) -> None:
    """When memory is short, this process and those that it starts are ended before any other of the machine.

    Where root with the right to set limits says so, they can't take it back.
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def _reason(data: bytes) -> str:
    try:
        return str(json.loads(data)["fault"])
    except (ValueError, KeyError, TypeError):
        return "it ended"
