"""What is asked for on the command line becomes a runner, or one line that says what to do."""

import shutil
from pathlib import Path

import pytest

from seqlib.errors import GradingError
from seqlib.grading.devices import FakeDevices, NvidiaDevices
from seqlib.grading.runners import choose
from seqlib.grading.runners.choose import RunnerOptions, choose_runner
from seqlib.grading.runners.gpu_pool import GpuPoolRunner
from seqlib.grading.runners.pool import PoolRunner
from seqlib.grading.worker import WorkerSettings

SETTINGS = WorkerSettings(assignment="toy", root=Path("."), key=b"k" * 32)


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        (RunnerOptions(runner="ray"), "there is no runner 'ray'.", "use one of: local, dask, slurm."),
        (RunnerOptions(device="tpu"), "there is no device 'tpu'.", "use one of: cpu, cuda."),
        (RunnerOptions(workers=0), "0 workers can't grade.", "give at least one: --workers 1."),
        (
            RunnerOptions(scheduler="tcp://h:1"),
            "--scheduler names a Dask scheduler.",
            "add: --runner dask",
        ),
        (
            RunnerOptions(runner="dask", scheduler="localhost:8786"),
            "'localhost:8786' is no address of a Dask scheduler.",
            "it looks like tcp://10.0.0.5:8786.",
        ),
        (
            RunnerOptions(runner="dask", scheduler="tcp://h:1", workers=2),
            "--workers says nothing to a scheduler that has its own workers.",
            "leave it out, or start workers there: dask worker tcp://h:1 --nthreads 1",
        ),
        (
            RunnerOptions(node_key=Path("k")),
            "--node-key is for nodes of a cluster.",
            "on this machine the key is given by --key.",
        ),
        (RunnerOptions(runner="dask", slurm_time="1:00"), "--slurm-time is for SLURM.", "add: --runner slurm"),
    ],
)
def test_options_that_make_no_sense_are_one_line(options, what, hint):
    """Nothing has started when a contradiction is told."""
    with pytest.raises(GradingError) as refused:
        choose_runner(options)

    assert (refused.value.what, refused.value.hint) == (what, hint)


def test_the_extra_is_asked_for_by_its_command(monkeypatch):
    """Without Dask, the command that installs it is told."""
    monkeypatch.setattr(choose.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(GradingError) as refused:
        choose_runner(RunnerOptions(runner="dask"))

    assert refused.value.what == "--runner dask needs the extra cluster, and dask is not installed."
    assert refused.value.hint == "install it: python start.py --extras cluster,grading --setup"


def test_slurm_without_sbatch_is_one_line(monkeypatch):
    """On a machine that is no part of a cluster."""
    pytest.importorskip("dask_jobqueue", reason="install it with: python start.py --extras cluster,grading --setup")
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    runner = choose_runner(RunnerOptions(runner="slurm"))(SETTINGS)

    with pytest.raises(GradingError) as refused:
        runner._source.open()

    assert refused.value.what == "sbatch is not installed here, so nothing can be given to SLURM."


def test_without_a_gpu_the_local_runner_uses_the_cpu(monkeypatch):
    """It says so."""
    monkeypatch.setattr(NvidiaDevices, "all", lambda self: ())
    said: list[str] = []

    runner = choose_runner(RunnerOptions(device="cuda"), said.append)(SETTINGS)

    assert isinstance(runner, PoolRunner)
    assert said == ["there is no GPU that you may use here: jobs run on the CPU"]


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.skipif(not NvidiaDevices().all(), reason="no NVIDIA GPU that this process may use")
@pytest.mark.parametrize("runner", ["local", "dask"])
def test_a_class_is_graded_on_cuda(course, runner):
    """With the device files of a real GPU in the sandbox, each submission has exactly its verdicts."""
    made, folder = course
    said: list[str] = []

    chosen = choose_runner(RunnerOptions(runner=runner, device="cuda", workers=1), said.append)
    made.assert_graded(list(made.run(folder, chosen, device="cuda")))

    assert said == []


@pytest.mark.slow
@pytest.mark.system
def test_gpus_of_this_machine_need_no_dask(course, tmp_path):
    """One worker process a GPU grades the class; a GPU that breaks is left, and nobody pays for it."""
    made, folder = course
    fake, said = FakeDevices(3, folder=tmp_path), []
    fake.damage("cuda:1")
    rows = []
    for row in made.run(folder, lambda settings: GpuPoolRunner(settings, fake, 3, said.append), device="cuda"):
        rows.append(row)
        fake.damage("cuda:0")

    made.assert_graded(rows)
    assert said[0] == "cuda:1 does not work: it is fake and broken"


def test_only_broken_gpus_are_one_line(tmp_path):
    """Nothing is graded on a GPU that does not work."""
    fake = FakeDevices(1, folder=tmp_path)
    fake.damage("cuda:0")

    with pytest.raises(GradingError, match="no GPU of this machine works and is free"):
        GpuPoolRunner(SETTINGS, fake, 1, lambda line: None).start()
