"""A submission's process runs cells, keeps outputs within limits, and ends whatever runs in it."""

import os
import subprocess
import time

import pytest

from seqlib.grading.limits import ProcessLimits, open_limits
from seqlib.grading.outputs import CellState, NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import BoxLimits
from seqlib.grading.sandbox.cold import ColdStart
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import start_warm

KINDS = ("warm", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("cold", "none")))
LIMITS = BoxLimits(grace_s=1.0)


@pytest.fixture(scope="module")
def image():
    """What submissions see."""
    from pathlib import Path

    with Image(Path(__file__).parents[3], {"data.txt": b"public"}) as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def kind(request, image, need):
    """Each way to start a submission."""
    if request.param == "none":
        boxes = ColdStart(image, LIMITS, isolated=False)
    else:
        need("bwrap")
        make = start_warm if request.param == "warm" else ColdStart
        boxes = make(image, LIMITS, limits=open_limits(), process_limits=ProcessLimits())
    yield boxes
    boxes.close()


@pytest.fixture
def box(kind):
    """One submission's process."""
    made = kind.open(NotebookOutputs(OutputLimits(cell_bytes=10_000)))
    yield made
    made.close()


def test_a_plain_cell_is_transformed_once(box):
    """IPython would do it once more, which is a quarter of a small cell's time; one that awaits is no exception."""
    box.run("calls = []\nget_ipython().input_transformers_cleanup.append(lambda lines: calls.append(1) or lines)", 20)

    plain = box.run("len(calls)", 20)
    box.run("import asyncio\nawait asyncio.sleep(0)", 20)
    after = box.run("len(calls)", 20)

    assert plain.outputs[0]["data"] == {"text/plain": "1"}
    assert after.outputs[-1]["data"] == {"text/plain": "3"}


def test_cells_share_a_process_and_go_on_after_errors(box):
    """Names live on from cell to cell; an error is an output and ends only its cell."""
    assert box.run("x = 20", 20).outputs == []

    error = box.run("x / 0", 20)
    after = box.run("print(x + 1)\nx + 2", 20)

    assert error.state == CellState.RAISED
    assert error.outputs[0]["ename"] == "ZeroDivisionError"
    assert after.outputs[0] == {"output_type": "stream", "name": "stdout", "text": "21\n"}
    assert after.outputs[1]["data"] == {"text/plain": "22"}


def test_the_public_files_lie_in_its_folder(box):
    """What a student was given beside the notebook is there, and the folder can be written to."""
    run = box.run("open('more.txt', 'w').write(open('data.txt').read()); open('more.txt').read()", 20)

    assert run.outputs[0]["data"] == {"text/plain": "'public'"}


def test_a_loop_is_interrupted_and_names_stay(box):
    """A cell over its time is interrupted, and the next cell still sees what came before."""
    box.run("x = 1", 20)

    assert box.run("while True: pass", 3).state == CellState.INTERRUPTED
    assert box.run("print(x)", 20).outputs[0]["text"] == "1\n"


def test_a_loop_that_cannot_be_interrupted_is_killed(box):
    """A cell that ignores the interrupt ends with its process, soon."""
    started = time.monotonic()

    run = box.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", 3)

    assert run.state == CellState.STUCK
    assert not box.alive
    assert time.monotonic() - started < 20


def test_a_dead_process_is_a_state(box):
    """A cell that ends the process is reported, and so is every later cell."""
    assert box.run("import os; os._exit(3)", 20).state == CellState.DIED
    assert box.run("1", 20).state == CellState.DIED


def test_output_is_dropped_beyond_its_limit(box):
    """A cell that floods is kept up to the limit, with a note."""
    run = box.run("for _ in range(1000): print('x' * 1000)", 60)

    assert sum(len(output["text"]) for output in run.outputs) < 11_000
    assert "over the limit" in run.outputs[-1]["text"]


def test_the_environment_holds_no_secret(kind, monkeypatch):
    """A variable of whoever grades is not in the student's environment."""
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    box = kind.open(NotebookOutputs(OutputLimits()))

    run = box.run("import os; sorted(os.environ)", 20)
    box.close()

    assert "GRADER_TOKEN" not in run.outputs[0]["data"]["text/plain"]


def test_processes_left_behind_end_with_the_box(box):
    """A child that the notebook started is gone when the box is closed."""
    mark = f"left-{os.getpid()}-{time.monotonic_ns()}"
    box.run(f"import subprocess; subprocess.Popen(['sleep', '600'], env={{'MARK': '{mark}'}})", 20)
    assert _with_mark(mark)

    box.close()

    deadline = time.monotonic() + 10
    while _with_mark(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _with_mark(mark)


def test_a_copy_answers_from_where_it_was_made(box):
    """A check asks the names as they were at its place, also after the process itself has ended."""
    from seqlib.checks.proxy import Student

    box.run("def double(x): return 2 * x", 20)
    snapshot = box.snapshot()
    box.run("double = None", 20)
    box.run("import os; os._exit(1)", 20)

    assert Student(snapshot.transport).double(21) == 42
    box.forget(snapshot)


def _with_mark(mark: str) -> bool:
    """Whether a process with this mark in its environment is alive."""
    found = subprocess.run(["grep", "-lsa", mark, *_environments()], capture_output=True, text=True).stdout
    return bool(found.strip())


def _environments() -> list[str]:
    return [f"/proc/{name}/environ" for name in os.listdir("/proc") if name.isdigit()]
