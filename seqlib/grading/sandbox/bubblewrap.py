"""The bubblewrap command line of a sandbox: a read-only system, no network, and nothing of the grader's."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["INSTALL", "NOBODY", "SANDBOX_PATH", "Mounts", "command_line", "find_bubblewrap", "python_inside"]

INSTALL = "sudo apt-get install bubblewrap"
NOBODY = 65534
SANDBOX_PATH = "/run/seqlib"
_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_SYSTEM_FILES = (
    *("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime"),
    "/sys/kernel/mm/transparent_hugepage",  # the memory allocator looks there
)
_HOME = "/home/student"
_SCRATCH = ("/tmp", "/dev/shm", _HOME)
_TMP_BYTES = 128 << 20


@dataclass(frozen=True, kw_only=True)
class Mounts:
    """What a sandbox sees besides the system.

    Args:
        read_only: Place inside to place outside.
        devices: Device nodes, such as a GPU's.
        scratch: Empty folders that can be written to, with their sizes in bytes.
        writable: As `read_only`, for what may be written to.
        hidden: Folders outside that stay hidden, also where they lie in one that is shown.
    """

    read_only: Mapping[str, Path]
    devices: Sequence[str] = ()
    scratch: Mapping[str, int] = field(default_factory=dict)
    writable: Mapping[str, Path] = field(default_factory=dict)
    hidden: Sequence[Path] = ()


def find_bubblewrap() -> str:
    """Where bubblewrap is.

    Raises:
        GradingError: It is not installed.
    """
    found = shutil.which("bwrap")
    if found:
        return found
    raise GradingError(
        "bubblewrap is not installed, so nothing can be isolated.",
        f"install it: {INSTALL}; or say --trusted, if you would run every submission yourself.",
    )


def command_line(
    program: Sequence[str], mounts: Mounts, environment: Mapping[str, str], *, as_root: bool | None = None
) -> list[str]:
    """The whole command.

    Root starts the program as root inside, with the only capabilities to become nobody for good; it must do so at once.
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
        line += ["--cap-drop", "ALL"]
        line += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    else:
        line += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    line += _system()
    line += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(_TMP_BYTES), "--tmpfs", "/tmp"]
    for device in mounts.devices:
        line += ["--dev-bind", device, device]
    line += _bound({**mounts.read_only, **_interpreter()}, mounts.hidden)
    line += _parents(list(mounts.writable))
    for inside, outside in mounts.writable.items():
        line += ["--bind", str(outside), inside]
    for place, size in mounts.scratch.items():
        line += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    for name, value in environment.items():
        line += ["--setenv", name, value]
    return [*line, "--", *program]


def _system() -> list[str]:
    line = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            line += ["--symlink", os.readlink(place), str(place)]
        elif place.is_dir():
            line += ["--ro-bind", str(place), str(place)]
    line += _parents(_SYSTEM_FILES)
    for file in _SYSTEM_FILES:
        line += ["--ro-bind-try", file, file]
    return line


def python_inside(program: str = sys.executable) -> str:
    """A program of the Python environment that runs here, as a path in a sandbox."""
    return str(_inside(Path(program)))


def _interpreter() -> dict[str, Path]:
    """The Python that runs, and the environment that it runs in: at their own places, where these stay visible.

    Raises:
        GradingError: A submission's own scratch folders would cover Python.
    """
    base, prefix = Path(os.path.realpath(sys.base_prefix)), Path(os.path.realpath(sys.prefix))
    if _is_covered(base):
        raise GradingError(
            f"Python itself lies in {base}, which is a scratch folder in every sandbox.",
            "make the environment with a Python that is installed elsewhere.",
        )
    return {str(_inside(place)): place for place in sorted({base, prefix}) if not place.is_relative_to("/usr")}


def _inside(place: Path) -> Path:
    """Where a path of the Python environment is in a sandbox: elsewhere if scratch folders would cover it."""
    prefix, real = Path(sys.prefix), Path(os.path.realpath(sys.prefix))
    if place.is_relative_to(prefix):  # the environment may be a link to where it lies
        place = real / place.relative_to(prefix)
    if _is_covered(real) and place.is_relative_to(real):
        return Path(SANDBOX_PATH, "environment", place.relative_to(real))
    return place


def _is_covered(place: Path) -> bool:
    return any(place.is_relative_to(scratch) for scratch in _SCRATCH)


def _bound(read_only: Mapping[str, Path], hidden: Sequence[Path]) -> list[str]:
    """Binds from the outermost to the innermost; a folder that is to be hidden is covered where it would show."""
    shown = [Path("/usr"), *map(Path, read_only)]
    places = [_inside(place.resolve()) for place in hidden]
    covered = {str(place) for place in places if any(place.is_relative_to(one) for one in shown)}
    line = _parents([*read_only, f"{_HOME}/x"])
    for inside in sorted({*read_only, *covered}, key=lambda place: len(Path(place).parts)):
        if inside in covered:
            line += ["--perms", "0755", "--size", "4096", "--tmpfs", inside]
            line += _parents([place for place in read_only if Path(place).is_relative_to(inside)], below=Path(inside))
        else:
            line += ["--ro-bind", str(read_only[inside]), inside]
    for place in covered:
        line += ["--remount-ro", place]
    return line


def _parents(places: Sequence[str], below: Path = Path("/")) -> list[str]:
    """The folders above these places, which bubblewrap alone would make unreachable for others."""
    wanted = dict.fromkeys(parent for place in places for parent in reversed(Path(place).parents))
    ready = {Path("/"), Path("/tmp"), Path("/usr"), below, *below.parents}
    line = []
    for parent in wanted:
        if parent not in ready and not (below == Path("/") and parent.is_relative_to("/usr")):
            line += ["--perms", "0755", "--dir", str(parent)]
    return line
