"""Starting the server: what it is told, and what stops it in one line."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from seqlib.catalogue import Lecture
from seqlib.errors import LabError
from seqlib.lab import server
from seqlib.lab.server import check_python, check_space, choose_port, environment, lab_command, open_lab


@pytest.fixture
def taken_port():
    """A port that something else uses."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_port_in_use_is_one_line(taken_port):
    """A wanted port that is taken is named, with what to do."""
    with pytest.raises(LabError) as stopped:
        choose_port(taken_port)

    assert stopped.value.what == f"port {taken_port} of this computer is in use."
    assert stopped.value.hint == "close the other JupyterLab, or choose another port: seqlib lab --port 9000."


def test_without_a_wish_the_next_free_port_is_taken(taken_port, monkeypatch):
    """The default steps over a port that is in use."""
    monkeypatch.setattr(server, "FIRST_PORT", taken_port)

    assert choose_port(None) > taken_port


def test_old_python_is_one_line():
    """An old Python is told its version and what to do."""
    with pytest.raises(LabError) as stopped:
        check_python((3, 9, 1))

    assert stopped.value.what == "this is Python 3.9; the course needs 3.11 or later."


def test_full_disk_is_one_line(tmp_path):
    """A disk without room is named with what is left and what is needed."""
    with pytest.raises(LabError, match=r"MiB left; notebooks, figures and checkpoints need \d+ MiB\.") as stopped:
        check_space(tmp_path, needed_mib=2**50)

    assert stopped.value.what.startswith(f"the disk of {tmp_path} has ")


def test_server_answers_this_computer_only():
    """The command names the loopback address, this Python and the folder as it is, spaces included."""
    command = lab_command(Path("/my course"), port=9000, page=Path("lectures") / "a b.py", browser=False)

    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in command
    assert f"--ServerApp.root_dir={Path('/my course')}" in command
    assert "--LabApp.default_url=/lab/tree/lectures/a%20b.py" in command


def test_settings_of_the_user_come_after_ours():
    """Our folder of settings is first; a path that was set before is kept."""
    variables = environment({"JUPYTER_CONFIG_PATH": "/theirs", "HOME": "/home/x"}, present=True)

    paths = variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert [Path(path).name for path in paths] == ["present", "jupyter", "theirs"]
    assert all((Path(path) / "labconfig" / "default_setting_overrides.json").is_file() for path in paths[:2])
    assert variables["HOME"] == "/home/x"


def test_open_lab_passes_the_lecture_and_the_exit_status(tmp_path, monkeypatch):
    """Presenting opens the lecture itself; the exit status is the server's."""
    seen = {}

    class Process:
        def __init__(self, command, env, cwd):
            seen.update(command=command, cwd=cwd)

        def wait(self):
            return 3

    monkeypatch.setattr(server.subprocess, "Popen", Process)
    lecture = Lecture(file="02_recurrent.py", title="", question="", minutes=1)

    assert open_lab(tmp_path, port=None, browser=True, lecture=lecture) == 3
    assert "--LabApp.default_url=/lab/tree/lectures/02_recurrent.py" in seen["command"]
    assert seen["cwd"] == tmp_path


def test_the_slides_of_the_course_are_found_by_lab():
    """The folder of extensions holds one whose script and style are there, as JupyterLab looks for them."""
    command = lab_command(Path("course"), port=9000, page=Path("a.md"), browser=False)
    folder = next(Path(word.partition("=")[2]) for word in command if "extra_labextensions_path" in word)

    built = json.loads((folder / "seqlib_slides" / "package.json").read_text("utf-8"))["jupyterlab"]["_build"]

    assert (folder / "seqlib_slides" / built["load"]).is_file()
    assert (folder / "seqlib_slides" / "static" / "slides.css").is_file()
