"""Which folders version 1 uses."""

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits.cgroup_v1 import CgroupV1Group, find_v1

MEMORY = "31 29 0:27 / {0}/memory rw - cgroup cgroup rw,memory\n"
PIDS = "32 29 0:28 / {0}/pids rw - cgroup cgroup rw,pids\n"
CPU = "33 29 0:29 / {0}/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"


def test_each_controller_has_its_own_place(tmp_path):
    """This process may lie deeper in one hierarchy than in another."""
    (tmp_path / "memory" / "job" / "7").mkdir(parents=True)

    found = find_v1((MEMORY + PIDS + CPU).format(tmp_path), "4:memory:/job/7\n3:cpu,cpuacct:/\n2:pids:/\n0::/\n")

    assert found == {
        "memory": tmp_path / "memory" / "job" / "7",
        "pids": tmp_path / "pids",
        "cpuacct": tmp_path / "cpu",
    }


def test_processor_time_can_be_done_without(tmp_path):
    """A machine that does not count it can still limit; the time is then unknown."""
    found = find_v1((MEMORY + PIDS).format(tmp_path), "")

    assert found.keys() == {"memory", "pids"}
    assert CgroupV1Group(found).cpu_s() is None


def test_an_absent_controller_is_named(tmp_path):
    """Half a limit is none."""
    with pytest.raises(GradingError) as caught:
        find_v1(MEMORY.format(tmp_path), "")

    assert caught.value.what == "no cgroup of version 1 has pids."


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"}, True),
        ({"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n"}, False),
        ({"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n", "memory.failcnt": "0\n"}, False),
        ({"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n", "memory.failcnt": "9\n"}, None),
    ],
)
def test_an_old_kernel_does_not_tell_who_was_killed(tmp_path, files, expected):
    """Without a count of kills, meeting the limit proves nothing; never meeting it does."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert CgroupV1Group({"memory": tmp_path, "pids": tmp_path}).killed_for_memory() is expected
