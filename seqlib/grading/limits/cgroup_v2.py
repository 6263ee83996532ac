"""Limits by cgroups of version 2: one folder a group, and a switch that kills all of it."""

import os
from contextlib import suppress
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.limits import folders
from seqlib.grading.limits.base import AbstractGroup, AbstractLimits, ProcessLimits

__all__ = ["CgroupV2", "CgroupV2Group", "find_v2"]

_NEEDED = {"memory", "pids"}
_MAKERS = "makers"


def find_v2(mountinfo: str, membership: str) -> Path:
    """The nearest folder, from this process's group upwards, below which groups with limits can be made.

    A group that gives controllers to its children holds no processes itself, the root excepted.
    So a folder above is taken when it gives them already; the own group only when it was handed over to us.

    Raises:
        GradingError: There is none.
    """
    mount = next((mount for mount in folders.mounts(mountinfo) if mount.version == 2), None)
    if mount is None:
        raise GradingError("no cgroup of version 2 is mounted.", "go on with version 1 or rlimits.")
    own = folders.own_folder(mount, membership)
    for folder in (own, *own.parents):
        if _words(folder, "cgroup.controllers") >= _NEEDED and _may_be_used(folder, own, mount.point):
            return folder
        if folder == mount.point:
            break
    raise GradingError(
        f"no group from {own} upwards gives memory and pids to groups that we may make.",
        "start it in a group of its own: systemd-run --user --scope -p Delegate=yes COMMAND.",
    )


def _may_be_used(folder: Path, own: Path, top: Path) -> bool:
    if not os.access(folder, os.W_OK) or not os.access(folder / "cgroup.procs", os.W_OK):
        return False
    return _gives(folder) or _is_root(folder) or (folder == own and (_is_handed_over(folder) or folder == top))


def _gives(folder: Path) -> bool:
    return _words(folder, "cgroup.subtree_control") >= _NEEDED


def _is_root(folder: Path) -> bool:
    return not (folder / "cgroup.type").exists()  # only the machine's own root has none


def _is_handed_over(folder: Path) -> bool:
    """Whether systemd has marked the group as one that it leaves alone."""
    for name in ("trusted.delegate", "user.delegate"):
        with suppress(OSError, AttributeError):
            if os.getxattr(folder, name) == b"1":
                return True
    return False


def _words(folder: Path, file: str) -> set[str]:
    try:
        return set((folder / file).read_text("ascii").split())
    except OSError:
        return set()


class CgroupV2(AbstractLimits):
    """Groups under a folder of their own.

    Args:
        base: The name of the folder that holds the groups.
        parent: Where to make that folder; None: `find_v2` tells.

    Raises:
        GradingError: There is no place for groups.
        OSError: The folders may not be written.
    """

    name = "cgroup v2"

    def __init__(self, base: str = "seqlib", parent: Path | None = None) -> None:
        if parent is None:
            membership = Path("/proc/self/cgroup").read_text("utf-8")
            parent = find_v2(Path("/proc/self/mountinfo").read_text("utf-8"), membership)
        self._parent, self._base = parent, parent / base
        folders.sweep([self._base], _end)
        self.group(ProcessLimits()).close()

    def group(self, limits: ProcessLimits) -> AbstractGroup:
        (made,) = folders.make_group([self._base], folders.new_name(), self._prepare)
        group = CgroupV2Group(made)
        try:
            group.limit(limits)
        except OSError:
            group.close()
            raise
        return group

    def close(self) -> None:
        with suppress(OSError):  # another maker's groups are in it, or it is gone
            self._base.rmdir()

    def _prepare(self) -> None:
        if not _gives(self._parent):
            if not _is_root(self._parent):
                self._move_processes_down()
            folders.put(self._parent, "cgroup.subtree_control", "+memory +pids")
        self._base.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # removed meanwhile by another maker: made again
            if not _gives(self._base):
                folders.put(self._base, "cgroup.subtree_control", "+memory +pids")

    def _move_processes_down(self) -> None:
        """Empty the group that was handed over to us, so that it may give controllers."""
        leaf = self._parent / f"{self._base.name}-{_MAKERS}"
        leaf.mkdir(exist_ok=True)
        for _ in range(10):
            for pid in folders.processes_in([self._parent]):
                folders.put(leaf, "cgroup.procs", pid, optional=True)
            if not folders.processes_in([self._parent]):
                return


class CgroupV2Group(AbstractGroup):
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def limit(self, limits: ProcessLimits) -> None:
        """Set the numbers."""
        folders.put(self._folder, "memory.max", limits.memory_bytes)
        folders.put(self._folder, "memory.swap.max", 0, optional=True)  # absent where swap is not counted
        folders.put(self._folder, "memory.oom.group", 1, optional=True)
        folders.put(self._folder, "pids.max", limits.processes)

    @property
    def rlimits(self) -> dict[int, int]:
        return {}

    def add(self, pid: int) -> None:
        try:
            folders.put(self._folder, "cgroup.procs", pid)
        except OSError as error:
            raise GradingError(
                f"process {pid} can't be put under limits: {error.strerror}.",
                "it has ended, or the group is closed; start the submission again.",
            ) from error

    def peak_bytes(self) -> int | None:
        return folders.number(self._folder, "memory.peak")

    def cpu_s(self) -> float | None:
        used_us = folders.number(self._folder, "cpu.stat", "usage_usec")
        return None if used_us is None else used_us / 1e6

    def killed_for_memory(self) -> bool | None:
        kills = folders.number(self._folder, "memory.events", "oom_kill")
        return None if kills is None else kills > 0

    def kill(self) -> None:
        _end_processes([self._folder])

    def close(self) -> None:
        _end([self._folder])


def _end_processes(group: list[Path]) -> None:
    def strike() -> None:
        for folder in group:
            try:
                folders.put(folder, "cgroup.kill", 1)
            except OSError:  # a kernel before 5.14
                folders.kill_listed([folder])

    for folder in group:
        folders.put(folder, "pids.max", 0, optional=True)  # nothing new can start
    folders.kill_until_empty(group, strike)


def _end(group: list[Path]) -> None:
    _end_processes(group)
    folders.remove(group)
