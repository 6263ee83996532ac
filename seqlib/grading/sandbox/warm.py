"""Warm sandboxes: one parent in bubblewrap that has imported everything, and a fork of it for every submission."""

import contextlib
import json
import select
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

from seqlib.grading.limits import AbstractGroup, AbstractLimits, ProcessLimits
from seqlib.grading.outputs import NotebookOutputs
from seqlib.grading.sandbox.box import SO_PASSCRED, AbstractBoxes, Box, BoxLimits, SandboxError, greet
from seqlib.grading.sandbox.bubblewrap import NOBODY, SANDBOX_PATH, Mounts, command_line, python_inside
from seqlib.grading.sandbox.environment import own_limits, parent_environment, submission_environment
from seqlib.grading.sandbox.filter import compiled_filter
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.inside.isolate import HOME

__all__ = ["IMPORTED", "WarmForks", "WarmParent", "start_warm"]

IMPORTED = (
    *("numpy", "torch.nn.functional", "torch.utils.data", "matplotlib.pyplot", "ipywidgets", "tqdm.auto"),
    *("seqlib.checks.agent", "seqlib.checks.notebook", "seqlib.trace"),
)
_READY_S = 120.0
_GREET_S = 20.0
_ANSWER_S = 20.0


class WarmParent:
    """A process in bubblewrap that has imported everything and forks submissions, for whoever is connected to it.

    Args:
        image: What it sees.
        devices: Device nodes of the GPU that its jobs were given.
        imported: Modules to import beforehand.
    """

    def __init__(self, image: Image, devices: Sequence[str] = (), imported: Sequence[str] = IMPORTED) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {
            "uid": NOBODY,
            "modules": list(imported),
            "filter": compiled_filter().hex(),
            "public": f"{SANDBOX_PATH}/public",
            "environment": submission_environment(HOME),
        }
        with theirs:
            program = [python_inside(), "-P", "-s", "-m", "inside.warm_parent", str(theirs.fileno())]
            line = command_line(
                [*program, json.dumps(settings)],
                Mounts(read_only=image.read_only, devices=devices, hidden=image.hidden),
                parent_environment(image),
            )
            self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
            self._process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
            )

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the bubblewrap process."""
        return self._process.pid

    def connect(self) -> socket.socket:
        """A connection for a `WarmForks`; it answers once the imports are done."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, contextlib.suppress(OSError):  # a parent that is gone: whoever waits at the other end finds out
            socket.send_fds(self._control, [b"connect"], [theirs.fileno()])
        return ours

    def last_words(self) -> str:
        """The last line that it wrote; empty where there is none."""
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            said = self._errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
            return said[-1] if said else ""
        return ""

    def close(self) -> None:
        """End it, and with it all that it has forked."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()


class WarmForks(AbstractBoxes):
    """Submissions' processes, forked by a warm parent at the other end of a connection.

    Args:
        control: The connection, as `WarmParent.connect` gives it.
        box_limits: What one submission may use.
        limits: What enforces memory and process limits from outside.
        process_limits: Memory and processes of one submission.
        parent: The warm parent, where it is nobody else's: it ends with this.
    """

    def __init__(
        self,
        control: socket.socket,
        box_limits: BoxLimits,
        limits: AbstractLimits,
        process_limits: ProcessLimits,
        parent: WarmParent | None = None,
    ) -> None:
        self._control, self.parent = control, parent
        self._limits, self._process_limits, self._box_limits = limits, process_limits, box_limits
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether the parent is there and answers.

        It is asked, since a kill of the whole sandbox may reach a submission before the parent.
        """
        try:
            if self._ready:
                self._control.settimeout(_ANSWER_S)
                self._control.send(b"ping")
                return bool(self._control.recv(4096))
            ends = select.poll()
            ends.register(self._control, 0)  # tells of a hang-up alone
            return not ends.poll(0)
        except (OSError, ValueError):
            return False

    def wait_until_ready(self) -> None:
        """Wait for the imports.

        Raises:
            SandboxError: The parent ended before it was ready.
        """
        if self._ready:
            return
        self._control.settimeout(_READY_S)
        try:
            told = json.loads(self._control.recv(4096) or b"{}")
        except (OSError, ValueError) as error:
            told = {"fault": str(error)}
        if not told.get("ready"):
            raise self._lost("the sandbox did not start")
        if told["threads"] != 1:
            raise self._lost(f"the warm parent has {told['threads']} threads instead of one")
        self._ready = True

    def open(self, outputs: NotebookOutputs) -> Box:
        """Start the process of one submission.

        Raises:
            SandboxError: The parent is gone or can't fork.
        """
        self.wait_until_ready()
        group = self._limits.group(self._process_limits)
        try:
            return self._open(outputs, group)
        except BaseException:
            group.close()
            raise

    def _open(self, outputs: NotebookOutputs, group: AbstractGroup) -> Box:
        order = {
            "scratch_bytes": self._box_limits.scratch_bytes,
            "rlimits": own_limits(self._box_limits) | dict(group.rlimits),
        }
        leash, their_leash = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cells, their_cells = socket.socketpair()
        leash.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        try:
            with their_leash, their_cells:
                handles = [their_leash.fileno(), their_cells.fileno()]
                socket.send_fds(self._control, [json.dumps(order).encode()], handles)
            greet(leash, group, _GREET_S)
        except (OSError, SandboxError) as error:
            leash.close()
            cells.close()
            if isinstance(error, SandboxError) and self.alive:
                raise
            raise self._lost("the warm parent is gone") from error
        leash.setblocking(False)
        return Box(cells, leash, group, outputs, self._box_limits)

    def close(self) -> None:
        """Hang up."""
        self._control.close()
        if self.parent is not None:
            self.parent.close()

    def _lost(self, what: str) -> SandboxError:
        words = self.parent.last_words() if self.parent is not None else ""
        return SandboxError(f"{what} ({words})." if words else f"{what}.", "run: seqlib doctor")


def start_warm(
    image: Image,
    box_limits: BoxLimits,
    limits: AbstractLimits,
    process_limits: ProcessLimits,
    devices: Sequence[str] = (),
) -> WarmForks:
    """Start a warm parent and return what it forks; the two end together."""
    parent = WarmParent(image, devices)
    return WarmForks(parent.connect(), box_limits, limits, process_limits, parent)
