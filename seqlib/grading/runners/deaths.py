"""Whose doing it was that a worker died: its job's, as far as anybody can tell, or somebody else's."""

import signal
from pathlib import Path

__all__ = ["memory_kills", "was_killed"]

_COUNTERS = Path("/proc/vmstat")


def memory_kills() -> int | None:
    """How many processes this machine has ended for want of memory since it started; None where it does not say."""
    try:
        lines = _COUNTERS.read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


def was_killed(exit_code: int | None, before: int | None) -> bool:
    """Whether a worker was ended by somebody else, which says nothing about its job.

    Nothing that a job does sends a worker this signal but by way of its memory, and that the machine counts.

    Args:
        exit_code: Of the worker: minus the signal's number.
        before: The count of `memory_kills` when the job was given to it.

    >>> was_killed(-11, memory_kills()), was_killed(1, memory_kills()), was_killed(-9, None)
    (False, False, False)
    """
    return exit_code in (-signal.SIGKILL, -signal.SIGTERM) and before is not None and memory_kills() == before
