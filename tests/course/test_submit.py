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
from seqlib.course.notebooks import LARGEST_CELLS, LARGEST_MIB, LARGEST_SOURCE
from seqlib.course.pack import read_pack
from seqlib.course.submit import submit
from seqlib.errors import SubmissionError
from seqlib.grading import submitted
from seqlib.grading.collect import collect


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


def speak(language: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: (
        content.update(metadata={"kernelspec": {"name": "k", "display_name": "K"}})
        or (content["metadata"]["kernelspec"].update(language=language))
    )


def write(name: str, text: str) -> Callable[[dict[str, Any]], None]:
    def edit(content: dict[str, Any]) -> None:
        next(cell for cell in content["cells"] if cell["id"] == name)["source"] = text

    return edit


def finish(content: dict[str, Any]) -> None:
    write("exercise_running_total", "def running_total(x):\n    return x.cumsum(-1)")(content)
    write("exercise_leak", "def leak(x, h, alpha):\n    return h")(content)


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
        (double("leak"), "the cell check('leak') is there 2 times: only the first one counts."),
        (drop("exercise_leak"), "the cell for your answer 'exercise_leak' is missing."),
        (speak("R"), "its kernel runs R, and the assignment is graded with Python."),
        (lambda content: content.update(cells=[]), "none of the assignment's cells is in this notebook."),
        (lambda content: content.update(nbformat=3), "is no notebook of format 4."),
        (lambda content: content["cells"][0].pop("source"), "cell 1 is not valid: it has no text."),
        (lambda content: content["cells"][2].update(source=[1]), "cell 3 is not valid: it has no text."),
        (lambda content: content["cells"][0].update(cell_type="sound"), "cell 1 is not valid: its kind is 'sound'."),
        (lambda content: content["cells"][1].update(outputs=[{"output_type": "x"}]), "cell 2 is not valid: "),
        (lambda content: content["cells"][3].update(metadata=[]), "cell 4 is not valid: its metadata is no table."),
        (lambda content: content["cells"].insert(0, 5), "cell 1 is not valid: it is no cell."),
        (lambda content: content.update(cells=content["cells"] * 300), "cells; at most 2000 are read."),
        (lambda content: content.pop("metadata"), "breaks the notebook format: 'metadata' is a required property"),
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
        (b'{"cells": [\n<<<<<<< HEAD\n]}', "is not JSON: line 2 can't be read."),
        (b"\xff\xfe\x00", "is not UTF-8: byte 0."),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "is no notebook of format 4."),
        (b" " * ((LARGEST_MIB << 20) + 1), f"MiB; at most {LARGEST_MIB} are accepted."),
    ],
    ids=["text", "merge", "binary", "nested", "list", "large"],
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

    assert made.faults[0] == "the cell check('leak') is missing"
    change(notebook, lambda content: content.update(cells=[]))
    with pytest.raises(SubmissionError, match="none of the assignment's cells"):
        submit("a0_toy", course, student="ada", anyway=True)


def test_a_front_end_that_drops_metadata_is_welcome_anyway(course, notebook):
    """Cells are known by their text and by what they define where a front end has dropped ids and metadata."""
    change(notebook, finish)
    change(notebook, forget_metadata)

    assert submit("a0_toy", course, student="ada").faults == ()


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


LEAK = "def leak(x, h, alpha):\n"
SKELETON = LEAK + '    """Mix the old state and the new one."""\n    new = ...  # squash x first\n    return new'


@pytest.mark.parametrize(
    ("edit", "notes"),
    [
        (lambda content: None, []),
        (
            write("exercise_leak", LEAK + "    return (h"),
            ["line 2: '(' was never closed in return (h: this cell can't run"],
        ),
        (write("exercise_leak", "\n\n" + LEAK + "return h"), ["line 4: expected an indented block after function"]),
        (write("exercise_leak", "%%time\n" + LEAK + "    return h h"), ["line 3: invalid syntax in return h h"]),
        (write("exercise_leak", LEAK + "    return h\n%timeit 1\n!ls\nleak?\nawait x"), []),
        (write("exercise_leak", "%%bash\nif then fi"), ["(exercise_leak) no longer defines leak"]),
        (write("exercise_leak", "def leek(x):\n    return x"), ["no longer defines leak, which is asked for by name"]),
        (
            write("exercise_leak", SKELETON),
            ["1 of 2 answers are not written yet: exercise_leak"],
        ),
        (
            write("exercise_leak", LEAK + "    a = x\n    new = ...  # squash x first\n    return new"),
            ["(exercise_leak), line 3 is not written yet: new = ...  # squash x first"],
        ),
        (write("exercise_leak", LEAK + "    # YOUR CODE HERE\n    return h"), ["line 2 is not written yet"]),
        (write("exercise_leak", "  \n"), ["1 of 2 answers are not written yet: exercise_leak"]),
        (double("exercise_leak"), ["the cell for your answer 'exercise_leak' is there 2 times: all of them are run"]),
        (write("leak", "print('leak')"), ["(leak) was changed: the grader runs check('leak') there, not your text"]),
        (write("leak", 'check("leak");'), []),
        (speak("python"), []),
        (lambda content: content["metadata"].pop("kernelspec", None), []),
    ],
)
def test_what_is_unfinished_is_handed_in_with_a_note(course, notebook, edit, notes):
    """What a grader can still read is packed, and each note says cell, line and what to do about it."""
    change(notebook, finish)
    change(notebook, edit)

    try:
        faults = submit("a0_toy", course, student="ada").faults
    except SubmissionError as refused:
        faults = (refused.what,)

    assert len(faults) == len(notes), faults
    for note, fault in zip(notes, faults, strict=True):
        assert note in fault


