"""GPUs of this machine: which there are, whom they are lent to, what of `/dev` a job needs, and whether one works.

Nothing here loads torch or starts CUDA in this process.
"""

import fcntl
import os
import re
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seqlib.errors import GradingError

__all__ = ["AbstractDevices", "Device", "FakeDevices", "Loan", "NvidiaDevices", "borrow"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
_SHARED_NODES = ("nvidiactl", "nvidia-uvm")
_PROBE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Device:
    """One GPU.

    Attributes:
        name: Such as `cuda:0`; its number is that of the whole machine.
        visible: The value of `CUDA_VISIBLE_DEVICES` with which a process on this machine sees only it.
        nodes: The files in `/dev` that a job on it needs.
        lock: The file whose lock says that it is lent.
    """

    name: str
    visible: str
    nodes: tuple[str, ...]
    lock: str


class AbstractDevices(ABC):
    """The GPUs of a machine."""

    @abstractmethod
    def all(self) -> tuple[Device, ...]:
        """Those that this process may use."""

    @abstractmethod
    def probe(self, device: Device) -> str:
        """Why a GPU does not work, as this host finds by using it; empty where it works."""


class NvidiaDevices(AbstractDevices):
    """NVIDIA's, as the driver lists them; whole ones only, no parts made by MIG.

    Args:
        dev: Where device files are.
        proc: Where the driver tells of its GPUs.
    """

    def __init__(self, dev: Path = Path("/dev"), proc: Path = Path("/proc/driver/nvidia/gpus")) -> None:
        self._dev, self._proc = dev, proc

    def all(self) -> tuple[Device, ...]:
        known = [(minor, uuid) for minor, uuid in self._known() if _opens(self._dev / f"nvidia{minor}")]
        return tuple(
            self._device(number, *known[number]) for number in _visible([uuid for _, uuid in known], os.environ)
        )

    def probe(self, device: Device) -> str:
        line = [sys.executable, "-I", str(Path(__file__).with_name("device_probe.py"))]
        environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", VISIBLE: device.visible}
        try:
            done = subprocess.run(
                line,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PROBE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{device.name} does not answer within {_PROBE_S:g} s"
        if done.returncode == 0:
            return ""
        said = done.stderr.strip().splitlines() or [f"the probe ended with {done.returncode}"]
        return f"{device.name} does not work: {said[-1]}"

    def _known(self) -> list[tuple[int, str]]:
        """Number of the device file and UUID of each GPU, in the order of the bus."""
        found = []
        for path in sorted(self._proc.glob("*/information")):
            text = path.read_text("utf-8", "replace")
            minor = re.search(r"^Device Minor:\s*(\d+)", text, re.MULTILINE)
            uuid = re.search(r"^GPU UUID:\s*(\S+)", text, re.MULTILINE)
            if minor:
                found.append((int(minor[1]), uuid[1] if uuid else ""))
        if found:
            return found
        nodes = (re.fullmatch(r"nvidia(\d+)", path.name) for path in self._dev.glob("nvidia*"))
        return [(minor, "") for minor in sorted(int(node[1]) for node in nodes if node)]

    def _device(self, number: int, minor: int, uuid: str) -> Device:
        own = str(self._dev / f"nvidia{minor}")
        shared = (str(self._dev / name) for name in _SHARED_NODES if (self._dev / name).exists())
        return Device(name=f"cuda:{minor}", visible=uuid or str(number), nodes=(own, *shared), lock=own)


@dataclass(frozen=True)
class FakeDevices(AbstractDevices):
    """GPUs that are not there, for trying out who gets which.

    Args:
        count: How many.
        folder: Where their locks lie.
    """

    count: int
    folder: Path = Path(tempfile.gettempdir())

    def all(self) -> tuple[Device, ...]:
        return tuple(
            Device(name=f"cuda:{number}", visible=str(number), nodes=(), lock=str(self._file(f"cuda:{number}.lock")))
            for number in _visible([""] * self.count, os.environ)
        )

    def probe(self, device: Device) -> str:
        return (
            f"{device.name} does not work: it is fake and broken"
            if self._file(f"{device.name}.broken").exists()
            else ""
        )

    def damage(self, name: str) -> None:
        """Let this one fail from now on, for every process."""
        self._file(f"{name}.broken").touch()

    def _file(self, name: str) -> Path:
        return self.folder / f"seqlib-fake-{name}"


class Loan:
    """A GPU that nobody else on this machine gets until `close`, or until this process ends."""

    def __init__(self, device: Device, handle: int) -> None:
        self.device, self._handle = device, handle

    def close(self) -> None:
        """Give it back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def borrow(devices: Sequence[Device], count: int) -> list[Loan]:
    """Lend up to so many of these GPUs that are free."""
    loans: list[Loan] = []
    for device in devices:
        if len(loans) < count and (handle := _locked(device.lock)) is not None:
            loans.append(Loan(device, handle))
    return loans


def _locked(path: str) -> int | None:
    """A handle that holds a file's lock; None where another has it."""
    flags = os.O_RDONLY | os.O_CLOEXEC
    try:
        handle = os.open(path, flags if path.startswith("/dev/") else flags | os.O_CREAT, 0o644)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _opens(path: Path) -> bool:
    """Whether this process may use a device file; a cluster's cgroups refuse those of other jobs."""
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
        return True
    return False


def _visible(uuids: Sequence[str], environment: "os._Environ[str] | dict[str, str]") -> list[int]:
    """The GPUs that `CUDA_VISIBLE_DEVICES` leaves, read as CUDA reads it: what follows a bad entry is not there.

    >>> _visible(["GPU-a1", "GPU-b2", "GPU-c3"], {"CUDA_VISIBLE_DEVICES": "GPU-c3,0,7,1"})
    [2, 0]
    """
    if VISIBLE not in environment:
        return list(range(len(uuids)))
    chosen: list[int] = []
    for entry in environment[VISIBLE].split(","):
        entry = entry.strip()
        if entry.startswith("MIG-"):
            raise GradingError(
                f"{VISIBLE} names {entry}, a part of a GPU.", "give whole GPUs: parts can't be isolated."
            )
        named = [number for number, uuid in enumerate(uuids) if entry and uuid.startswith(entry)]
        number = int(entry) if entry.isdecimal() else named[0] if len(named) == 1 else -1
        if not 0 <= number < len(uuids) or number in chosen:
            break
        chosen.append(number)
    return chosen
