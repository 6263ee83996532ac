"""Where Dask workers come from: this machine, a scheduler that is there already, or SLURM."""

import dataclasses
import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

from seqlib.errors import GradingError

__all__ = ["GPU", "AbstractSource", "AddressSource", "LocalSource", "SlurmOptions", "SlurmSource"]

GPU = "GPU"
"""The worker resource that counts GPUs."""
_CONNECT_S = 10
_ROLES = ("client", "scheduler", "worker")
_LOOPBACK = "127.0.0.1"
_CALM = {
    "distributed.comm.timeouts.connect": "10s",
    "distributed.scheduler.allowed-failures": 0,  # a job that lost its worker is the store's to give out again
    "distributed.deploy.lost-worker-timeout": "2s",  # then SLURM is asked for another
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.large-graph-warning-threshold": "1GB",  # a notebook may be large
}


class AbstractSource(ABC):
    """Where workers come from.

    Attributes:
        where: What it is called in messages.
        wait_s: How long the first worker may take to come.
    """

    where: str
    wait_s: float | int

    @abstractmethod
    def open(self) -> Client:
        """Connect, and ask for workers.

        Raises:
            GradingError: There is nothing to connect to, or it refuses.
        """

    def fault(self) -> str:
        """Why no worker will come any more, as far as the source knows; asked while there is none."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """End what `open` has started."""


class AddressSource(AbstractSource):
    """A Dask scheduler that runs already; its workers are whoever's they are.

    Args:
        address: Such as `tcp://10.0.0.5:8786`; with `tls://`, Dask's own configuration names the certificates.
        wait_s: How long to wait for a worker.
    """

    def __init__(self, address: str, wait_s: float | int = 60) -> None:
        self.where, self.wait_s = f"the scheduler {address}", wait_s
        self._address = address
        self._stack = ExitStack()

    def open(self) -> Client:
        self._stack.enter_context(dask.config.set(_CALM))
        try:
            return Client(self._address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:  # also time-outs
            self.close()
            raise GradingError(
                f"no Dask scheduler answers at {self._address}.",
                "start one: dask scheduler; it prints its address, such as tcp://10.0.0.5:8786.",
            ) from error

    def close(self) -> None:
        self._stack.close()


class LocalSource(AbstractSource):
    """Dask workers on this machine, one seat each, on loopback and under TLS with keys made for this run.

    Args:
        workers: How many.
        gpus: Whether each counts one GPU.
        wait_s: How long to wait for the first.
    """

    def __init__(self, workers: int, *, gpus: bool = False, wait_s: float | int = 60) -> None:
        self.where, self.wait_s = "this machine", wait_s
        self._workers, self._gpus = workers, gpus
        self._stack = ExitStack()

    def open(self) -> Client:
        with self._stack as stack:
            stack.enter_context(dask.config.set(_CALM))
            security = Security.temporary()
            cluster = stack.enter_context(
                LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    host=_LOOPBACK,
                    protocol="tls://",
                    security=security,
                    dashboard_address=None,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                    local_directory=stack.enter_context(_scratch()),
                    resources={GPU: 1} if self._gpus else None,
                )
            )
            client = Client(cluster, security=security, set_as_default=False)
            self._stack = stack.pop_all()
        return client

    def close(self) -> None:
        self._stack.close()


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlurmOptions:
    """What to ask SLURM for, for each worker.

    Args:
        queue: The partition. None: the cluster's default.
        memory: Such as `4GB`.
        time: Such as `02:00:00`; a worker that runs out of it is replaced.
        cpus: Processors.
        gres: What to ask for on a GPU job.
        extra: More `#SBATCH` options, such as `--account=teaching`.
        interface: The network interface that nodes can reach the scheduler by. None: the default one.
        folder: A folder that all nodes see, for certificates and logs. None: `.cache/seqlib` in your home.
        python: The interpreter on the nodes. None: this one.
    """

    queue: str | None = None
    memory: str = "4GB"
    time: str = "02:00:00"
    cpus: int = 2
    gres: str = "gpu:1"
    extra: Sequence[str] = ()
    interface: str | None = None
    folder: Path | None = None
    python: str | None = None


class SlurmSource(AbstractSource):
    """One SLURM job a worker; one that ends is asked for again.

    Args:
        workers: How many.
        options: What to ask for.
        gpus: Whether each gets a GPU.
        wait_s: How long to wait in the queue for the first.
    """

    def __init__(self, workers: int, options: SlurmOptions, *, gpus: bool = False, wait_s: float | int = 3600) -> None:
        self.where, self.wait_s = "SLURM", wait_s
        self._workers, self._options, self._gpus = workers, options, gpus
        self._stack = ExitStack()
        self._folder = Path()
        self._jobs: Any = None

    def open(self) -> Client:
        if shutil.which("sbatch") is None:
            raise GradingError(
                "sbatch is not installed here, so nothing can be given to SLURM.",
                "run this where you submit jobs, or name a Dask scheduler: --runner dask --scheduler ADDRESS.",
            )
        with self._stack as stack:
            stack.enter_context(dask.config.set(_CALM))
            self._folder = Path(stack.enter_context(_scratch(self._base())))
            cluster = self._jobs = stack.enter_context(self._cluster(self._folder))
            _try_submission(cluster.job_script())
            client = Client(cluster, security=cluster.security, set_as_default=False)
            stack.callback(client.close)
            cluster.adapt(minimum=self._workers, maximum=self._workers, interval="1s", wait_count=1)
            self._stack = stack.pop_all()
        return client

    def fault(self) -> str:
        """Jobs that have all ended, and what the last of them said."""
        numbers = [job.job_id for job in list(self._jobs.workers.values()) if getattr(job, "job_id", None)]
        if not numbers:
            return ""
        left = subprocess.run(["squeue", "-h", "-o", "%i"], capture_output=True, text=True, check=False)
        if left.returncode or set(numbers) & set(left.stdout.split()):
            return ""
        logs = sorted(
            (path.stat().st_mtime, path) for kind in ("err", "out") for path in self._folder.glob(f"*.{kind}")
        )
        said = [line for _, log in logs for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return f"its jobs ended before they could grade: {said[-1] if said else 'they said nothing'}"

    def close(self) -> None:
        self._stack.close()

    def _base(self) -> Path:
        base = self._options.folder or Path.home() / ".cache" / "seqlib"
        if " " in str(base):
            raise GradingError(
                f"SLURM can't write its logs to {base}: it has a space.", "name another by --slurm-folder."
            )
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise GradingError(
                f"the folder {base} can't be made: {error.strerror}.", "name one that all nodes see."
            ) from error
        return base

    def _cluster(self, folder: Path) -> Any:
        from dask_jobqueue import SLURMCluster

        options = self._options
        gres = [f"--gres={options.gres}"] if self._gpus else []
        return SLURMCluster(
            queue=options.queue,
            cores=1,
            processes=1,
            job_cpu=options.cpus,
            memory=options.memory,
            walltime=options.time,
            job_extra_directives=[*gres, *options.extra],
            worker_extra_args=["--resources", f"{GPU}=1"] if self._gpus else [],
            interface=options.interface,
            scheduler_options={"dashboard_address": None, "interface": options.interface},
            protocol="tls://",
            security=_security_in(folder),
            silence_logs=logging.CRITICAL,
            log_directory=str(folder),
            python=shlex.quote(options.python or sys.executable),  # it goes into a shell script
        )


def _security_in(folder: Path) -> Security:
    """Certificates for this run, in files that only we can read: whoever has them may join."""
    made = Security.temporary()
    names = {"cert": made.tls_worker_cert, "key": made.tls_worker_key}
    for name, text in names.items():
        with os.fdopen(os.open(folder / f"{name}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    cert, key = (str(folder / f"{name}.pem") for name in names)
    roles = {f"tls_{role}_{kind}": cert if kind == "cert" else key for role in _ROLES for kind in names}
    return Security(require_encryption=True, tls_ca_file=cert, **roles)


def _try_submission(script: str) -> None:
    """Let SLURM say, before anything waits, whether it would take such a job."""
    told = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True, check=False)
    if told.returncode:
        said = told.stderr.strip().splitlines() or [f"sbatch ended with {told.returncode}"]
        raise GradingError(f"SLURM refuses the job: {said[-1]}.", "see sinfo for its partitions and what they offer.")


def _scratch(base: Path | None = None) -> Any:
    return tempfile.TemporaryDirectory(prefix="sq-dask-", dir=base, ignore_cleanup_errors=True)
