"""Grading on Dask workers: same verdicts, whoever dies; GPUs are lent one by one; errors are one line."""

import os
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="install it with: python start.py --extras cluster,grading --setup")

from distributed import Client, LocalCluster

from seqlib.errors import GradingError
from seqlib.grading.devices import FakeDevices
from seqlib.grading.runners.cluster.runner import DaskRunner
from seqlib.grading.runners.cluster.sources import AddressSource, LocalSource

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def scheduler():
    """A Dask cluster of somebody else's, with one worker."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=0
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def address(client: Client) -> str:
    """The scheduler's."""
    return client.scheduler.address


def test_a_class_is_graded_on_dask_workers(course):
    """Each submission has exactly its verdicts."""
    made, folder = course

    rows = list(made.run(folder, lambda settings: DaskRunner(settings, LocalSource(2))))

    made.assert_graded(rows)


def test_a_killed_worker_costs_nobody_anything(course, heard):
    """Kill -9 of a Dask worker that is grading: its submission is graded elsewhere, all have their verdicts."""
    made, folder = course
    rows, killed = [], 0
    for row in made.run(folder, lambda settings: DaskRunner(settings, LocalSource(2))):
        rows.append(row)
        if not killed:
            killed = int(heard.slots[-1].split("/")[0].rsplit("-", 1)[1])
            os.kill(killed, signal.SIGKILL)

    made.assert_graded(rows)
    assert any(outcome.lost for outcome in heard.outcomes)


def test_a_killed_seat_costs_nobody_anything(course, heard):
    """Kill -9 of the process that makes verdicts: the Dask worker starts another."""
    made, folder = course
    rows, killed = [], False
    for row in made.run(folder, lambda settings: DaskRunner(settings, LocalSource(1))):
        rows.append(row)
        if not killed:
            worker = int(heard.slots[-1].split("/")[0].rsplit("-", 1)[1])
            [seat] = children(worker)
            os.kill(seat, signal.SIGKILL)
            killed = True

    made.assert_graded(rows)


def test_a_scheduler_is_left_as_it_was(course, scheduler):
    """On somebody else's workers nothing stays: no seat, no key, no process."""
    made, folder = course
    before = scheduler.run(lambda dask_worker: sorted(dask_worker.plugins))
    [worker] = scheduler.run(os.getpid).values()

    rows = list(made.run(folder, lambda settings: DaskRunner(settings, AddressSource(address(scheduler)))))

    made.assert_graded(rows)
    deadline = time.monotonic() + 10
    while children(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not children(worker)
    assert scheduler.run(lambda dask_worker: sorted(dask_worker.plugins)) == before


def test_each_job_has_a_gpu_of_its_own(course, heard, tmp_path):
    """Two workers that count a GPU each get different ones, though nobody told them which."""
    made, folder = course
    fake = FakeDevices(2, folder=tmp_path)

    rows = list(
        made.run(
            folder,
            lambda settings: DaskRunner(settings, LocalSource(2, gpus=True), device="cuda", devices=fake),
            device="cuda",
        )
    )

    made.assert_graded(rows)
    used = {slot.split("/")[0]: slot.split("/")[1] for slot in heard.slots}
    assert sorted(used.values()) == ["cuda:0", "cuda:1"]


def test_a_broken_gpu_is_not_used(course, heard, tmp_path):
    """A GPU whose probe fails is left out, and whoever grades is told; the other one grades all."""
    made, folder = course
    fake, said = FakeDevices(2, folder=tmp_path), []
    fake.damage("cuda:0")

    rows = list(
        made.run(
            folder,
            lambda settings: DaskRunner(
                settings, LocalSource(2, gpus=True), device="cuda", devices=fake, say=said.append
            ),
            device="cuda",
        )
    )

    made.assert_graded(rows)
    assert {slot.split("/")[1] for slot in heard.slots} == {"cuda:1"}
    assert any("cuda:0 does not work" in line for line in said)


def test_a_gpu_that_breaks_is_nobodys_fault(course, heard, tmp_path):
    """What fails on a GPU that the host finds broken is graded on another; on a sound one it is the student's."""
    made, folder = course
    fake = FakeDevices(2, folder=tmp_path)
    rows = []
    for row in made.run(
        folder,
        lambda settings: DaskRunner(settings, LocalSource(2, gpus=True), device="cuda", devices=fake),
        device="cuda",
    ):
        rows.append(row)
        used = [slot.split("/")[1] for slot in heard.slots]
        if len(set(used)) == 2:
            fake.damage("cuda:0")

    made.assert_graded(rows)
    errors = [row for row in rows if any(verdict.status == "error" for verdict in row.verdicts)]
    assert len(errors) == 1


def test_without_a_gpu_jobs_run_on_the_cpu(course, heard):
    """Where no worker counts a GPU, the same jobs run on the CPU, and whoever grades is told."""
    made, folder = course
    said = []

    rows = list(
        made.run(
            folder,
            lambda settings: DaskRunner(settings, LocalSource(1), device="cuda", say=said.append),
            device="cuda",
        )
    )

    made.assert_graded(rows)
    assert [line.split(" ", 1)[1] for line in said] == ["counts no GPU: its jobs run on the CPU"]


def test_an_unknown_scheduler_is_one_line(course):
    """An address where nobody answers."""
    made, folder = course

    with pytest.raises(GradingError) as refused:
        list(made.run(folder, lambda settings: DaskRunner(settings, AddressSource("tcp://127.0.0.1:9"))))

    assert refused.value.what == "no Dask scheduler answers at tcp://127.0.0.1:9."


def test_no_worker_is_one_line(course):
    """A scheduler to which no worker comes."""
    made, folder = course

    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as empty:
        source = AddressSource(empty.scheduler_address, wait_s=1)
        run = made.run(folder, lambda settings: DaskRunner(settings, source))
        with pytest.raises(GradingError) as refused:
            list(run)

    assert refused.value.what == f"no worker came to the scheduler {empty.scheduler_address} within 1 s."


def test_a_node_with_another_key_does_not_grade(course, scheduler, tmp_path):
    """A key file on the node that is not the class's is noticed before anything is graded."""
    made, folder = course
    other = tmp_path / "other.key"
    other.write_text("0" * 64)
    other.chmod(0o600)

    with pytest.raises(GradingError, match=r"other.key on .* is another key"):
        list(
            made.run(
                folder,
                lambda settings: DaskRunner(settings, AddressSource(address(scheduler)), key_file=other),
                dry_run=True,
            )
        )


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found if path.exists() else []


def test_a_node_with_other_software_does_not_grade(course, scheduler, monkeypatch):
    """A version that differs from the coordinator's is named; a verdict might depend on it."""
    from seqlib.grading.runners.cluster import trusted

    made, folder = course
    monkeypatch.setattr(trusted.platform, "python_version", lambda: "3.99.0")

    with pytest.raises(GradingError, match=r"has Python 3\.1\d\.\d+, not 3\.99\.0"):
        list(made.run(folder, lambda settings: DaskRunner(settings, AddressSource(address(scheduler)))))
