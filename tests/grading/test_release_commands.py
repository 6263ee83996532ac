"""The instructors' commands: each teaches by --help, says what it did, and fails in one line."""

import pytest
from typer.testing import CliRunner

from seqlib.course.pack import pack_bytes
from seqlib.errors import ReleaseError
from seqlib.grading.release_commands import app

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", ["release", "bundle", "collect", "mutants"])
def test_help_says_what_the_command_does(command):
    """Every command explains itself in more than one sentence."""
    told = run(command, "--help")

    assert told.exit_code == 0
    assert len(told.output.split(".")) > 3


def test_release_says_what_was_made(toy_root):
    """The number of checks, the points and the folder are printed."""
    told = run("release", "a0_toy", "--root", toy_root, "--course", toy_root / "class")

    assert told.exit_code == 0
    assert "a0_toy: 2 checks, 100 points." in told.stdout
    assert (toy_root / "assignments/a0_toy/a0_toy.ipynb").is_file()
    assert (toy_root / "class/source/a0_toy/a0_toy.ipynb").is_file()


def test_mutants_fails_when_one_survives(toy_root):
    """The exit status is 1 and the survivor is named."""
    path = toy_root / "solutions/a0_toy/right/leak.py"
    path.write_text("# %% frozen\ndef leak(x, h, alpha):\n    return h\n", "utf-8")

    told = run("mutants", "a0_toy", "--root", toy_root)

    assert told.exit_code == 1
    assert "right leak/frozen: failed leak; named: no mistake" in told.stdout
    assert "4/4" in told.stdout


def test_collect_counts_and_fails_when_one_is_refused(toy_root, tmp_path):
    """Taken and refused packs are listed; a refusal makes the exit status 1."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    (exchange / "ada.zip").write_bytes(pack_bytes("ada", "a0_toy", "", NOTEBOOK))
    (exchange / "eve.zip").write_bytes(b"no pack")

    told = run("collect", "a0_toy", "--from", exchange, "--course", tmp_path / "class", "--root", toy_root)

    assert told.exit_code == 1
    assert "ada: arrived " in told.stdout
    assert "refused eve.zip" in told.stdout
    assert "1 taken, 0 seen before, 1 refused." in told.stdout


def test_a_folder_that_is_no_repository_is_one_line(tmp_path):
    """Outside of an instructors' repository the command says so."""
    told = run("release", "a0_toy", "--root", tmp_path)

    assert isinstance(told.exception, ReleaseError)
    assert told.exception.what.startswith("no folder solutions/ lies in")
