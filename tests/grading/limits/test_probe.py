"""A probe believes nothing: it tells limits that hold from limits that are only there."""

import sys
import time

import pytest

from seqlib.errors import GradingError
from seqlib.grading.limits import AbstractLimits, open_limits, probe
from seqlib.grading.limits.rlimit import RlimitGroup, Rlimits

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(60),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is enforced outside Linux"),
]


class Nothing(RlimitGroup):
    """A group that limits nothing."""

    rlimits = {}  # noqa: RUF012, the property of the class is what is replaced


class Pretender(AbstractLimits):
    """A back end whose limits do not hold."""

    name = "pretender"

    def group(self, limits):
        return Nothing(limits)

    def close(self):
        pass


class Broken(Pretender):
    """A back end that can't make a group."""

    def group(self, limits):
        raise GradingError("the folder is read-only.", "mount it.")


def test_limits_of_the_chosen_back_end_hold():
    """What open_limits gives is proved, in seconds, with the numbers."""
    with open_limits() as backend:
        began = time.monotonic()
        proof = probe(backend)

    assert proof.memory, proof
    assert proof.processes, proof
    assert time.monotonic() - began < 10
    assert proof.detail.startswith("A limit of 8 processes stopped the one after ")


def test_limits_that_do_not_hold_are_told():
    """A back end that enforces nothing is found out, in words."""
    proof = probe(Pretender())

    assert not proof.memory
    assert not proof.processes
    assert proof.detail == (
        "A limit of 8 processes was passed: 13 ran at once. "
        "A limit of 64 MiB did not stop a process, which came to 128 MiB."
    )


def test_a_probe_that_fails_proves_nothing():
    """No exception and no proof: the detail says what went wrong."""
    proof = probe(Broken())

    assert (proof.memory, proof.processes) == (False, False)
    assert proof.detail == "The probe of pretender could not be made. the folder is read-only."


def test_rlimits_hold_and_their_weakness_is_told():
    """Set by a process without root, they stop it; that each process counts by itself is said."""
    proof = probe(Rlimits())

    if not proof.processes and "others of the same user" in proof.detail:
        pytest.skip("user namespaces are switched off here, so the user's other processes count too")
    assert proof.memory, proof
    assert proof.processes, proof
    assert proof.detail.endswith("It holds for each process by itself, and not for shared memory.")
