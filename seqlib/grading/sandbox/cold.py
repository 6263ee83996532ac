"""Cold starts: a new process for every submission, in a sandbox of its own, or without any where all are trusted."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from seqlib.grading.limits import AbstractGroup, AbstractLimits, ProcessLimits
from seqlib.grading.outputs import NotebookOutputs
from seqlib.grading.sandbox.box import SO_PASSCRED, AbstractBoxes, Box, BoxLimits, SandboxError, greet
from seqlib.grading.sandbox.bubblewrap import NOBODY, SANDBOX_PATH, Mounts, command_line, python_inside
from seqlib.grading.sandbox.environment import own_limits, parent_environment, submission_environment
from seqlib.grading.sandbox.filter import compiled_filter
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.inside.isolate import HOME

__all__ = ["ColdStart"]

_GREET_S = 60.0
_MODULES = ("numpy", "seqlib.checks.agent")
_SHARED_MEMORY_BYTES = 64 << 20


class ColdStart(AbstractBoxes):
    """Starts a Python a submission, which takes as long as `import torch`.

    Args:
        image: What it sees.
        box_limits: What one submission may use.
        limits: What enforces memory and process limits from outside; None: nothing does.
        process_limits: Memory and processes of one submission.
        devices: Device nodes of the GPU that it was given.
        isolated: Whether bubblewrap is around it. Without, student code runs with the rights of whoever grades.
    """

    def __init__(
        self,
        image: Image,
        box_limits: BoxLimits,
        limits: AbstractLimits | None = None,
        process_limits: ProcessLimits | None = None,
        devices: Sequence[str] = (),
        *,
        isolated: bool = True,
    ) -> None:
        self._image, self._box_limits, self._limits = image, box_limits, limits
        self._process_limits, self._devices, self._isolated = process_limits, devices, isolated
        self._started: dict[subprocess.Popen[bytes], Path] = {}

    @property
    def alive(self) -> bool:
        """Always: nothing of ours is shared by submissions."""
        return True

    def open(self, outputs: NotebookOutputs) -> Box:
        """Start the process of one submission."""
        limits, process_limits = self._limits, self._process_limits
        group = limits.group(process_limits) if limits is not None and process_limits is not None else None
        leash, their_leash = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cells, their_cells = socket.socketpair()
        leash.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        process = None
        try:
            with their_leash, their_cells:
                process = self._start(their_leash, their_cells, group)
            if group is not None:
                group.add(process.pid)
            greet(leash, group, _GREET_S)
        except BaseException as error:
            leash.close()
            cells.close()
            self._give_up(process, group)
            if isinstance(error, OSError):
                raise SandboxError(f"a sandbox can't be started: {error}.", "run: seqlib doctor") from error
            raise
        leash.setblocking(False)
        return Box(cells, leash, group, outputs, self._box_limits, partial(self._end, process))

    def close(self) -> None:
        """End the processes that were started, and remove their folders."""
        for process in list(self._started):
            self._end(process)

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        folder = self._started.pop(process, None) if process is not None else None
        if process is None or folder is None:
            return
        process.kill()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    def _give_up(self, process: subprocess.Popen[bytes] | None, group: AbstractGroup | None) -> None:
        self._end(process)
        if group is not None:
            group.close()

    def _start(
        self, leash: socket.socket, cells: socket.socket, group: AbstractGroup | None
    ) -> subprocess.Popen[bytes]:
        folder = Path(tempfile.mkdtemp(prefix="sq-"))
        inside = self._isolated
        settings = {
            "uid": NOBODY if inside else 0,
            "modules": list(_MODULES),
            "filter": compiled_filter().hex() if inside else "",
            "home": HOME if inside else str(folder),
            "public": f"{SANDBOX_PATH}/public" if inside else str(self._image.folder / "public"),
            "environment": submission_environment(HOME if inside else str(folder)),
            "rlimits": own_limits(self._box_limits) | dict(group.rlimits if group is not None else {}),
        }
        handles = [leash.fileno(), cells.fileno()]
        program = [
            python_inside() if inside else sys.executable,
            "-P",
            "-s",
            "-m",
            "inside.single",
            *map(str, handles),
            json.dumps(settings),
        ]
        environment = parent_environment(self._image, inside=inside)
        if inside:
            scratch = {HOME: self._box_limits.scratch_bytes, "/dev/shm": _SHARED_MEMORY_BYTES}
            image = self._image
            mounts = Mounts(read_only=image.read_only, devices=self._devices, scratch=scratch, hidden=image.hidden)
            program, environment = command_line(program, mounts, environment), {}
        process = subprocess.Popen(
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=handles,
            env=environment or None,
            cwd=folder,
            start_new_session=True,
        )
        self._started[process] = folder
        return process
