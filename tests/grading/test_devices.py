"""GPUs are found, lent one by one, probed by the host, and wiped between jobs; without one, fake ones stand in."""

import ctypes
import json
import subprocess
import sys
from pathlib import Path

import pytest

from seqlib.errors import GradingError
from seqlib.grading import device_probe
from seqlib.grading.devices import FakeDevices, NvidiaDevices, borrow

UUIDS = ("GPU-aa11", "GPU-bb22", "GPU-cc33")


@pytest.fixture
def machine(tmp_path, monkeypatch) -> NvidiaDevices:
    """Three GPUs, whose device files are not numbered in the order of the bus; the driver's files as it writes them."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    dev, proc = tmp_path / "dev", tmp_path / "proc"
    dev.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia-modeset", "null"):
        (dev / name).touch()
    for bus, (minor, uuid) in enumerate(zip((2, 0, 1), UUIDS, strict=True)):
        folder = proc / f"0000:{bus}7:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t Some\nGPU UUID: \t {uuid}\nDevice Minor: \t {minor}\n")
    return NvidiaDevices(dev, proc)


def names(devices) -> list[str]:
    """The last parts of the device files."""
    return [Path(device.nodes[0]).name for device in devices.all()]


def test_gpus_come_in_the_order_of_the_bus(machine):
    """Index n is the n-th on the bus, as with CUDA_DEVICE_ORDER=PCI_BUS_ID; its device file may have another number."""
    assert names(machine) == ["nvidia2", "nvidia0", "nvidia1"]
    assert [device.visible for device in machine.all()] == list(UUIDS)


def test_a_job_needs_its_own_file_and_the_shared_ones(machine):
    """No job gets another GPU's file, nor those for screens."""
    first = machine.all()[0]

    assert [Path(node).name for node in first.nodes] == ["nvidia2", "nvidiactl", "nvidia-uvm"]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", ["nvidia0"]),
        ("2,0", ["nvidia1", "nvidia2"]),
        ("GPU-cc", ["nvidia1"]),
        ("0,9,1", ["nvidia2"]),
        ("0,0,1", ["nvidia2"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_visible_devices_are_read_as_cuda_does(machine, monkeypatch, visible, expected):
    """Numbers and UUIDs choose; what follows a bad or repeated entry is not there."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert names(machine) == expected


def test_a_part_of_a_gpu_is_refused(machine, monkeypatch):
    """A MIG instance needs files of its own, which we do not bind."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")

    with pytest.raises(GradingError, match=r"names MIG-1234, a part of a GPU"):
        machine.all()


def test_a_file_that_can_not_be_opened_is_no_gpu(machine, tmp_path, monkeypatch):
    """What a cluster's cgroup hides does not count, and the numbers close up, as CUDA counts."""
    (tmp_path / "dev" / "nvidia2").unlink()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")

    assert names(machine) == ["nvidia0"]


def test_without_the_drivers_files_device_files_count(machine, tmp_path):
    """Where /proc tells nothing, device files are the GPUs."""
    bare = NvidiaDevices(tmp_path / "dev", tmp_path / "nothing")

    assert [(device.name, device.visible) for device in bare.all()] == [
        ("cuda:0", "0"),
        ("cuda:1", "1"),
        ("cuda:2", "2"),
    ]


def test_a_machine_without_gpus_has_none(tmp_path):
    """No driver, no files."""
    assert NvidiaDevices(tmp_path, tmp_path).all() == ()


def test_a_gpu_is_lent_once(tmp_path):
    """Nobody gets what another has, in this process or another; what is given back is free."""
    fake = FakeDevices(2, folder=tmp_path)
    code = "import sys; from pathlib import Path; from seqlib.grading.devices import FakeDevices, borrow; "
    code += "print(len(borrow(FakeDevices(2, folder=Path(sys.argv[1])).all(), 2)))"

    def elsewhere() -> str:
        line = [sys.executable, "-c", code, str(tmp_path)]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()

    [loan] = borrow(fake.all(), 1)
    [other] = borrow(fake.all(), 5)
    assert (loan.device.name, other.device.name) == ("cuda:0", "cuda:1")
    assert elsewhere() == "0"

    other.close()
    assert elsewhere() == "1"
    loan.close()
    assert elsewhere() == "2"


class Driver:
    """A driver's library that counts bytes, and may fail or lie."""

    def __init__(self, failing: str = "", lie: bool = False) -> None:
        self.failing, self.lie = failing, lie
        self.called: list[str] = []

    def __getattr__(self, name):
        def function(*arguments):
            self.called.append(name)
            if name == "cuMemsetD32_v2":
                self.value = arguments[1].value
            if name == "cuMemcpyDtoH_v2" and not self.lie:
                arguments[0][:] = [self.value] * len(arguments[0])
            return 719 if name == self.failing else 0

        return function


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (Driver(), ""),
        (Driver(failing="cuInit"), "cuInit failed with CUDA error 719"),
        (Driver(failing="cuMemcpyDtoH_v2"), "cuMemcpyDtoH_v2 failed with CUDA error 719"),
        (Driver(lie=True), "its memory gave back what nobody had written"),
    ],
)
def test_the_probe_uses_the_gpu(monkeypatch, driver, expected):
    """A number goes into the GPU's memory and comes back; whatever fails is named."""
    monkeypatch.setattr(ctypes, "CDLL", lambda library: driver)

    assert device_probe.probe() == expected


