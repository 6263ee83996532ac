"""The bubblewrap command line of a sandbox: a read-only system, no network, and nothing of the grader's."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["INSTALL", "NOBODY", "SANDBOX_PATH", "Mounts", "command_line", "find_bubblewrap"]

INSTALL = "sudo apt-get install bubblewrap"
NOBODY = 65534
SANDBOX_PATH = "/run/seqlib"
_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/sys/kernel/mm/transparent_hugepage")
_HOME = "/home/student"
_TMP_BYTES = 128 << 20


@dataclass(frozen=True, kw_only=True)
class Mounts:
    """What a sandbox sees besides the system.

    Args:
        read_only: Place inside to place outside.
        devices: Device nodes, such as a GPU's.
        scratch: Empty folders that can be written to, with their sizes in bytes.
    """

    read_only: Mapping[str, Path]
    devices: Sequence[str] = ()
    scratch: Mapping[str, int] = field(default_factory=dict)


def find_bubblewrap() -> str:
    """Where bubblewrap is.

    Raises:
        GradingError: It is not installed.
    """
    found = shutil.which("bwrap")
    if found:
        return found
    raise GradingError("bubblewrap is not installed, so nothing can be isolated.", f"install it: {INSTALL}")


def command_line(
    program: Sequence[str], mounts: Mounts, environment: Mapping[str, str], *, as_root: bool | None = None
) -> list[str]:
    """The whole command.

    Root starts the program as root inside, with the only capability to become nobody; it must do so at once.
    An ordinary user gets a user namespace.

    Args:
        program: What to run, as paths inside.
        mounts: What it sees.
        environment: Its only variables.
        as_root: Whether root starts it. None: see who we are.
    """
    root = os.getuid() == 0 if as_root is None else as_root
    line = [find_bubblewrap(), "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"]
    line += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if root:
        line += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        line += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    line += ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            line += ["--symlink", os.readlink(place), str(place)]
        elif place.is_dir():
            line += ["--ro-bind", str(place), str(place)]
    for name in _SYSTEM_FILES:
        line += ["--ro-bind-try", name, name]
    line += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(_TMP_BYTES), "--tmpfs", "/tmp"]
    for device in mounts.devices:
        line += ["--dev-bind", device, device]
    line += _bound({**mounts.read_only, **_interpreter()})
    for place, size in mounts.scratch.items():
        line += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    for name, value in environment.items():
        line += ["--setenv", name, value]
    return [*line, "--", *program]


def _interpreter() -> dict[str, Path]:
    """The Python that runs, and the environment that it runs in, at their own places."""
    places = {Path(os.path.realpath(sys.base_prefix)), Path(os.path.realpath(sys.prefix))}
    return {str(place): place for place in sorted(places) if not place.is_relative_to("/usr")}


def _bound(read_only: Mapping[str, Path]) -> list[str]:
    """Binds with all their parents, which bubblewrap alone would make unreachable for others."""
    line, made = [], {"/", "/tmp", "/usr"}
    for inside in [*read_only, f"{_HOME}/x"]:
        for parent in reversed(Path(inside).parents):
            if str(parent) not in made:
                made.add(str(parent))
                line += ["--perms", "0755", "--dir", str(parent)]
    for inside, outside in read_only.items():
        line += ["--ro-bind", str(outside), inside]
    return line
