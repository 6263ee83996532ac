"""Levels of isolation: each is reached by what was tried, and each lack says what mends it."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from seqlib.errors import GradingError
from seqlib.grading.limits import Proof
from seqlib.grading.sandbox import findings, levels
from seqlib.grading.sandbox.levels import LEVELS, choose_isolation, find_isolation
from seqlib.lab.doctor import report

HELD, NOT_HELD = Proof(True, True, "Both stopped."), Proof(True, False, "A limit of 8 processes was passed.")


@pytest.fixture
def machine(monkeypatch):
    """Pretend to a machine on which a trial says this, and limits hold or do not."""

    def pretend(said: str, status: int = 0, proof: Proof = HELD) -> None:
        monkeypatch.setattr(levels.sys, "platform", "linux")
        monkeypatch.setattr(levels, "find_bubblewrap", lambda: "/usr/bin/bwrap")
        monkeypatch.setattr(levels, "compiled_filter", lambda: b"")
        monkeypatch.setattr(levels, "command_line", lambda *a: ["true"])
        monkeypatch.setattr(levels, "_try_limits", lambda: ("rlimit", proof))
        ran = subprocess.CompletedProcess([], status, stdout=said, stderr="No permissions\n")
        monkeypatch.setattr(levels.subprocess, "run", lambda *a, **k: ran)

    return pretend


@pytest.mark.parametrize(
    ("said", "status", "proof", "level"),
    [
        ("", 1, HELD, 0),
        ("namespaces\n", 0, HELD, 0),
        ("filter\nnamespaces\n", 0, NOT_HELD, 1),
        ("filter\n", 0, HELD, 2),
        ("filter\nnamespaces\n", 0, HELD, 3),
    ],
)
def test_the_level_is_what_was_seen(machine, said, status, proof, level):
    """Without namespaces or a filter there is none; limits and nested namespaces each raise it; a lack has a hint."""
    machine(said, status, proof)

    found = find_isolation()

    assert found.level == LEVELS[level]
    assert bool(found.lacks) == (level < 3)
    assert all(lack.hint for lack in found.lacks)


@pytest.mark.parametrize(
    ("said", "wanted", "chosen"),
    [("filter\nnamespaces", None, "warm"), ("filter\nnamespaces", "cold", "cold"), ("filter", None, "cold")],
)
def test_the_best_that_holds_is_chosen(machine, said, wanted, chosen):
    """Warm where it holds, else cold; a wish is granted where it can be."""
    machine(said)

    assert choose_isolation(False, wanted) == chosen


def test_too_little_is_refused_with_what_mends_it(machine):
    """Work that nobody has read is not graded under limits that do not hold; the error says why and what to do."""
    machine("filter\nnamespaces", proof=NOT_HELD)

    with pytest.raises(GradingError) as error:
        choose_isolation(False)

    assert str(error.value) == (
        "this machine gives only a sandbox without proven limits: memory and processes are not limited by rlimit: "
        "A limit of 8 processes was passed.\n"
        "Hint: grade in a group of your own: systemd-run --user --scope -p Delegate=yes seqlib grade ...; "
        "as root, mount cgroups with memory and pids. "
        "Or add --trusted to grade without a sandbox what you have read."
    )


@pytest.mark.parametrize("wanted", ["warm", "none"])
def test_a_wish_that_can_not_be_granted_is_an_error(machine, wanted):
    """A warm sandbox where only a cold one holds, or none for work that nobody has read."""
    machine("filter")

    with pytest.raises(GradingError, match="sandbox"):
        choose_isolation(False, wanted)


def test_trusted_work_needs_nothing(monkeypatch):
    """With --trusted nothing is tried."""
    monkeypatch.setattr(levels, "find_isolation", lambda: pytest.fail("tried"))

    assert choose_isolation(True) == "none"
    assert choose_isolation(True, "cold") == "cold"


def test_a_missing_program_is_the_first_lack(monkeypatch):
    """Without bubblewrap the level is none, and the hint installs it."""
    monkeypatch.setattr(levels.sys, "platform", "linux")
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(levels, "_try_limits", lambda: ("rlimit", HELD))

    found = find_isolation()

    assert found.level == "none"
    assert found.lacks[0].hint == "install it: sudo apt-get install bubblewrap."


def test_other_systems_have_none(monkeypatch):
    """Outside Linux nothing is tried, and the hint says where to grade."""
    monkeypatch.setattr(levels, "sys", SimpleNamespace(platform="darwin"))

    found = find_isolation()

    assert found.level == "none"
    assert "WSL" in found.lacks[0].hint


@pytest.mark.system
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")
def test_this_machine_is_tried_in_full(need):
    """The real trial comes to an end, and what it did not prove it names."""
    need("bwrap")

    found = find_isolation()

    assert found.level in LEVELS
    assert len(found.proven) + len(found.lacks) == 4


def test_the_doctor_shows_the_level_and_what_is_missing(machine):
    """The table names the level, what was proven, and the command for each lack."""
    machine("filter\nnamespaces", proof=NOT_HELD)
    console = Console(record=True, width=1000)

    console.print(report(findings.findings()))

    text = console.export_text()
    assert "sandbox without proven limits; bubblewrap" in text
    assert "systemd-run --user --scope -p Delegate=yes" in text
