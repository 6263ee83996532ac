"""One warm parent for a module of tests, and what can be seen of a submission from outside."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqlib.grading.limits import ProcessLimits, open_limits
from seqlib.grading.outputs import NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import AbstractBoxes, Box, BoxLimits
from seqlib.grading.sandbox.cold import ColdStart
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import WarmForks, start_warm

ROOT = Path(__file__).parents[3]
KINDS = ["warm", pytest.param("cold", marks=pytest.mark.slow)]  # every cold one takes seconds to start
NAME_ITSELF = "import ctypes; ctypes.CDLL(None).prctl(15, {name!r}.encode(), 0, 0, 0); None"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """What submissions see."""
    with Image(ROOT, {"data.txt": b"public"}) as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def boxes(request: pytest.FixtureRequest, image: Image, need: Any) -> Iterator[AbstractBoxes]:
    """Both kinds of sandbox."""
    need("bwrap")
    make = start_warm if request.param == "warm" else ColdStart
    with open_limits() as limits:
        made = make(image, BoxLimits(grace_s=1.0), limits=limits, process_limits=ProcessLimits())
        yield made
        made.close()


@pytest.fixture(scope="module")
def warm(boxes: AbstractBoxes) -> bool:
    """Whether it is a warm one."""
    return isinstance(boxes, WarmForks)


@pytest.fixture(scope="module")
def shared(boxes: AbstractBoxes) -> Iterator[Box]:
    """One submission for all tests that leave nothing behind; only one cold sandbox lives at a time."""
    made = open_box(boxes)
    yield made
    made.close()


def open_box(boxes: AbstractBoxes) -> Box:
    """A new submission whose outputs are kept."""
    return boxes.open(NotebookOutputs(OutputLimits()))


@pytest.fixture(scope="session")
def text_of() -> Callable[..., str]:
    """Runs a cell that must succeed, and returns what it printed."""

    def run(box: Box, source: str, timeout_s: float = 120) -> str:
        run = box.run(source, timeout_s)
        shown = "".join(output.get("text", "") for output in run.outputs)
        assert run.state == "ok", (run.state, shown, [output.get("traceback") for output in run.outputs])
        return shown

    return run


def host_pid(box: Box, name: str) -> int:
    """The number of the process that runs a box's cells, as this process sees it; the box is told to take a name."""
    box.run(NAME_ITSELF.format(name=name), 60)
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{entry}/comm").read_text() == f"{name}\n":
                return int(entry)
        except OSError:
            continue
    raise AssertionError("the process is not to be found")
