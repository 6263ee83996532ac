"""Which runner grades: what was asked for on the command line, checked before anything starts."""

import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from seqlib.errors import GradingError

if TYPE_CHECKING:
    from seqlib.grading.runners.base import AbstractRunner
    from seqlib.grading.runners.cluster.sources import AbstractSource
    from seqlib.grading.worker import WorkerSettings

__all__ = ["DeviceName", "RunnerName", "RunnerOptions", "choose_runner"]

_EXTRA = ("dask", "distributed", "dask_jobqueue", "cryptography")
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):\d{1,5}")
_LOCAL_WAIT_S = 60.0
_SLURM_WAIT_S = 3600.0


class RunnerName(StrEnum):
    """Where submissions are graded."""

    local = "local"
    dask = "dask"
    slurm = "slurm"


class DeviceName(StrEnum):
    """What students' code may use."""

    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True, kw_only=True)
class RunnerOptions:
    """What was asked for.

    Args:
        runner: Where to grade.
        workers: How many submissions at once. None: one a processor of this machine.
        device: What students' code may use.
        scheduler: A Dask scheduler that runs already, such as `tcp://10.0.0.5:8786`.
        node_key: The course key's place on the nodes. None: it travels over the connection.
        wait_s: How long the first worker may take to come. None: a minute, or an hour in SLURM's queue.
        slurm_queue: SLURM's partition.
        slurm_memory: Memory of a SLURM job.
        slurm_time: Time of a SLURM job.
        slurm_options: More options of `sbatch`, such as `--account=teaching`.
        slurm_interface: The network interface by which nodes reach this machine.
        slurm_folder: A folder that all nodes see.
    """

    runner: str = "local"
    workers: int | None = None
    device: str = "cpu"
    scheduler: str = ""
    node_key: Path | None = None
    wait_s: float | int | None = None
    slurm_queue: str | None = None
    slurm_memory: str | None = None
    slurm_time: str | None = None
    slurm_options: tuple[str, ...] = ()
    slurm_interface: str | None = None
    slurm_folder: Path | None = None


def choose_runner(
    options: RunnerOptions, say: Callable[[str], None] = lambda line: None
) -> Callable[["WorkerSettings"], "AbstractRunner"]:
    """What makes the runner.

    Args:
        options: What was asked for.
        say: Gets one line for each thing that whoever grades should know.

    Raises:
        GradingError: The options contradict each other, or what they need is not installed.
    """
    _check(options)
    if options.runner == RunnerName.local:
        return lambda settings: _local(options, settings, say)
    source = _source(options)  # now, so that what is missing is told before anything is read

    def make(settings: "WorkerSettings") -> "AbstractRunner":
        from seqlib.grading.runners.cluster.runner import DaskRunner

        return DaskRunner(settings, source, device=options.device, key_file=options.node_key, say=say)

    return make


def _check(options: RunnerOptions) -> None:
    for name, value, kinds in (("runner", options.runner, RunnerName), ("device", options.device, DeviceName)):
        if value not in list(kinds):
            raise GradingError(f"there is no {name} {value!r}.", f"use one of: {', '.join(kinds)}.")
    if options.workers is not None and options.workers < 1:
        raise GradingError(f"{options.workers} workers can't grade.", "give at least one: --workers 1.")
    if options.scheduler:
        _check_scheduler(options)
    if options.node_key is not None and options.runner == RunnerName.local:
        raise GradingError("--node-key is for nodes of a cluster.", "on this machine the key is given by --key.")
    named = [name for name, value in vars(options).items() if name.startswith("slurm_") and value not in (None, ())]
    if named and options.runner != RunnerName.slurm:
        raise GradingError(f"--{named[0].replace('_', '-')} is for SLURM.", "add: --runner slurm")
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if options.runner != RunnerName.local and missing:
        raise GradingError(
            f"--runner {options.runner} needs the extra cluster, and {missing[0]} is not installed.",
            "install it: python start.py --extras cluster,grading --setup",
        )


def _check_scheduler(options: RunnerOptions) -> None:
    if options.runner != RunnerName.dask:
        raise GradingError("--scheduler names a Dask scheduler.", "add: --runner dask")
    if not _ADDRESS.fullmatch(options.scheduler):
        raise GradingError(
            f"{options.scheduler!r} is no address of a Dask scheduler.", "it looks like tcp://10.0.0.5:8786."
        )
    if options.workers is not None:
        raise GradingError(
            "--workers says nothing to a scheduler that has its own workers.",
            f"leave it out, or start workers there: dask worker {options.scheduler} --nthreads 1",
        )


def _source(options: RunnerOptions) -> "AbstractSource":
    from seqlib.grading.runners.cluster.sources import AddressSource, LocalSource, SlurmOptions, SlurmSource

    if options.scheduler:
        return AddressSource(options.scheduler, wait_s=options.wait_s or _LOCAL_WAIT_S)
    gpus = options.device == DeviceName.cuda
    workers = options.workers or os.cpu_count() or 1
    if options.runner == RunnerName.slurm:
        slurm = SlurmOptions(
            queue=options.slurm_queue,
            memory=options.slurm_memory or SlurmOptions.memory,
            time=options.slurm_time or SlurmOptions.time,
            extra=options.slurm_options,
            interface=options.slurm_interface,
            folder=options.slurm_folder,
        )
        return SlurmSource(workers, slurm, gpus=gpus, wait_s=options.wait_s or _SLURM_WAIT_S)
    here = _gpus_here() if gpus else 0
    return LocalSource(min(workers, here or workers), gpus=here > 0, wait_s=options.wait_s or _LOCAL_WAIT_S)


def _local(options: RunnerOptions, settings: "WorkerSettings", say: Callable[[str], None]) -> "AbstractRunner":
    from seqlib.grading.devices import NvidiaDevices
    from seqlib.grading.runners.gpu_pool import GpuPoolRunner
    from seqlib.grading.runners.pool import PoolRunner

    workers = options.workers or os.cpu_count() or 1
    if options.device == DeviceName.cuda:
        if _gpus_here():
            return GpuPoolRunner(settings, NvidiaDevices(), workers, say)
        say("there is no GPU that you may use here: jobs run on the CPU")
    return PoolRunner(settings, workers)


def _gpus_here() -> int:
    from seqlib.grading.devices import NvidiaDevices

    return len(NvidiaDevices().all())
