"""Hostile processes against real cgroups: they are stopped, they end, and only they."""

import os
import subprocess
import sys
import time

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import ProcessLimits, folders

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
HOARDER = """
held = b"1" * 3_000_000_000
print("came through")
"""
STUBBORN = """
import signal, time
for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("ready", flush=True)
time.sleep(100)
"""
DYING = """
import os, time
for _ in range(400):
    try:
        if os.fork() == 0:
            time.sleep(0.002)
            os._exit(0)
    except OSError:
        pass
time.sleep(100)
"""
MAKER = """
import subprocess, sys, time
from seqlib.grading.limits.cgroup_v1 import CgroupV1
from seqlib.grading.limits.cgroup_v2 import CgroupV2
from seqlib.grading.limits import ProcessLimits
backend = {CgroupV1.name: CgroupV1, CgroupV2.name: CgroupV2}[sys.argv[1]](sys.argv[2])
"""


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def all_folders(group):
    return [group._folder] if hasattr(group, "_folder") else group._distinct


def test_a_fork_bomb_is_held_and_ended(cgroups, start):
    """It never has more processes than its limit, it ends while it goes on forking, and the group goes with it."""
    process = start(BOMB)
    with cgroups.group(ProcessLimits(processes=32)) as group:
        made = all_folders(group)
        group.add(process.pid)
        go(process)
        deadline = time.monotonic() + 10
        while len(folders.processes_in(made)) < 32 and time.monotonic() < deadline:
            time.sleep(0.01)
        counted = len(folders.processes_in(made))

        group.kill()

        assert counted == 32
        assert not folders.processes_in(made)
        assert group.cpu_s() > 0
    assert process.wait(5) == -9
    assert not any(folder.exists() for folder in made)


def test_a_large_allocation_ends_its_own_process(cgroups, start):
    """3 GB in a group of 128 MiB: the process is ended, this one is not, and the group tells why."""
    process, limit = start(HOARDER), 128 * 2**20
    with cgroups.group(ProcessLimits(memory_bytes=limit)) as group:
        group.add(process.pid)
        go(process)

        assert process.wait(20) == -9
        assert group.killed_for_memory()
        assert (group.peak_bytes() or limit) <= limit
    assert process.stdout.read() == ""


def test_memory_counts_for_all_processes_together(cgroups, start):
    """Four processes of 60 MiB each do not fit into 128 MiB."""
    process = start(
        "import os, time\nos.fork(); os.fork()\nheld = b'1' * 60 * 2**20\nheld = b'1' * 60_000_000\ntime.sleep(9)"
    )
    with cgroups.group(ProcessLimits(memory_bytes=128 * 2**20)) as group:
        group.add(process.pid)
        go(process)
        deadline = time.monotonic() + 8
        while not group.killed_for_memory() and time.monotonic() < deadline:
            time.sleep(0.02)

        assert group.killed_for_memory()


def test_no_signal_can_be_ignored(cgroups, start):
    """A process that ignores whatever it may ends all the same; it was not killed for its memory."""
    process = start(STUBBORN)
    with cgroups.group(ProcessLimits()) as group:
        group.add(process.pid)
        go(process)
        assert process.stdout.readline() == "ready\n"

        group.kill()

        assert group.killed_for_memory() is False
    assert process.wait(5) == -9


def test_groups_close_while_their_processes_die(cgroups, start):
    """Closing at any moment of a crowd's coming and going leaves no process and no folder."""
    for pause_s in (0, 0.003, 0.01, 0.03):
        process = start(DYING)
        group = cgroups.group(ProcessLimits(processes=16))
        made = all_folders(group)
        group.add(process.pid)
        go(process)
        time.sleep(pause_s)

        group.close()
        group.close()

        assert process.wait(5) == -9
        assert not any(folder.exists() for folder in made)


def test_a_closed_group_takes_nobody(cgroups, start):
    """A process that comes too late is refused in words, and so is one that has ended."""
    process = start("")
    group = cgroups.group(ProcessLimits())
    go(process)
    process.wait(10)
    with pytest.raises(GradingError, match=f"process {process.pid} can't be put under limits"):
        group.add(process.pid)
    group.close()
    with pytest.raises(GradingError, match="it has ended, or the group is closed"):
        group.add(start("").pid)


def maker(cgroups, base, code):
    return subprocess.Popen(
        [sys.executable, "-c", MAKER + code, cgroups.name, base],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_left_over_groups_are_removed_and_living_ones_are_not(cgroups):
    """After kill -9 of one of two makers, the next one to open ends what that one left, and the other goes on."""
    base = f"seqlib-test-{os.getpid()}-two"
    code = """
group = backend.group(ProcessLimits())
child = subprocess.Popen(["sleep", "100"])
group.add(child.pid)
print(child.pid, flush=True)
sys.stdin.readline()
print(child.poll(), flush=True)
group.close(); child.wait(); backend.close()
"""
    dead, alive = maker(cgroups, base, code), maker(cgroups, base, code)
    with dead, alive:
        try:
            orphan, guarded = int(dead.stdout.readline()), int(alive.stdout.readline())
            dead.kill()
            dead.wait()
            assert os.path.exists(f"/proc/{orphan}")

            opened = type(cgroups)(base)

            assert not folders_of(opened, dead.pid)
            assert folders_of(opened, alive.pid)
            assert folders.processes_in(folders_of(opened, alive.pid)) == {guarded}
        finally:
            dead.kill()
            alive.kill()
    again = type(cgroups)(base)
    assert not folders_of(again, alive.pid)
    again.close()


def folders_of(backend, pid):
    bases = [backend._base] if hasattr(backend, "_base") else backend._distinct
    return [
        entry for base in bases if base.is_dir() for entry in base.iterdir() if entry.name.split("-")[2:3] == [str(pid)]
    ]


def test_two_makers_open_and_close_at_once(cgroups):
    """Makers that share a folder, and remove it whenever it is empty, never trip over each other."""
    base = f"seqlib-test-{os.getpid()}-race"
    code = """
for _ in range(40):
    with backend.group(ProcessLimits()):
        pass
    backend.close()
    backend = type(backend)(sys.argv[2])
backend.close()
"""
    makers = [maker(cgroups, base, code) for _ in range(3)]

    for process in makers:
        _, error = process.communicate(timeout=50)
        assert process.returncode == 0, error
