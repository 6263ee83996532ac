"""Everything that a run starts: found as descendants of the driver, which inherits orphans, so that nothing hides."""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from seqlib.grading.limits import folders

__all__ = [
    "adopt_orphans",
    "descendants",
    "groups_left",
    "kill",
    "reap",
    "rss_bytes",
    "settle",
    "submission_children",
    "templates",
    "workers",
]

_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on a process whose parent dies is a child of this one."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def descendants(root: int | None = None) -> dict[int, str]:
    """All processes below one (None: this one), with their command lines; zombies are not counted."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, edge = {}, [root or os.getpid()]
    while edge:
        for pid in parents.get(edge.pop(), []):
            with suppress(OSError):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            edge.append(pid)
    return found


def workers(root: int) -> list[int]:
    """The workers of a run: forks of one process that has imported what they need."""
    made = templates(root)
    return [pid for pid in _spawned(root) if pid not in made]


def templates(root: int) -> list[int]:
    """The process that the workers of a run are forks of."""
    return [pid for pid in _spawned(root) if _parent(pid) == root]


def _spawned(root: int) -> list[int]:
    return [pid for pid, line in descendants(root).items() if "spawn_main" in line]


def submission_children(root: int) -> list[int]:
    """The processes that run students' code: forks of a warm parent, below the keeper of each submission."""
    warm = [pid for pid, line in descendants(root).items() if "inside.warm_parent" in line and "bwrap" not in line]
    forks = {pid for pid in warm if _parent(pid) in warm}
    return [pid for pid in forks if _parent(pid) in forks] or list(forks)


def kill(pids: list[int]) -> int:
    """Send SIGKILL, and return how many there were to send it to."""
    count = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            count += 1
    return count


def reap() -> None:
    """Bury what has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def settle(kept: set[int], patience_s: float) -> dict[int, str]:
    """Wait until nothing but what is kept is left below this process, and return what is."""
    deadline = time.monotonic() + patience_s
    while True:
        reap()
        # A server that was restarted on purpose has new processes.
        left = {pid: line for pid, line in descendants().items() if pid not in kept and "postgres" not in line}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def groups_left(makers: set[int]) -> list[str]:
    """The control groups whose makers were ours and are gone."""
    base = Path("/sys/fs/cgroup")
    found = [path for depth in ("*", "*/*", "*/*/*", "*/*/*/*") for path in base.glob(f"{depth}/g-*-*-*-*")]
    return [str(path) for path in found if folders.is_left_over(path.name) and int(path.name.split("-")[2]) in makers]


def rss_bytes(pid: int) -> int:
    """Memory of a process that is its own: what it shares with its parent is not counted twice."""
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _parent(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    return 0
