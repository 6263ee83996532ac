"""Grading through a real SLURM: controller and node run here, each Dask worker is a job."""

from pathlib import Path

import pytest

pytest.importorskip("dask_jobqueue", reason="install it with: python start.py --extras cluster,grading --setup")

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(240)]


def source(tmp_path: Path, *, workers: int = 2, gpus: bool = False):
    """Workers as SLURM jobs."""
    from seqlib.grading.runners.cluster.sources import SlurmOptions, SlurmSource

    options = SlurmOptions(memory="2GB", time="00:20:00", cpus=1, interface="lo", folder=tmp_path / "shared")
    return SlurmSource(workers, options, gpus=gpus, wait_s=120)


def test_a_class_is_graded_through_slurm(slurm, course, tmp_path):
    """Each submission has exactly its verdicts, and no job is left."""
    from seqlib.grading.runners.cluster.runner import DaskRunner

    made, folder = course
    rows = list(made.run(folder, lambda settings: DaskRunner(settings, source(tmp_path))))

    made.assert_graded(rows)
    assert not slurm.jobs()


def test_a_cancelled_job_costs_nobody_anything(slurm, course, tmp_path, heard):
    """SLURM jobs that are cancelled while they grade are asked for again, and every submission has its verdicts."""
    from seqlib.grading.runners.cluster.runner import DaskRunner

    made, folder = course
    rows, cancelled = [], []
    for row in made.run(folder, lambda settings: DaskRunner(settings, source(tmp_path))):
        rows.append(row)
        if not cancelled and any(name != heard.slots[0] for name in heard.slots):
            cancelled = slurm.jobs()
            slurm.run("scancel", *cancelled)

    made.assert_graded(rows)
    assert cancelled
    assert any(outcome.lost for outcome in heard.outcomes)


def test_slurm_says_which_gpu_a_job_has(slurm, course, tmp_path, heard):
    """Two jobs with a GPU each, counted by SLURM, use different ones; each submission has its verdicts."""
    from seqlib.grading.devices import FakeDevices
    from seqlib.grading.runners.cluster.runner import DaskRunner

    made, folder = course
    fake = FakeDevices(2, folder=slurm.folder)
    rows = list(
        made.run(
            folder,
            lambda settings: DaskRunner(settings, source(tmp_path, gpus=True), device="cuda", devices=fake),
            device="cuda",
        )
    )

    made.assert_graded(rows)
    used = {slot.split("/")[0]: slot.split("/")[1] for slot in heard.slots}
    assert sorted(set(used.values())) == ["cuda:0", "cuda:1"][: len(used)]


def test_slurm_refuses_in_one_line(slurm, course, tmp_path):
    """A partition that is not there is an error of ours with SLURM's own words."""
    from seqlib.errors import GradingError
    from seqlib.grading.runners.cluster.runner import DaskRunner
    from seqlib.grading.runners.cluster.sources import SlurmOptions, SlurmSource

    made, folder = course
    options = SlurmOptions(queue="nowhere", interface="lo", folder=tmp_path)
    with pytest.raises(GradingError, match=r"^SLURM refuses the job: .*Invalid partition") as refused:
        list(made.run(folder, lambda settings: DaskRunner(settings, SlurmSource(1, options))))

    assert refused.value.hint == "see sinfo for its partitions and what they offer."


def test_a_job_that_can_not_start_is_told(slurm, course, tmp_path):
    """Jobs that all end before a worker comes are an error with their last words, long before anybody gives up."""
    from seqlib.errors import GradingError
    from seqlib.grading.runners.cluster.runner import DaskRunner
    from seqlib.grading.runners.cluster.sources import SlurmOptions, SlurmSource

    made, folder = course
    options = SlurmOptions(memory="1GB", cpus=1, interface="lo", folder=tmp_path, python="/nowhere/python")
    with pytest.raises(GradingError, match=r"/nowhere/python.*No such file"):
        list(made.run(folder, lambda settings: DaskRunner(settings, SlurmSource(1, options))))
