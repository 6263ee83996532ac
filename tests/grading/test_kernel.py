"""A kernel runs cells, keeps outputs within limits, and ends whatever runs in it."""

import time
from pathlib import Path

import pytest

from seqlib.grading.kernel import CellState, OutputLimits, StudentKernel, scratch_folder


@pytest.fixture
def start():
    """Start kernels that are stopped when the test ends."""
    started = []
    with scratch_folder() as folder:
        (folder / "work").mkdir()

        def make(**options) -> StudentKernel:
            kernel = StudentKernel(folder / "work", folder, **options)
            started.append(kernel)
            kernel.start()
            return kernel

        yield make
        for kernel in started:
            kernel.stop()


def test_cells_share_a_kernel_and_go_on_after_errors(start):
    """Names live on from cell to cell; an error is an output and ends only its cell."""
    kernel = start()

    first = kernel.run("x = 20\nprint('hi')\n1 / 0", 20)
    second = kernel.run("x + 1", 20)

    assert first.state == CellState.RAISED
    assert [o["output_type"] for o in first.outputs] == ["stream", "error"]
    assert first.outputs[1]["ename"] == "ZeroDivisionError"
    assert second.outputs[0]["data"] == {"text/plain": "21"}


def test_a_loop_is_interrupted_and_names_stay(start):
    """A cell over its time is interrupted, and the next cell still sees what came before."""
    kernel = start()
    kernel.run("x = 1", 20)

    looping = kernel.run("while True: pass", 0.5)

    assert looping.state == CellState.INTERRUPTED
    assert kernel.run("x", 20).outputs[0]["data"] == {"text/plain": "1"}


def test_a_loop_that_cannot_be_interrupted_is_killed(start):
    """A cell that swallows the interrupt ends with its process, soon."""
    kernel = start(grace_s=0.5)
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    before = time.monotonic()

    run = kernel.run(stubborn, 0.5)

    assert run.state == CellState.STUCK
    assert not kernel.alive
    assert time.monotonic() - before < 10


def test_a_dead_kernel_is_a_state(start):
    """A cell that ends the process is reported, and so is every later cell."""
    kernel = start()

    run = kernel.run("import os; os._exit(3)", 20)

    assert run.state == CellState.DIED
    assert kernel.run("1", 20).state == CellState.DIED


def test_output_is_dropped_beyond_its_limit(start):
    """A cell that floods is kept up to the limit, with a note."""
    kernel = start(limits=OutputLimits(cell_bytes=1000))

    run = kernel.run("for _ in range(20000): print('spam ' * 20)", 60)

    assert sum(len(o["text"]) for o in run.outputs) < 1100
    assert "over the limit" in run.outputs[-1]["text"]


def test_the_environment_holds_no_secret(start, monkeypatch):
    """A variable of whoever grades is not in the student's environment."""
    monkeypatch.setenv("COURSE_SECRET", "x")
    kernel = start()

    run = kernel.run("import os; print('COURSE_SECRET' in os.environ)", 20)

    assert run.outputs[0]["text"] == "False\n"


def test_processes_left_behind_end_with_the_kernel(start):
    """A child that the notebook started is gone when the kernel is stopped."""
    kernel = start()
    run = kernel.run("import subprocess; print(subprocess.Popen(['sleep', '60']).pid)", 20)
    stat = Path(f"/proc/{int(run.outputs[0]['text'])}/stat")

    kernel.stop()
    time.sleep(0.3)

    assert not stat.exists() or stat.read_text().split()[2] == "Z"
