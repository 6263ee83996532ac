"""A whole SLURM on this machine: munged, slurmctld and slurmd on loopback, in a folder of their own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
INSTALL = "apt-get install slurm-wlm munge"
_READY_S = 30.0

CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,defer_batch=0
SchedulerType=sched/backfill
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=teaching Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class SlurmMachine:
    """A SLURM that runs.

    Attributes:
        folder: Where everything of it lies.
        environment: What its commands need to find it.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        """What one of its commands says."""
        environment = os.environ | self.environment
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def jobs(self) -> list[str]:
        """Numbers of the jobs that run."""
        return self.run("squeue", "-h", "-t", "RUNNING", "-o", "%i").split()


def missing() -> str:
    """Why SLURM can't run here; empty where it can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if absent:
        return f"{absent[0]} is not installed; install it with: {INSTALL}"
    return "" if os.getuid() == 0 else "SLURM's programs are started as root here"


@contextmanager
def slurm_machine(folder: Path, gpus: int = 2) -> Iterator[SlurmMachine]:
    """Run SLURM with one node that has so many GPUs, which are fake."""
    host = socket.gethostname().split(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    _write_configuration(folder, host, gpus)
    machine = SlurmMachine(folder, {"SLURM_CONF": str(folder / "slurm.conf")})
    with ExitStack() as stack:
        stack.callback(lambda: subprocess.run(["umount", "-q", str(folder / "spool")], check=False))
        _start(stack, machine, *_munged(folder))
        _until(lambda: (folder / "munge.socket").exists(), "munged did not start", folder)
        _start(stack, machine, "slurmctld", "-D")
        _start(stack, machine, "slurmd", "-D", "-N", host)
        _until(lambda: "idle" in _said(machine, "sinfo", "-h", "-o", "%t"), "the node did not come up", folder)
        yield machine
        _said(machine, "scancel", "--user=root")


def _write_configuration(folder: Path, host: str, gpus: int) -> None:
    text = CONFIGURATION.format(host=host, folder=folder, controller=_free_port(), node=_free_port(), gpus=gpus)
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("")
    for number in range(gpus):
        os.mknod(folder / f"gpu{number}", 0o20600, os.makedev(1, 3))  # another /dev/null
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File={folder}/gpu[0-{gpus - 1}]\n")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)


def _munged(folder: Path) -> list[str]:
    places = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    return ["munged", "--foreground", "--force", *(f"--{name}={folder}/munge.{end}" for name, end in places.items())]


def _start(stack: ExitStack, machine: SlurmMachine, *command: str) -> None:
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    output = stack.enter_context((machine.folder / f"{command[0]}.out").open("w"))
    program = shutil.which(command[0], path=path["PATH"])
    assert program is not None
    process = subprocess.Popen(
        [program, *command[1:]], env=os.environ | machine.environment | path, stdout=output, stderr=output
    )

    def end() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(end)


def _until(done, complaint: str, folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while not done():
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text("utf-8", "replace")[-800:] for path in sorted(folder.glob("*.log")))
            raise RuntimeError(f"{complaint}:\n{logs}")
        time.sleep(0.1)


def _said(machine: SlurmMachine, *command: str) -> str:
    environment = os.environ | machine.environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
