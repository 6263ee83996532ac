"""Limits are numbers that make sense."""

import subprocess
import sys

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import ProcessLimits


def test_a_limit_below_one_is_refused():
    """Nothing runs with no process or no memory, so such a limit is a mistake."""
    with pytest.raises(GradingError) as caught:
        ProcessLimits(processes=0)

    assert str(caught.value) == "processes is 0.\nHint: give a limit of at least 1."


def test_limits_load_no_torch():
    """The coordinator uses limits and stays small."""
    code = "import sys, seqlib.grading.limits; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_limits_can_be_imported_without_what_only_linux_has():
    """Elsewhere the import works, nothing is enforced, and the probe says so."""
    code = """
import os, signal, sys
sys.modules["resource"] = None
for name in ("pidfd_open",):
    delattr(os, name)
del signal.pidfd_send_signal
sys.platform = "win32"
from seqlib.grading.limits import ProcessLimits, open_limits, probe
backend = open_limits()
proof = probe(backend)
assert (backend.name, proof.memory, proof.processes) == ("rlimit", False, False), backend
assert proof.detail == "Nothing limits memory or processes on win32.", proof
assert backend.group(ProcessLimits()).rlimits == {}
"""
    ran = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
