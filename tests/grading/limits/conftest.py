"""Processes that do harm on command, and the back ends that this machine has."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import AbstractLimits
from seqlib.grading.limits.cgroup_v1 import CgroupV1
from seqlib.grading.limits.cgroup_v2 import CgroupV2

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python code that first waits for a line, as a submission waits for its group; it ends with the test."""
    with ExitStack() as stack:

        def begin(code: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", f"import sys\nsys.stdin.readline()\n{code}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture(params=[CgroupV1, CgroupV2])
def cgroups(request: pytest.FixtureRequest) -> Iterator[AbstractLimits]:
    """Each cgroup back end; a machine has one of them at most, so the other is skipped everywhere, also by CI."""
    try:
        backend = request.param(f"seqlib-test-{os.getpid()}")
    except (GradingError, OSError) as error:
        pytest.skip(f"{request.param.name} can't be used here: {error}")
    with backend:
        yield backend