def test_an_answer_in_a_cell_of_ones_own_is_an_answer(course, notebook):
    """Code that was moved or split is not called missing, nor its old place unwritten."""
    change(notebook, finish)
    change(notebook, write("exercise_leak", SKELETON))
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
    change(notebook, lambda content: content["cells"].append(own | {"source": LEAK + "    return h"}))

    assert submit("a0_toy", course, student="ada").faults == ()
    change(notebook, drop("exercise_leak"))
    assert submit("a0_toy", course, student="ada").faults == ()


def test_large_outputs_are_named_with_their_cell(course, notebook):
    """Much output is a note, too much is refused, and both say which cell it is."""
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (6 << 20)}
    change(notebook, finish)
    change(notebook, lambda content: content["cells"][1].update(outputs=[output]))

    assert submit("a0_toy", course, student="ada").faults == (
        "its outputs have 6 MiB, most of it cell 2: clear them, they are made again",
    )
    change(notebook, lambda content: content["cells"][1].update(outputs=[output] * 4))
    with pytest.raises(SubmissionError, match="Cell 2 alone has outputs of 24 MiB"):
        submit("a0_toy", course, student="ada")


def test_another_name_and_a_newer_file_are_noted(course, notebook):
    """A notebook saved under another name is known by its cells; one that was saved later is pointed out."""
    change(notebook, finish)
    change(notebook, forget_metadata)
    renamed = notebook.rename(notebook.with_name("final v2.ipynb"))
    later = renamed.with_name("final v3.ipynb")
    later.write_text("{}", "utf-8")
    os.utime(renamed, (1, 1))

    made = submit(str(renamed), course, student="ada")

    assert made.assignment == "a0_toy"
    assert made.faults == (
        "the file is called 'final v2.ipynb'; it is handed in as a0_toy.ipynb",
        "'final v3.ipynb' in the same folder was saved later than 'final v2.ipynb', which is handed in",
    )


def test_a_byte_order_mark_is_welcome(course, notebook):
    """An editor may put a mark before the text; the grader reads it too."""
    notebook.write_bytes(b"\xef\xbb\xbf" + notebook.read_bytes())

    assert read_pack(submit("a0_toy", course, student="ada").pack).notebook == notebook.read_bytes()


def test_a_receipt_lies_beside_the_pack(course, notebook):
    """The receipt names file, digests and notes, so that it can be shown later."""
    made = submit("a0_toy", course, student="ada")

    text = made.receipt.read_text("utf-8")
    assert made.receipt == course / "work/submitted/ada+a0_toy.receipt.txt"
    assert f"SHA-256 {made.digest}" in text
    assert hashlib.sha256(notebook.read_bytes()).hexdigest() in text
    assert "note       2 of 2 answers are not written yet" in text


def test_the_other_ends_receipt_is_shown(course, notebook, tmp_path):
    """Once collected, the next hand-in says what arrived and when; other files in the folder disturb nothing."""
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    first = submit("a0_toy", course, student="ada", exchange=exchange)
    [receipt] = collect("a0_toy", exchange, tmp_path / "class").taken
    (exchange / "receipts/ada+a0_toy-0.json").write_text("[", "utf-8")

    same = submit("a0_toy", course, student="ada", exchange=exchange)
    change(notebook, finish)
    other = submit("a0_toy", course, student="ada", exchange=exchange)

    told = f"arrived {receipt.arrived[:19]} UTC, receipt {receipt.receipt[:16]}"
    assert (first.arrived, same.arrived, other.arrived) == ("", f"this very file {told}", f"an earlier file {told}")


def test_student_and_grader_read_the_same_sizes():
    """What the student's side takes, the grader's side reads."""
    assert (LARGEST_MIB << 20, LARGEST_CELLS, LARGEST_SOURCE) == (
        submitted.LARGEST_BYTES,
        submitted.LARGEST_CELLS,
        submitted.LARGEST_SOURCE,
    )
