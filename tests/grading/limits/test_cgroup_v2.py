"""Version 2: the logic on a made-up tree of files, and the kill on a real one where there is one."""

import os
from pathlib import Path

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import ProcessLimits, folders
from seqlib.grading.limits.cgroup_v2 import CgroupV2, CgroupV2Group, find_v2

MOUNT = "32 29 0:28 / {0} rw - cgroup2 cgroup2 rw\n"
FILES = {
    "cgroup.procs": "",
    "cgroup.kill": "",
    "cgroup.controllers": "cpu memory pids",
    "cgroup.subtree_control": "",
    "cgroup.type": "domain",
    "memory.max": "",  # a made-up file would keep the rest of what it held
    "memory.swap.max": "",
    "memory.oom.group": "",
    "memory.peak": "1048576\n",
    "memory.events": "low 0\noom 1\noom_kill 3\noom_group_kill 1\n",
    "pids.max": "",
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
}


def make(folder: Path, **changes: str | None) -> Path:
    """A made-up group; a control given as None is absent."""
    os.makedirs(folder, exist_ok=True)
    for name, text in (FILES | {key.replace("__", "."): value for key, value in changes.items()}).items():
        if text is not None:
            (folder / name).write_text(text)
    return folder


@pytest.fixture
def kernel(monkeypatch):
    """A file system that fills new folders with controls, and removes them with a folder, as the kernel does."""
    plain, plain_rmdir = Path.mkdir, os.rmdir

    def mkdir(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        if not (self / "cgroup.procs").exists():
            make(self)

    def rmdir(path):
        if not os.path.isdir(path):
            raise FileNotFoundError(path)
        if any(entry.is_dir() for entry in Path(path).iterdir()):
            raise OSError("not empty")
        for file in Path(path).iterdir():
            file.unlink()
        plain_rmdir(path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", rmdir)
    monkeypatch.setattr(folders.os, "rmdir", rmdir)


def find(top, own):
    return find_v2(MOUNT.format(top), f"0::{own}\n")


def test_the_nearest_group_that_gives_controllers_is_taken(tmp_path):
    """So an outer limit, of a job or a slice, goes on to hold."""
    make(tmp_path, cgroup__type=None, cgroup__subtree_control="memory pids")
    make(tmp_path / "job", cgroup__subtree_control="cpu memory pids")
    make(tmp_path / "job" / "task")

    assert find(tmp_path, "/job/task") == tmp_path / "job"


def test_a_group_with_processes_that_is_not_ours_is_passed_over(tmp_path):
    """Nobody has handed it over, so its processes stay where they are."""
    make(tmp_path, cgroup__type=None)
    make(tmp_path / "session")

    assert find(tmp_path, "/session") == tmp_path


def test_the_top_of_a_container_is_taken(tmp_path):
    """Inside a cgroup namespace the top is no root of the machine, and it is ours."""
    make(tmp_path)

    assert find(tmp_path, "/") == tmp_path


def test_a_hybrid_machine_has_no_place(tmp_path):
    """Where version 1 holds the controllers the tree of version 2 is empty, and version 1 has to do it."""
    make(tmp_path, cgroup__type=None, cgroup__controllers="hugetlb")

    with pytest.raises(GradingError) as caught:
        find(tmp_path, "/")

    assert caught.value.what == f"no group from {tmp_path} upwards gives memory and pids to groups that we may make."
    assert "systemd-run --user --scope -p Delegate=yes" in caught.value.hint


def test_no_mount_is_told():
    """A machine with version 1 only, or with none."""
    with pytest.raises(GradingError, match=r"no cgroup of version 2 is mounted\."):
        find_v2("", "")


def test_limits_are_written_and_counters_read(tmp_path, kernel):
    """Memory without swap, all processes ended together, and the numbers in our units."""
    top = make(tmp_path / "top", cgroup__type=None)
    backend = CgroupV2("mine", parent=top)

    group = backend.group(ProcessLimits(memory_bytes=1000, processes=7))

    (folder,) = [entry for entry in (top / "mine").iterdir() if entry.is_dir()]
    written = {name: (folder / name).read_text() for name in ("memory.max", "memory.swap.max", "memory.oom.group")}
    assert written == {"memory.max": "1000", "memory.swap.max": "0", "memory.oom.group": "1"}
    assert (folder / "pids.max").read_text() == "7"
    assert (top / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (top / "mine" / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (group.peak_bytes(), group.cpu_s(), group.killed_for_memory()) == (2**20, 2.5, True)
    assert group.rlimits == {}
    group.close()
    backend.close()
    assert not (top / "mine").exists()


def test_a_missing_limit_is_an_error_and_leaves_nothing(tmp_path, kernel, monkeypatch):
    """A group without its limit must not be used."""
    top = make(tmp_path / "top", cgroup__type=None)
    monkeypatch.delitem(FILES, "memory.max")

    with pytest.raises(OSError, match=r"memory\.max"):
        CgroupV2("mine", parent=top)

    assert not [entry for entry in (top / "mine").iterdir() if entry.is_dir()]


def test_an_old_kernel_tells_less(tmp_path):
    """Counters that are absent are unknown, and not zero."""
    group = CgroupV2Group(tmp_path)

    assert (group.peak_bytes(), group.cpu_s(), group.killed_for_memory()) == (None, None, None)


def test_a_handed_over_group_is_emptied_first(tmp_path, kernel):
    """A group may not hold processes and give controllers: they move one level down."""
    top = make(tmp_path / "top", cgroup__procs="41\n")

    backend = CgroupV2("mine", parent=top)

    assert (top / "mine-makers" / "cgroup.procs").read_text() == "41"
    backend.close()


@pytest.mark.system
@pytest.mark.timeout(60)
@pytest.mark.parametrize("switch", [True, False])
def test_a_real_group_is_killed_whole(start, monkeypatch, switch):
    """By the kernel's switch, and one by one where there is none; no controller is needed for this."""
    mount = next((m for m in folders.mounts(proc("mountinfo")) if m.version == 2), None)
    if mount is None:
        pytest.skip("no cgroup of version 2 is mounted here")
    folder = folders.own_folder(mount, proc("cgroup")) / f"seqlib-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no group can be made here: {error}")
    if not switch:
        without_switch(monkeypatch)
    process = start("import os, time\nfor _ in range(4): os.fork()\nprint(1, flush=True)\ntime.sleep(100)")

    with CgroupV2Group(folder) as group:
        group.add(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "1\n"
        assert group.cpu_s() > 0

    assert process.wait(5) == -9
    assert not folder.exists()


def without_switch(monkeypatch):
    put = folders.put

    def old(folder, file, value, **options):
        if file == "cgroup.kill":
            raise FileNotFoundError(file)
        put(folder, file, value, **options)

    monkeypatch.setattr(folders, "put", old)


def proc(name):
    path = Path("/proc/self") / name
    return path.read_text() if path.exists() else ""
