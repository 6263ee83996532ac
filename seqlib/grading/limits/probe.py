"""Which back end works here, and whether its limits hold: seen, not believed."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.limits.base import AbstractGroup, AbstractLimits, ProcessLimits
from seqlib.grading.limits.cgroup_v1 import CgroupV1
from seqlib.grading.limits.cgroup_v2 import CgroupV2
from seqlib.grading.limits.rlimit import Rlimits

__all__ = ["Proof", "open_limits", "probe"]

TIME_LIMIT_S = 10.0
_PROGRAM = Path(__file__).with_name("overreach.py")
_LIMITS = ProcessLimits(memory_bytes=64 * 2**20, processes=8)
_STEP = 4 * 2**20
_FORKS = 12
_MEMORY = 2 * _LIMITS.memory_bytes


@dataclass(frozen=True)
class Proof:
    """What a probe saw.

    Args:
        memory: A process in the group was stopped by the memory limit, and one outside of it was not.
        processes: The same of the limit on processes.
        detail: Both in words, with the numbers.
    """

    memory: bool
    processes: bool
    detail: str


@dataclass(frozen=True)
class _Reach:
    """How far the program came: children at once, bytes, and whether it was still there to say `end`."""

    forks: int | None
    touched: int
    ended: bool


def open_limits(base: str | None = None) -> AbstractLimits:
    """The best back end that works on this machine; left-over groups of makers that are gone are removed.

    Args:
        base: The name of the folder that holds the groups. None: `seqlib`.
    """
    backends: list[Callable[[str], AbstractLimits]] = [CgroupV2, CgroupV1]
    if sys.platform.startswith("linux"):
        for backend in backends:
            with suppress(GradingError, OSError):
                return backend(base or "seqlib")
    return Rlimits()


def probe(backend: AbstractLimits) -> Proof:
    """Reach beyond small limits in a throw-away process, and as far outside of them, and tell what was stopped.

    Args:
        backend: What is to be proved; groups of its own that are in use are not touched.

    Returns:
        What holds. A back end that fails on the way proves nothing, and the detail says why.
    """
    if not sys.platform.startswith("linux"):
        return Proof(False, False, f"Nothing limits memory or processes on {sys.platform}.")
    try:
        with backend.group(_LIMITS) as group, ExitStack() as stack:
            inside, outside = _start(stack), _start(stack)
            group.add(inside.pid)
            _order(inside, group.rlimits or None)
            _order(outside, {} if group.rlimits else None)  # the same change of user, and no limit
            return _judge(_finish(inside), _finish(outside), group)
    except (GradingError, OSError, subprocess.SubprocessError) as error:
        what = error.what if isinstance(error, GradingError) else f"{type(error).__name__}: {error}"
        return Proof(False, False, f"The probe of {backend.name} could not be made. {what}")


def _start(stack: ExitStack) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def _order(process: subprocess.Popen[bytes], rlimits: dict[int, int] | None) -> None:
    order = {
        "rlimits": rlimits,
        "forks": _FORKS,
        "memory_bytes": _MEMORY,
        "step_bytes": _STEP,
    }
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")


def _finish(process: subprocess.Popen[bytes]) -> _Reach:
    said, _ = process.communicate(timeout=TIME_LIMIT_S / 2)
    lines = [line.split() for line in said.decode().splitlines()]
    forks = next((int(line[1]) for line in lines if line[0] == "forks"), None)
    touched = max((int(line[1]) for line in lines if line[0] == "touched"), default=0)
    return _Reach(forks, touched, ended=["end"] in lines)


def _judge(inside: _Reach, outside: _Reach, group: AbstractGroup) -> Proof:
    if outside.forks != _FORKS or outside.touched < _MEMORY or inside.forks is None:
        return Proof(False, False, f"The probe proves nothing: inside it came to {inside}, outside to {outside}.")
    processes = 0 < inside.forks < _LIMITS.processes
    stopped = inside.touched <= _LIMITS.memory_bytes and inside.touched > 0
    # A process that was ended by somebody else would be no proof.
    memory = stopped and (inside.ended or group.killed_for_memory() is not False)
    return Proof(memory, processes, f"{_tell_processes(inside.forks)} {_tell_memory(inside, memory, group)}")


def _tell_processes(forks: int) -> str:
    if forks == 0:
        return "Not even one process could be started: others of the same user are counted too."
    if forks >= _LIMITS.processes:
        return f"A limit of {_LIMITS.processes} processes was passed: {forks + 1} ran at once."
    return f"A limit of {_LIMITS.processes} processes stopped the one after {forks + 1}."


def _tell_memory(reach: _Reach, holds: bool, group: AbstractGroup) -> str:
    limit, touched = _LIMITS.memory_bytes // 2**20, reach.touched // 2**20
    if not holds:
        return f"A limit of {limit} MiB did not stop a process, which came to {touched} MiB."
    each = " It holds for each process by itself, and not for shared memory." if group.rlimits else ""
    return f"A limit of {limit} MiB stopped a process after {touched} MiB.{each}"
