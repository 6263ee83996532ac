"""`nbgrader autograde` under our configuration gives the host's verdicts, whatever the notebook says of itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqlib.grading.gradebook import gradebook_url, read_marks

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nbgraders_own_command_gives_the_hosts_verdicts(small_class, released, tmp_path):
    """A right and a wrong submission are graded by nbgrader's command line, in a class that we graded before."""
    course = tmp_path / "class"
    shutil.copytree(small_class.course, course)
    shutil.rmtree(course / "autograded")
    wanted = {name: small_class.rows[name].earned for name in ("right_with_scripts", "wrong_forgets")}

    for name in wanted:
        run = subprocess.run(
            [sys.executable, "-m", "nbgrader", "autograde", "toy", "--student", name, "--force"],
            cwd=tmp_path,
            env=os.environ
            | {"SEQLIB_CLASS": str(course), "SEQLIB_ROOT": str(released), "JUPYTER_CONFIG_DIR": str(_config(tmp_path))},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr[-3000:]

    marks = read_marks("toy", gradebook_url(course))
    assert {name: sum(mark.score for mark in marks[name]) for name in wanted} == wanted
    for name in wanted:
        assert (course / "autograded" / name / "toy" / "toy.ipynb").is_file()


def _config(folder: Path) -> Path:
    place = folder / "config"
    place.mkdir(exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", place)
    return place
