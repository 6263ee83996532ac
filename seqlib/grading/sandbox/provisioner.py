"""A Jupyter kernel provisioner: any kernel that is written in Python's environment, started inside bubblewrap.

It is for looking at a notebook that nobody has read, in JupyterLab or by nbclient.
Grades are not made this way: what such a kernel says about itself, it says itself.

What it does not cover, beyond what ARCHITECTURE.md lists for every sandbox: the folder with the kernel's sockets lies
on the host, and a kernel can fill it.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import List, Unicode

import seqlib
from seqlib.errors import GradingError
from seqlib.grading.limits import AbstractGroup, AbstractLimits, ProcessLimits, open_limits
from seqlib.grading.sandbox.box import SO_PASSCRED, BoxLimits, greet
from seqlib.grading.sandbox.bubblewrap import NOBODY, Mounts, command_line, python_inside
from seqlib.grading.sandbox.environment import own_limits, parent_environment, submission_environment
from seqlib.grading.sandbox.filter import compiled_filter
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.inside.isolate import HOME

__all__ = ["SandboxProvisioner"]

_GREET_S = 60.0
_SHARED_MEMORY_BYTES = 64 << 20


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernelspec's command in a sandbox: no network, nothing of the host's but the Python that runs.

    The kernelspec's `metadata.kernel_provisioner.config` may have `read_only`: folders that the kernel sees
    at `/home/shown/NAME`.
    """

    read_only = List(Unicode(), help="Folders that the kernel may read.").tag(config=True)

    _folder: Path | None = None
    _image: Image | None = None
    _limits: AbstractLimits | None = None
    _group: AbstractGroup | None = None
    _kernel_pid: int | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Let the kernel talk through sockets in a folder of its own: it has no network to talk through."""
        manager = self.parent
        if manager is None:
            raise GradingError("a sandboxed kernel needs a kernel manager.", "start it by JupyterLab.")
        if self._folder is None:
            # Short, since the path of a socket may have 107 bytes only.
            self._folder = Path(tempfile.mkdtemp(prefix="sq-kernel-"))
            self._folder.chmod(0o711)
            self._image = Image(Path(seqlib.__file__).resolve().parents[1], {})
            for name in ("connection", "sockets"):
                (self._folder / name).mkdir()
            if os.getuid() == 0:
                os.chown(self._folder / "sockets", NOBODY, NOBODY)
            manager.transport, manager.cache_ports = "ipc", False
            manager.ip = str(self._folder / "sockets" / "s")
            manager.connection_file = str(self._folder / "connection" / "kernel.json")
        made: dict[str, Any] = await super().pre_launch(**kwargs)
        if os.getuid() == 0:
            os.chown(manager.connection_file, NOBODY, NOBODY)
        return made

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start bubblewrap, put the process under limits, and let it become the kernel."""
        self._limits = self._limits or open_limits()
        self._group = self._limits.group(ProcessLimits())
        leash, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        leash.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        with leash:
            with theirs:
                self.process = subprocess.Popen(
                    self._line(cmd, theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=kwargs.get("stdout"),
                    stderr=kwargs.get("stderr"),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self.pid, self.pgid, self.cwd = self.process.pid, self.process.pid, HOME
            self._kernel_pid = await asyncio.to_thread(greet, leash, self._group, _GREET_S)
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel, or end the whole sandbox."""
        if self.process is None or self.process.poll() is not None:
            return
        if signum in (signal.SIGKILL, signal.SIGTERM):
            self.process.kill()  # with it everything in its namespaces
        elif signum and self._kernel_pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._kernel_pid, signum)

    async def cleanup(self, restart: bool = False) -> None:
        """End what is left of the kernel; its folder stays if it starts again."""
        await super().cleanup(restart)
        self._kernel_pid = None
        if self._group is not None:
            await asyncio.to_thread(self._group.close)
            self._group = None
        if restart:
            return
        if self._limits is not None:
            self._limits.close()
        if self._image is not None:
            self._image.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = self._image = self._limits = None

    def _line(self, command: list[str], leash: int) -> list[str]:
        assert self._folder is not None
        assert self._image is not None
        assert self._group is not None
        folder = self._folder
        settings = {
            "uid": NOBODY,
            "filter": compiled_filter().hex(),
            "rlimits": own_limits(BoxLimits()) | dict(self._group.rlimits),
            "environment": submission_environment(HOME),
        }
        mounts = Mounts(
            read_only=self._image.read_only
            | {str(folder / "connection"): folder / "connection"}
            | {f"/home/shown/{Path(name).name}": Path(name).resolve() for name in self.read_only},
            writable={str(folder / "sockets"): folder / "sockets"},
            scratch={HOME: BoxLimits().scratch_bytes, "/dev/shm": _SHARED_MEMORY_BYTES},
            hidden=self._image.hidden,
        )
        python = [python_inside(), "-P", "-s", "-S", "-m", "inside.launch", str(leash), json.dumps(settings)]
        return command_line([*python, *_resolved(command)], mounts, parent_environment(self._image))


def _resolved(command: list[str]) -> list[str]:
    """The command with a whole path, in this Python's environment."""
    found = shutil.which(command[0])
    if found is None:
        raise GradingError(f"the kernel's program {command[0]!r} is not found.", "correct its kernel.json.")
    return [python_inside(found), *command[1:]]
