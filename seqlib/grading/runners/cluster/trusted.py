"""A seat's process on a node: one `Worker`, which loads torch and the checks, apart from Dask's own process.

Dask's process answers heartbeats and may hold several seats; a check that blocks or a crash in torch must not end it.
The orders come over an inherited socket from the process that started it; when that one ends, so does this.
"""

import hashlib
import hmac
import os
import platform
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

import seqlib
from seqlib.errors import GradingError
from seqlib.grading.devices import AbstractDevices, Device
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.runners.base import Outcome
from seqlib.grading.runners.gpu_pool import suspect
from seqlib.grading.runners.in_process import outcome_of
from seqlib.grading.scratch import use
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import Worker, WorkerSettings

__all__ = ["Work", "main", "make_work", "software"]

_PACKAGES = ("torch", "numpy", "ipython")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a seat works on.

    Attributes:
        settings: The worker's; without the key where the node has it in a file.
        key_file: The course key's place on the nodes; None: the settings bring it.
        key_proof: What the right key gives, so that a wrong file is noticed.
        software: What a verdict may depend on, as it is where the run was started.
    """

    settings: WorkerSettings
    key_file: Path | None = None
    key_proof: bytes = field(repr=False, default=b"")
    software: Mapping[str, str] = field(default_factory=dict)


def make_work(settings: WorkerSettings, key_file: Path | None) -> Work:
    """Say what the seats of a run work on."""
    sent = settings if key_file is None else replace(settings, key=b"")
    return Work(settings=sent, key_file=key_file, key_proof=_proof(settings.key), software=software(settings))


def software(settings: WorkerSettings) -> dict[str, str]:
    """What a verdict may depend on, by name; equal on all machines that grade one class."""
    library, folder = hashlib.sha256(), Path(seqlib.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        library.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "seqlib": library.hexdigest()[:12],
        "checks": load_kit(settings.assignment, settings.root).digest[:12],
    }


def main() -> None:
    """Grade what comes until nobody sends any more."""
    link = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        work, devices, device, scratch = link.recv()
        use(scratch)
        worker = Worker(_checked(work))
    except EOFError:
        return
    except Exception as error:
        link.send(error.what if isinstance(error, GradingError) else f"{type(error).__name__}: {error}")
        return
    with worker:
        link.send("")
        while True:
            try:
                link.send(_graded(worker, link.recv(), devices, device))
            except (EOFError, OSError):
                return


def _checked(work: Work) -> WorkerSettings:
    """The settings with the key, once everything here is as it is where the run was started."""
    here = software(work.settings)
    for name, theirs in work.software.items():
        if here.get(name) != theirs:
            raise GradingError(
                f"{platform.node()} has {name} {here.get(name)}, not {theirs}.",
                "install the same versions and the same repository on every node.",
            )
    settings = work.settings
    if work.key_file is not None:
        settings = replace(settings, key=course_key(work.key_file.parent, work.key_file, create=False))
    if not hmac.compare_digest(_proof(settings.key), work.key_proof):
        raise GradingError(
            f"{work.key_file} on {platform.node()} is another key.", "copy the class's course.key to it again."
        )
    return settings


def _graded(worker: Worker, submitted: Submitted, devices: AbstractDevices, device: Device | None) -> Outcome | str:
    """Grade; what failed on a GPU that does not work any more is no fault of the student's, and ends this seat."""
    outcome = outcome_of(worker, "", submitted)
    if device is None:
        return outcome
    return (devices.probe(device) if suspect(outcome) else "") or outcome


def _proof(key: bytes) -> bytes:
    return hmac.digest(key, b"the same course key", "sha256")


def _end_with_starter() -> None:
    os.read(0, 1)  # nobody writes there: it ends when the process that started this one does
    os._exit(1)


if __name__ == "__main__":
    main()
