"""Where groups lie, and whose they are."""

import os
import subprocess
import sys

import pytest

from seqlib.grading.limits import folders

MOUNTS = """\
30 29 0:26 / {0}/pids rw,relatime - cgroup cgroup rw,pids
31 29 0:27 /docker/abc {0}/memory rw,relatime - cgroup cgroup rw,memory
32 29 0:28 / {0}/unified rw,relatime - cgroup2 cgroup2 rw
33 29 0:29 / {0}/both rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 29 0:30 / /proc rw,relatime - proc proc rw
"""

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/ns/pid"), reason="process names come from /proc")


def test_mounts_are_read_from_mountinfo(tmp_path):
    """Controllers, the version and the shown part of the hierarchy are found for each mount, and nothing else is."""
    found = folders.mounts(MOUNTS.format(tmp_path))

    assert [mount.version for mount in found] == [1, 1, 2, 1]
    assert "cpuacct" in found[3].options
    assert found[1].root == "/docker/abc"


@pytest.mark.parametrize(
    ("membership", "expected"),
    [
        ("4:memory:/docker/abc/inner", "memory/inner"),
        ("4:memory:/docker/abc", "memory"),
        ("4:memory:/elsewhere", "memory"),
        ("4:memory:/docker/abc/absent", "memory"),
        ("9:pids:/x", "memory"),
    ],
)
def test_own_folder_stays_inside_the_mount(tmp_path, membership, expected):
    """A container shows a part of the hierarchy: the own path is taken from there, and never leads out of it."""
    (tmp_path / "memory" / "inner").mkdir(parents=True)
    mount = folders.mounts(MOUNTS.format(tmp_path))[1]

    assert folders.own_folder(mount, membership, "memory") == tmp_path / expected


@needs_proc
def test_a_group_is_left_over_when_its_maker_is_gone():
    """The same number with another start time is another process."""
    own = folders.new_name()
    namespace, pid, start = own.split("-")[1:4]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert not folders.is_left_over(own)
    assert folders.is_left_over(f"g-{namespace}-{pid}-{int(start) - 1}-0")
    assert folders.is_left_over(f"g-{namespace}-{gone.pid}-{start}-0")


@needs_proc
def test_what_can_not_be_judged_is_not_left_over():
    """Folders of other programs, and of makers in another pid namespace, are left alone."""
    assert not folders.is_left_over("user.slice")
    assert not folders.is_left_over("g-1-999999999-5-0")


def test_names_are_never_given_twice():
    """Groups of one maker differ by a number."""
    assert len({folders.new_name() for _ in range(50)}) == 50


def test_a_control_file_is_never_made(tmp_path):
    """An absent control means no limit, so writing it must fail and not make a file."""
    with pytest.raises(FileNotFoundError):
        folders.put(tmp_path, "memory.max", 1)

    folders.put(tmp_path, "memory.max", 1, optional=True)

    assert not list(tmp_path.iterdir())
