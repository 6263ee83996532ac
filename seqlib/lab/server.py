"""JupyterLab as a process: on this machine only, in the course folder, with the settings of the course."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from seqlib.catalogue import Lecture, read_assignments
from seqlib.course.copies import start
from seqlib.errors import LabError, SubmissionError
from seqlib.lab.home import HOME, write_start_page

__all__ = ["FIRST_PORT", "check_python", "check_space", "choose_port", "environment", "lab_command", "open_lab"]

FIRST_PORT = 8888
_PORTS_TO_TRY = 50
_ADDRESS = "127.0.0.1"
_SPACE_NEEDED_MIB = 200
_OLDEST_PYTHON = (3, 11)
_SETTINGS = Path(__file__).parent


def open_lab(root: Path, *, port: int | None, browser: bool, lecture: Lecture | None = None) -> int:
    """Start JupyterLab and wait until it ends.

    Args:
        root: The course folder.
        port: None: the first free one from 8888 on.
        browser: Open the page in the system's browser.
        lecture: Open this one as slides instead of the home page.

    Returns:
        The exit status of the server.

    Raises:
        LabError: An old Python, no space on the disk, or a port that something else uses.
    """
    check_python()
    check_space(root)
    port = choose_port(port)
    page = lecture.path if lecture else _start_page(root)
    if lecture:
        print(
            "PageDown and PageUp walk; Ctrl+Enter runs the slide's cell; n shows the notes; Escape shows the notebook."
        )
    process = subprocess.Popen(
        lab_command(root, port=port, page=page, browser=browser),
        env=environment(os.environ, present=lecture is not None),
        cwd=root,
    )
    try:
        return process.wait()
    except KeyboardInterrupt:  # the server got the same Ctrl+C and is closing its kernels
        return process.wait()


def lab_command(root: Path, *, port: int, page: Path, browser: bool) -> list[str]:
    """The command line of the server.

    >>> lab_command(Path("course"), port=8888, page=Path("COURSE.md"), browser=False)[-1]
    '--no-browser'
    """
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.ip={_ADDRESS}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(page.as_posix())}",
        f"--LabApp.extra_labextensions_path={_SETTINGS / 'labextensions'}",
        "--ServerApp.answer_yes=True",
        "--log-level=WARN",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container, where nobody else is
        command.append("--allow-root")
    return command if browser else [*command, "--no-browser"]


def environment(base: Mapping[str, str], *, present: bool = False) -> dict[str, str]:
    """The variables of the server: our settings first, this Python's kernels, UTF-8 in any locale.

    Args:
        base: The variables to start from.
        present: Open notebooks as slides.
    """
    folders = [_SETTINGS / "present"] if present else []
    paths = [*map(str, [*folders, _SETTINGS / "jupyter"]), base.get("JUPYTER_CONFIG_PATH", "")]
    return {
        **base,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths)),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONUTF8": "1",
    }


def choose_port(wanted: int | None) -> int:
    """A free port: the wanted one, or the first from 8888 on.

    Raises:
        LabError: The wanted port, or every one that was tried, is in use.
    """
    candidates = range(FIRST_PORT, FIRST_PORT + _PORTS_TO_TRY) if wanted is None else [wanted]
    for port in candidates:
        if _is_free(port):
            return port
    raise LabError(
        f"port {_said(candidates)} of this computer is in use.",
        "close the other JupyterLab, or choose another port: seqlib lab --port 9000.",
    )


def check_python(version: Sequence[int] = sys.version_info[:3]) -> None:
    """Refuse a Python that is too old for the course."""
    if tuple(version[:2]) < _OLDEST_PYTHON:
        raise LabError(
            f"this is Python {version[0]}.{version[1]}; the course needs 3.11 or later.",
            "install a newer Python, make a new environment with it, and install the course there.",
        )


def check_space(root: Path, needed_mib: int = _SPACE_NEEDED_MIB) -> None:
    """Refuse a disk on which a notebook could not be saved."""
    free_mib = shutil.disk_usage(root).free // 2**20
    if free_mib < needed_mib:
        raise LabError(
            f"the disk of {root} has {free_mib} MiB left; notebooks, figures and checkpoints need {needed_mib} MiB.",
            "delete what you no longer need and run the command again.",
        )


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # elsewhere this option would let two servers share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_ADDRESS, port))
        except OSError:
            return False
    return True


def _said(ports: Sequence[int]) -> str:
    return str(ports[0]) if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"


def _start_page(root: Path) -> Path:
    """Give the student a copy of each released assignment, and return the page that links them."""
    try:
        for assignment in read_assignments(root):
            started = start(assignment.name, root)
            if started.state != "kept":
                print(f"{assignment.title}: your copy is {started.notebook.relative_to(root)}")
        return write_start_page(root)
    except (OSError, SubmissionError) as error:  # a course that can only be read still opens
        print(f"Your own copies of the assignments could not be made: {error}", file=sys.stderr)
        return HOME
