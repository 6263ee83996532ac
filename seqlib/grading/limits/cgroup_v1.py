"""Limits by cgroups of version 1: a folder of the same name under each controller.

The groups lie below the group in which this process is, controller by controller, so an outer limit goes on to hold.
"""

from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.limits import folders
from seqlib.grading.limits.base import AbstractGroup, AbstractLimits, ProcessLimits

__all__ = ["CgroupV1", "CgroupV1Group", "find_v1"]


def find_v1(mountinfo: str, membership: str) -> dict[str, Path]:
    """This process's folder by controller: memory and pids, and cpuacct where it is mounted.

    Raises:
        GradingError: A controller that is needed is not mounted.
    """
    own: dict[str, Path] = {}
    for controller in ("memory", "pids", "cpuacct"):
        for mount in folders.mounts(mountinfo):
            if mount.version == 1 and controller in mount.options:
                own[controller] = folders.own_folder(mount, membership, controller)
                break
    if absent := {"memory", "pids"} - own.keys():
        raise GradingError(
            f"no cgroup of version 1 has {' and '.join(sorted(absent))}.",
            "grade on a machine where cgroups are mounted, or go on with rlimits.",
        )
    return own


class CgroupV1(AbstractLimits):
    """Groups under `base` in every controller.

    Args:
        base: The name of the folder that holds the groups.

    Raises:
        GradingError: A controller is absent.
        OSError: The folders may not be written.
    """

    name = "cgroup v1"

    def __init__(self, base: str = "seqlib") -> None:
        own = find_v1(Path("/proc/self/mountinfo").read_text("utf-8"), Path("/proc/self/cgroup").read_text("utf-8"))
        self._bases = {controller: folder / base for controller, folder in own.items()}
        self._distinct = list(dict.fromkeys(self._bases.values()))  # controllers may be mounted together
        folders.sweep(self._distinct, _end)
        self.group(ProcessLimits()).close()

    def group(self, limits: ProcessLimits) -> AbstractGroup:
        made = folders.make_group(self._distinct, folders.new_name(), self._prepare)
        group = CgroupV1Group({controller: base / made[0].name for controller, base in self._bases.items()})
        try:
            group.limit(limits)
        except OSError:
            group.close()
            raise
        return group

    def close(self) -> None:
        for base in self._distinct:
            try:
                base.rmdir()
            except OSError:  # another maker's groups are in it, or it is gone
                continue

    def _prepare(self) -> None:
        for base in self._distinct:
            base.mkdir(exist_ok=True)


class CgroupV1Group(AbstractGroup):
    """One folder a controller; `by_controller` has at least memory and pids."""

    def __init__(self, by_controller: dict[str, Path]) -> None:
        self._at = by_controller
        self._distinct = list(dict.fromkeys(by_controller.values()))

    def limit(self, limits: ProcessLimits) -> None:
        """Set the numbers."""
        folders.put(self._at["memory"], "memory.limit_in_bytes", limits.memory_bytes)
        # Memory and swap together; the file is absent where swap is not counted.
        folders.put(self._at["memory"], "memory.memsw.limit_in_bytes", limits.memory_bytes, optional=True)
        folders.put(self._at["memory"], "memory.swappiness", 0, optional=True)
        folders.put(self._at["pids"], "pids.max", limits.processes)

    @property
    def rlimits(self) -> dict[int, int]:
        return {}

    def add(self, pid: int) -> None:
        try:
            for folder in self._distinct:
                folders.put(folder, "cgroup.procs", pid)
        except OSError as error:
            raise GradingError(
                f"process {pid} can't be put under limits: {error.strerror}.",
                "it has ended, or the group is closed; start the submission again.",
            ) from error

    def peak_bytes(self) -> int | None:
        return folders.number(self._at["memory"], "memory.max_usage_in_bytes")

    def cpu_s(self) -> float | None:
        used_ns = folders.number(self._at["cpuacct"], "cpuacct.usage") if "cpuacct" in self._at else None
        return None if used_ns is None else used_ns / 1e9

    def killed_for_memory(self) -> bool | None:
        kills = folders.number(self._at["memory"], "memory.oom_control", "oom_kill")
        if kills is not None:
            return kills > 0
        # An old kernel counts only how often the limit was met, and meeting it need not end anything.
        return False if folders.number(self._at["memory"], "memory.failcnt") == 0 else None

    def kill(self) -> None:
        _end_processes(self._distinct)

    def close(self) -> None:
        _end(self._distinct)


def _end_processes(group: list[Path]) -> None:
    for folder in group:
        folders.put(folder, "pids.max", 0, optional=True)  # no fork succeeds any more, so the loop below ends
    folders.kill_until_empty(group, lambda: folders.kill_listed(group))


def _end(group: list[Path]) -> None:
    _end_processes(group)
    folders.remove(group)
