"""The command line: what is to be hidden stays hidden, wherever it lies."""

import subprocess
import sys
from pathlib import Path

from seqlib.grading.sandbox.bubblewrap import Mounts, command_line, python_inside


def test_a_hidden_folder_is_covered_inside_a_shown_one(tmp_path, need):
    """A repository inside the Python environment is not seen, and an environment inside of the repository is."""
    need("bwrap")
    repository = tmp_path / "environment" / "lib" / "repository"
    inner = repository / ".venv"
    inner.mkdir(parents=True)
    for path in (repository / "solutions.py", inner / "python", tmp_path / "environment" / "python"):
        path.write_text("here")
    shown = {str(path): path for path in (tmp_path / "environment", inner)}

    line = command_line(["/usr/bin/find", str(tmp_path)], Mounts(read_only=shown, hidden=[repository]), {})
    found = subprocess.run(line, capture_output=True, text=True).stdout.split("\n")

    assert str(repository / "solutions.py") not in found
    assert str(inner / "python") in found
    assert str(tmp_path / "environment" / "python") in found


def test_a_folder_that_is_not_shown_needs_no_cover(tmp_path):
    """A repository outside of everything shown is not mentioned at all."""
    line = command_line(["/bin/true"], Mounts(read_only={}, hidden=[tmp_path]), {})

    assert str(tmp_path) not in line


def test_an_environment_that_is_a_link_is_shown_where_it_lies(monkeypatch, tmp_path):
    """Also where the link lies in a scratch folder, or nowhere in the sandbox."""
    link = tmp_path / ".venv"
    link.symlink_to(Path(sys.prefix).resolve())
    there = python_inside()
    monkeypatch.setattr(sys, "prefix", str(link))

    assert python_inside(str(link / "bin" / Path(sys.executable).name)) == there


def test_an_environment_in_a_scratch_folder_is_seen_elsewhere(tmp_path, monkeypatch):
    """A clone under /tmp has its Python there, which the submission's own /tmp would cover."""
    monkeypatch.setattr(sys, "prefix", "/tmp/a clone/.venv")

    line = command_line([python_inside("/tmp/a clone/.venv/bin/python")], Mounts(read_only={}), {})

    assert line[-1] == "/run/seqlib/environment/bin/python"
    assert line[line.index("/tmp/a clone/.venv") + 1] == "/run/seqlib/environment"


def test_folders_above_what_is_shown_can_be_entered(tmp_path, need):
    """A place under a private home can be reached by who has given up root's rights."""
    need("bwrap")
    place = "/root/deep/below/file"
    (tmp_path / "file").write_text("here")

    line = command_line(
        ["/usr/bin/stat", "-c", "%a", "/root", "/root/deep", "/etc", "/sys"],
        Mounts(read_only={place: tmp_path / "file"}),
        {},
    )

    assert subprocess.run(line, capture_output=True, text=True).stdout.split() == ["755"] * 4
