"""A plain Jupyter kernel for one submission: cells in, limited outputs out, and an end that is certain.

It isolates nothing: student code runs with the rights of whoever grades.
"""

import os
import queue
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqlib.errors import GradingError

__all__ = ["CellRun", "CellState", "OutputLimits", "StudentKernel", "scratch_folder"]

_START_S = 60.0
_POLL_S = 0.25
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH")
_SHOWN = ("stream", "display_data", "execute_result", "error")


class CellState:
    """How running a cell ended."""

    OK = "ok"
    RAISED = "raised"
    INTERRUPTED = "interrupted"
    STUCK = "stuck"
    DIED = "died"


@dataclass(frozen=True, kw_only=True)
class OutputLimits:
    """How much of what a notebook prints is kept; the rest is dropped as it arrives."""

    cell_bytes: int = 200_000
    cell_outputs: int = 100
    notebook_bytes: int = 5_000_000


@dataclass(kw_only=True)
class CellRun:
    """One executed cell: how it ended and what it showed, as `nbformat` outputs."""

    state: str = CellState.OK
    outputs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float | int = 0.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder with a short path (a unix socket's path has room for about 100 bytes)."""
    base = "/tmp" if os.path.isdir("/tmp") else None
    folder = Path(tempfile.mkdtemp(prefix="sq-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class StudentKernel:
    """A kernel process; `start` before use, `stop` always.

    Args:
        folder: The student's folder, where cells run.
        private: A folder for connection files and sockets.
        limits: How much output is kept.
        grace_s: How long an interrupted cell may take to end before the kernel is killed.
    """

    def __init__(
        self, folder: Path, private: Path, limits: OutputLimits | None = None, grace_s: float | int = 2.0
    ) -> None:
        self._folder, self._private = folder, private
        self._limits = limits or OutputLimits()
        self._grace_s = grace_s
        self._left = self._limits.notebook_bytes
        self._manager: Any = None
        self._client: Any = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        connection = Path(tempfile.mkdtemp(prefix="k", dir=self._private))
        specs = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)  # this interpreter, whatever is installed
        self._manager = KernelManager(
            kernel_name="python3",
            kernel_spec_manager=specs,
            transport="ipc" if os.name == "posix" else "tcp",
            connection_file=str(connection / "kernel.json"),
            **({"ip": str(connection / "z")} if os.name == "posix" else {}),
        )
        try:
            self._manager.start_kernel(cwd=str(self._folder), env=_environment(self._folder))
            self._client = self._manager.blocking_client()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=_START_S)
        except (RuntimeError, OSError) as error:
            self.stop()
            raise GradingError(
                f"a kernel can't be started: {error}.", "see that ipykernel works: python -m ipykernel --version."
            ) from error

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._manager is not None and bool(self._manager.is_alive())

    def run(self, source: str, timeout_s: float | int) -> CellRun:
        """Run one cell; a cell that takes too long is interrupted, and killed if it goes on."""
        started = time.monotonic()
        run = CellRun()
        if not self.alive:
            run.state = CellState.DIED
            return run
        message = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        collected = _Outputs(self._limits, self._left)
        if not self._collect(message, collected, run, started + timeout_s):
            self._end_late(message, collected, run)
        run.outputs = collected.finished()
        self._left -= collected.used
        run.seconds = time.monotonic() - started
        return run

    def stop(self) -> None:
        """End the process and everything that it started in its group, at once."""
        if self._client is not None:
            self._client.stop_channels()
            self._client = None
        if self._manager is None:
            return
        group = getattr(self._manager.provisioner, "pgid", None)
        with suppress(RuntimeError, OSError):
            self._manager.shutdown_kernel(now=True)
        if group and group != os.getpgrp():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._manager.cleanup_resources(restart=False)
        self._manager = None

    def _end_late(self, message: str, collected: "_Outputs", run: CellRun) -> None:
        run.state = CellState.INTERRUPTED
        self._manager.interrupt_kernel()
        if not self._collect(message, collected, run, time.monotonic() + self._grace_s):
            run.state = CellState.STUCK
            self.stop()

    def _collect(self, message: str, collected: "_Outputs", run: CellRun, deadline: float | int) -> bool:
        """Read outputs until the cell is done (True) or the deadline has passed (False)."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                got = self._client.get_iopub_msg(timeout=min(left, _POLL_S))
            except queue.Empty:
                if not self.alive:
                    run.state = CellState.DIED
                    return True
                continue
            if got.get("parent_header", {}).get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "status" and content.get("execution_state") == "idle":
                self._drop_replies()
                return True
            if kind == "error" and run.state == CellState.OK:
                run.state = CellState.RAISED
            collected.add(kind, content)
        return False

    def _drop_replies(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._client.get_shell_msg(timeout=0)


class _Outputs:
    """Outputs of one cell as they arrive, within limits."""

    def __init__(self, limits: OutputLimits, left: int) -> None:
        self._limits = limits
        self._room = max(0, min(limits.cell_bytes, left))
        self._outputs: list[dict[str, Any]] = []
        self._clear = self._cut = False
        self.used = 0

    def add(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output":
            self._clear = bool(content.get("wait"))
            if not self._clear:
                self._outputs.clear()
            return
        if kind not in _SHOWN:
            return
        if self._clear:
            self._clear = False
            self._outputs.clear()
        if kind == "stream":
            self._stream(str(content.get("name", "stdout")), str(content.get("text", "")))
            return
        output = _as_output(kind, content)
        size = _size(output)
        if size > self._room - self.used or len(self._outputs) >= self._limits.cell_outputs:
            self._cut = True
            return
        self.used += size
        self._outputs.append(output)

    def _stream(self, name: str, text: str) -> None:
        room = self._room - self.used
        if len(text) > room:
            self._cut = True
            text = text[:room]
        if not text:
            return
        self.used += len(text)
        last = self._outputs[-1] if self._outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["parts"].append(text)
        elif len(self._outputs) < self._limits.cell_outputs:
            self._outputs.append({"output_type": "stream", "name": name, "parts": [text]})
        else:
            self._cut = True

    def finished(self) -> list[dict[str, Any]]:
        for output in self._outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        if self._cut:
            note = "[more was printed; it is over the limit and not kept]\n"
            self._outputs.append({"output_type": "stream", "name": "stdout", "text": note})
        return self._outputs


def _as_output(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    if kind == "error":
        keys = {"ename": str, "evalue": str}
        trace = [str(line) for line in content.get("traceback") or []]
        return {
            "output_type": kind,
            **{key: make(content.get(key, "")) for key, make in keys.items()},
            "traceback": trace,
        }
    data = content.get("data")
    made = {"output_type": kind, "data": data if isinstance(data, dict) else {}, "metadata": {}}
    return made | ({"execution_count": None} if kind == "execute_result" else {})


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return len(str(value))


def _environment(folder: Path) -> dict[str, str]:
    """What the process gets to know of the grader's own environment: next to nothing."""
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home = folder.parent / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    private = {"HOME": home, "IPYTHONDIR": home / "ipython", "MPLCONFIGDIR": home / "matplotlib", "TMPDIR": home}
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    quiet = {"JPY_PARENT_PID": str(os.getpid()), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    return own | {name: str(path) for name, path in private.items()} | fixed | quiet
