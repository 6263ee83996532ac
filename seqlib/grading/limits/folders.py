"""What both versions of cgroups share: where this process is, names that tell their maker, and removal.

A group's name is `g-NAMESPACE-PID-START-NUMBER`: the pid namespace, number and start time of the process that made it.
So a left-over group is told from one in use, although process numbers come again.
"""

import itertools
import os
import re
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from seqlib.errors import GradingError

__all__ = [
    "Mount",
    "is_left_over",
    "kill_listed",
    "kill_until_empty",
    "make_group",
    "mounts",
    "new_name",
    "number",
    "own_folder",
    "processes_in",
    "put",
    "remove",
    "sweep",
]

PATIENCE_S = 5.0
_LOOK_S = 0.05
_NAME = re.compile(r"g-(\d+)-(\d+)-(\d+)-\d+")
_numbers = itertools.count()


@dataclass(frozen=True)
class Mount:
    """A mounted cgroup hierarchy; `root` is the group that its mount point shows."""

    point: Path
    root: str
    version: int
    options: frozenset[str]


def mounts(mountinfo: str) -> list[Mount]:
    """The cgroup hierarchies in the text of /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if kind and kind[0] in ("cgroup", "cgroup2"):
            version = 2 if kind[0] == "cgroup2" else 1
            found.append(Mount(Path(fields[4]), fields[3], version, frozenset(kind[-1].split(","))))
    return found


def own_folder(mount: Mount, membership: str, controller: str = "") -> Path:
    """The folder of this process's group, from the text of /proc/self/cgroup.

    Inside a container the path may lead outside of what is mounted; then the mount point is the nearest there is.
    """
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            inside = os.path.relpath(path, mount.root)
            folder = mount.point / inside
            return folder if not inside.startswith("..") and folder.is_dir() else mount.point
    return mount.point


def new_name() -> str:
    """A name that no group of this or any other living process has."""
    return f"g-{_pid_namespace()}-{os.getpid()}-{_start_time(os.getpid())}-{next(_numbers)}"


def is_left_over(name: str) -> bool:
    """Whether a group has this name whose maker is gone; a maker in another pid namespace can't be judged."""
    match = _NAME.fullmatch(name)
    if not match or match[1] != str(_pid_namespace()):
        return False
    pid = int(match[2])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    start = _start_time(pid)
    return start not in (None, int(match[3]))


def make_group(bases: Iterable[Path], name: str, prepare: Callable[[], None]) -> list[Path]:
    """Make a folder of this name under every base; `prepare` makes the bases, also when another maker removes them."""
    bases = list(bases)
    for attempt in range(10):
        try:
            prepare()
            for base in bases:
                (base / name).mkdir(exist_ok=True)
            return [base / name for base in bases]
        except (FileNotFoundError, FileExistsError):  # mkdir says the latter when a folder goes while it looks
            time.sleep(0.002 * attempt)
    raise GradingError(f"the group {bases[0] / name} can't be made.", "try again; another process removes its folder.")


def put(folder: Path, file: str, value: int | str, *, optional: bool = False) -> None:
    """Write a control file; an optional one may be absent or refuse."""
    try:
        fd = os.open(folder / file, os.O_WRONLY)
        try:
            os.write(fd, str(value).encode())
        finally:
            os.close(fd)
    except OSError:
        if not optional:
            raise


def number(folder: Path, file: str, key: str | None = None) -> int | None:
    """The number in a control file, or beside a key in it; None where there is none."""
    try:
        text = (folder / file).read_text("ascii")
    except OSError:
        return None
    pairs = dict(line.rsplit(" ", 1) for line in text.splitlines() if " " in line)
    found = text.strip() if key is None else pairs.get(key, "")
    return int(found) if found.isdigit() else None


def processes_in(folders: Iterable[Path]) -> set[int]:
    """The processes in any of these groups."""
    found: set[int] = set()
    for folder in folders:
        with suppress(FileNotFoundError, OSError):
            found |= {int(line) for line in (folder / "cgroup.procs").read_text("ascii").split()}
    return found


def kill_listed(folders: list[Path]) -> None:
    """Send SIGKILL to every process in these groups, and to no process that has got its number since."""
    handles: dict[int, int] = {}
    try:
        for pid in processes_in(folders) - {0, os.getpid()}:
            with suppress(ProcessLookupError):
                handles[pid] = os.pidfd_open(pid)
        for pid in processes_in(folders) & handles.keys():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handles[pid], signal.SIGKILL)
    finally:
        for handle in handles.values():
            os.close(handle)


def kill_until_empty(folders: list[Path], strike: Callable[[], None]) -> None:
    """Strike until the groups hold no process, for some seconds at most."""
    deadline = time.monotonic() + PATIENCE_S
    while left := processes_in(folders):
        if time.monotonic() > deadline:
            raise GradingError(
                f"{len(left)} processes of the group {folders[0].name} can't be ended: {sorted(left)[:5]}.",
                "look at them with ps; a process that waits for a broken disk can't be ended.",
            )
        strike()
        _await_end(left)


def _await_end(pids: Iterable[int]) -> None:
    """Wait until these processes have ended, but not long: there may be new ones by now."""
    with ExitStack() as stack:
        ends = select.poll()
        waiting = set()
        for pid in pids:
            with suppress(OSError):
                handle = os.pidfd_open(pid)
                stack.callback(os.close, handle)
                ends.register(handle, select.POLLIN)
                waiting.add(handle)
        deadline = time.monotonic() + _LOOK_S
        while waiting and (left_s := deadline - time.monotonic()) > 0:
            for handle, _ in ends.poll(left_s * 1000):
                ends.unregister(handle)
                waiting.discard(handle)


def remove(folders: Iterable[Path]) -> None:
    """Remove empty groups, and those in them; a process that has just died may hold one for a moment."""
    deadline = time.monotonic() + PATIENCE_S
    folders = [inner for folder in folders for inner in (*_inside(folder), folder)]
    for folder in folders:
        while True:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise GradingError(
                        f"the group {folder} can't be removed: {error.strerror}.",
                        "look at what it holds; it is removed by the next run when it can be.",
                    ) from error
                time.sleep(0.002)
            else:
                break


def _inside(folder: Path) -> list[Path]:
    """The groups below one, the deepest first: a grader inside may have made its own and been killed."""
    found = [Path(place) / name for place, names, _ in os.walk(folder) for name in names]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def sweep(bases: Iterable[Path], end: Callable[[list[Path]], None]) -> None:
    """End and remove the groups whose makers are gone; what can't be removed now is left for the next time."""
    bases = list(bases)
    names: set[str] = set()
    for base in bases:
        with suppress(FileNotFoundError):  # none yet, or another maker has just removed it
            names.update(entry.name for entry in base.iterdir())
    for name in filter(is_left_over, names):
        with suppress(GradingError, OSError):
            end([base / name for base in bases if (base / name).is_dir()])


def _pid_namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def _start_time(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; -1 for one that only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return -1 if fields[0] in "ZX" else int(fields[19])
