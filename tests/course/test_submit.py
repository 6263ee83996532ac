"""Handing in: what is broken is said, what is whole becomes one file."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seqlib.course.commands import app
from seqlib.course.copies import start
from seqlib.course.notebooks import LARGEST_MIB
from seqlib.course.pack import read_pack
from seqlib.course.submit import submit
from seqlib.errors import SubmissionError


@pytest.fixture
def notebook(course: Path) -> Path:
    """The student's copy."""
    return start("a0_toy", course).notebook


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    def edit(content: dict[str, Any]) -> None:
        content["cells"] = [cell for cell in content["cells"] if cell["id"] != name]

    return edit


def double(name: str) -> Callable[[dict[str, Any]], None]:
    def edit(content: dict[str, Any]) -> None:
        cell = next(cell for cell in content["cells"] if cell["id"] == name)
        content["cells"].append(cell | {"id": "copy"})

    return edit


def forget_metadata(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"] = {}
        del cell["id"]
    content["nbformat_minor"] = 4


def test_a_pack_holds_the_notebook_byte_for_byte(course, notebook):
    """What is handed in is what lies on disk, and equal work gives an equal pack."""
    first = submit("a0_toy", course, student="ada")
    os.utime(notebook, (1, 1))
    second = submit("a0_toy", course, student="ada")

    pack = read_pack(first.pack)
    assert (pack.student, pack.assignment, pack.notebook) == ("ada", "a0_toy", notebook.read_bytes())
    assert first.digest == second.digest == pack.digest == hashlib.sha256(first.pack.read_bytes()).hexdigest()
    assert first.pack == course / "work/submitted/ada+a0_toy.zip"


def test_a_renamed_notebook_is_known(course, notebook):
    """The notebook says which assignment it is, whatever its file is called."""
    renamed = notebook.rename(notebook.with_name("final v2.ipynb"))

    assert read_pack(submit(str(renamed), course, student="ada").pack).assignment == "a0_toy"
    assert read_pack(submit(str(renamed.parent), course, student="ada").pack).assignment == "a0_toy"


def test_the_exchange_folder_gets_a_copy(course, notebook, tmp_path, monkeypatch):
    """Where an exchange folder is set, the pack is dropped there, and nothing but the pack."""
    (tmp_path / "exchange").mkdir()
    monkeypatch.setenv("SEQLIB_EXCHANGE", str(tmp_path / "exchange"))

    made = submit("a0_toy", course, student="ada")

    assert made.dropped == tmp_path / "exchange/ada+a0_toy.zip"
    assert [path.read_bytes() for path in (tmp_path / "exchange").iterdir()] == [made.pack.read_bytes()]


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (drop("leak"), "the cell check('leak') is missing."),
        (double("leak"), "the cell check('leak') is there 2 times."),
        (drop("exercise_leak"), "the cell for your answer 'exercise_leak' is missing."),
        (double("exercise_leak"), "the cell for your answer 'exercise_leak' is there 2 times."),
        (lambda content: content.update(cells=[]), "none of the assignment's cells is in this notebook."),
        (lambda content: content.update(nbformat=3), "is no notebook of format 4."),
        (lambda content: content["cells"][0].pop("source"), "breaks the notebook format"),
        (lambda content: content["cells"][0].update(cell_type="sound"), "breaks the notebook format"),
    ],
)
def test_each_fault_is_named_and_nothing_is_written(course, notebook, edit, what):
    """A broken notebook is refused in one line that says what is broken."""
    change(notebook, edit)

    with pytest.raises(SubmissionError) as refused:
        submit("a0_toy", course, student="ada")

    assert what in refused.value.what
    assert "\n" not in refused.value.what
    assert refused.value.hint
    assert not (course / "work/submitted").exists()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"not json", "is not JSON: line 1 can't be read."),
        (b"\xff\xfe\x00", "is not UTF-8: byte 0."),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "is no notebook of format 4."),
        (b" " * ((LARGEST_MIB << 20) + 1), f"MiB; at most {LARGEST_MIB} are accepted."),
    ],
    ids=["text", "binary", "nested", "list", "large"],
)
def test_a_file_that_is_no_notebook_is_refused(course, notebook, data, what):
    """Whatever the file holds, the answer is one line."""
    notebook.write_bytes(data)

    with pytest.raises(SubmissionError) as refused:
        submit("a0_toy", course, student="ada")

    assert what in refused.value.what


def test_a_broken_notebook_can_be_handed_in_knowingly(course, notebook):
    """With --anyway a missing check cell is noted and handed in; a notebook without any cell is not."""
    change(notebook, drop("leak"))

    made = submit("a0_toy", course, student="ada", anyway=True)

    assert made.faults == ("the cell check('leak') is missing",)
    change(notebook, lambda content: content.update(cells=[]))
    with pytest.raises(SubmissionError, match="none of the assignment's cells"):
        submit("a0_toy", course, student="ada", anyway=True)


def test_a_front_end_that_drops_metadata_is_welcome_anyway(course, notebook):
    """Check cells are known by their text where a front end has dropped ids and metadata."""
    change(notebook, forget_metadata)

    made = submit("a0_toy", course, student="ada", anyway=True)

    assert all("for your answer" in fault for fault in made.faults)


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ("a0_toi", "no assignment is called 'a0_toi'."),
        ("a0_toy", "you have no copy of a0_toy"),
        ("nowhere.ipynb", "nowhere.ipynb can't be read: No such file or directory."),
    ],
)
def test_what_is_not_there_is_said(course, wanted, what):
    """An unknown assignment, one that was not started, a file that is not there."""
    with pytest.raises(SubmissionError) as refused:
        submit(wanted, course, student="ada")

    assert what in refused.value.what


@pytest.mark.parametrize("student", ["../ada", "a/b", "", ".", "x" * 65, "a\nb", "ada+bob"])
def test_a_name_that_is_no_folder_name_is_refused(course, notebook, student, monkeypatch):
    """A student's name becomes a folder on the other side, so only plain names pass."""
    monkeypatch.setenv("SEQLIB_STUDENT", student or "..")

    with pytest.raises(SubmissionError, match="can't be a student's name"):
        submit("a0_toy", course, student=student)


def test_the_command_prints_a_receipt(course, notebook):
    """`seqlib submit` prints where the pack is and the start of its digest."""
    ran = CliRunner().invoke(app, ["submit", "a0_toy", "--student", "ada", "--course", str(course)])

    digest = hashlib.sha256((course / "work/submitted/ada+a0_toy.zip").read_bytes()).hexdigest()
    assert ran.exit_code == 0
    assert f"Receipt: {digest[:16]}" in ran.output
