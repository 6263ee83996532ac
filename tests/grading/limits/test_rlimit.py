"""The back end for machines without cgroups: what the child sets on itself, and an end for its whole tree."""

import json
import os
import sys
import time

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import ProcessLimits
from seqlib.grading.limits.rlimit import Rlimits

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is enforced outside Linux"),
]

# What the sandbox does to a child: no root, a user namespace where it is allowed, then the limits.
ORDINARY = """
import ctypes, json, os, resource, signal, time
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
own = ctypes.CDLL(None).unshare(0x10000000) == 0
for which, value in json.loads(sys.stdin.readline()).items():
    resource.setrlimit(int(which), (value, value))
"""
HOARDER = """
try:
    held = b"1" * 3_000_000_000
except MemoryError:
    print("refused", flush=True)
time.sleep(100)
"""


def go(process, group):
    process.stdin.write("\n" + json.dumps(group.rlimits) + "\n")
    process.stdin.flush()


def test_a_large_allocation_fails(start):
    """3 GB under 256 MiB is a MemoryError, and the process lives on."""
    process = start(ORDINARY + HOARDER)
    with Rlimits().group(ProcessLimits(memory_bytes=256 * 2**20, processes=10_000)) as group:
        group.add(process.pid)
        go(process, group)

        assert process.stdout.readline() == "refused\n"
        assert 2**20 < group.peak_bytes() < 256 * 2**20
        assert group.cpu_s() > 0
        assert group.killed_for_memory() is None
    assert process.wait(5) == -9


def test_a_fork_bomb_is_held_and_ended(start):
    """It has no more processes than its limit, and the kill outruns it."""
    bomb = "print(own, flush=True)\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    process = start(ORDINARY + bomb)
    with Rlimits().group(ProcessLimits(processes=24)) as group:
        group.add(process.pid)
        go(process, group)
        if process.stdout.readline() != "True\n":
            pytest.skip("user namespaces are switched off here, so the user's other processes count too")
        time.sleep(0.5)
        tree = group._tree()

        group.kill()

        assert len(tree) == 24
        assert not [pid for pid in tree - {process.pid} if runs(pid)]
    assert process.wait(5) == -9


def test_children_in_sessions_of_their_own_are_ended(start):
    """Leaving the process group and ignoring SIGTERM helps nobody."""
    code = """
pids = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(100)
    pids.append(pid)
print(*pids, flush=True)
time.sleep(100)
"""
    process = start(ORDINARY + code)
    with Rlimits().group(ProcessLimits(processes=10_000)) as group:
        group.add(process.pid)
        go(process, group)
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert all(runs(pid) for pid in children)

    assert not [pid for pid in children if runs(pid)]
    assert process.wait(5) == -9


def test_a_group_without_processes_is_closed_twice():
    """There is nothing to tell, and nothing fails."""
    group = Rlimits().group(ProcessLimits())

    group.close()
    group.close()

    assert (group.peak_bytes(), group.cpu_s()) == (None, None)


def test_who_comes_late_is_refused(start):
    """A process that has ended and been waited for, or that comes after the end, is refused in words."""
    process = start("")
    process.communicate("\n", timeout=20)
    group = Rlimits().group(ProcessLimits())

    with pytest.raises(GradingError, match=f"process {process.pid} can't be put under limits"):
        group.add(process.pid)
    group.close()
    with pytest.raises(GradingError, match="the group is ended"):
        group.add(os.getpid())


def runs(pid):
    """Whether a process is there and is more than a name that waits to be read."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