def test_a_missing_driver_is_named(machine, monkeypatch):
    """Without the driver's library no GPU works, and the reason is one line."""
    monkeypatch.setattr(sys, "argv", ["x"])

    assert device_probe.probe("libnot-there.so").startswith("the driver's library is not there (")


GPUS = NvidiaDevices().all()
needs_cuda = pytest.mark.skipif(not GPUS, reason="no NVIDIA GPU that this process may use")


@needs_cuda
def test_the_probe_finds_cuda_working():
    """The real GPU passes its probe."""
    assert NvidiaDevices().probe(GPUS[0]) == ""


SEES = """\
import torch, glob
print("SEEN", torch.cuda.device_count(), sorted(glob.glob("/dev/nvidia[0-9]*")))"""
PLANTS = """\
import torch
secret = torch.full((1 << 28,), 0x5EC11B, dtype=torch.int32, device="cuda")
torch.cuda.synchronize()
print("PLANTED", int((secret == 0x5EC11B).sum()))"""
SEARCHES = """\
import torch
free, _ = torch.cuda.mem_get_info()
found = torch.empty((int(free * 0.9) // 4,), dtype=torch.int32, device="cuda")
print("FOUND", sum(int((part == 0x5EC11B).sum()) for part in found.split(1 << 28)))"""


def shown(worker, *cells: str) -> str:
    """What these cells print when they are graded."""
    from seqlib.grading.submitted import Cell, Submitted

    submitted = Submitted(
        student="canary", digest="0" * 64, cells=tuple(Cell(kind="code", source=cell) for cell in cells)
    )
    graded = worker.grade(submitted)
    return json.dumps([cell.outputs for cell in graded.cells])


@pytest.fixture(scope="module")
def cuda_worker(released, need):
    """A worker that was lent the first GPU."""
    from seqlib.grading.worker import Worker, WorkerSettings

    need("bwrap")
    settings = WorkerSettings(assignment="toy", root=released, key=b"k" * 32, devices=GPUS[0].nodes)
    with Worker(settings) as worker:
        yield worker


@needs_cuda
@pytest.mark.slow
def test_a_job_sees_one_cuda_device(cuda_worker):
    """However many the machine has."""
    assert f"SEEN 1 ['{GPUS[0].nodes[0]}']" in shown(cuda_worker, SEES)


@needs_cuda
@pytest.mark.slow
def test_no_job_reads_the_cuda_memory_of_the_one_before(cuda_worker):
    """A gigabyte that one submission left is nowhere in what the next one is given."""
    assert f"PLANTED {1 << 28}" in shown(cuda_worker, PLANTS)

    assert "FOUND 0" in shown(cuda_worker, SEARCHES)


@needs_cuda
@pytest.mark.slow
def test_cuda_out_of_memory_is_the_students(cuda_worker):
    """A submission that asks for more memory than there is fails by itself, and the GPU works afterwards."""
    output = shown(cuda_worker, 'import torch\ntorch.empty((1 << 42,), device="cuda")')

    assert "OutOfMemoryError" in output
    assert NvidiaDevices().probe(GPUS[0]) == ""
