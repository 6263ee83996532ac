"""The first cell finds, verifies and blocks; `check` shows text and harmless HTML in under a second."""

import hashlib
import json
import sys

import pytest
import torch

from seqlib.checks import notebook
from seqlib.checks.notebook import Checker, NotebookError, Shown, block_modules, start_assignment
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError


@pytest.fixture
def folder(tmp_path, public_file, cases):
    """A released toy assignment."""
    place = tmp_path / "with space" / "toy"
    place.mkdir(parents=True)
    files = {"checks_public.py": public_file.read_bytes(), "cases.safetensors": cases.to_bytes()}
    for name, data in files.items():
        (place / name).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    release = {"assignment": "toy", "title": "Toy", "answers": [], "files": digests}
    (place / "release.json").write_text(json.dumps(release), encoding="utf-8")
    return place


@pytest.fixture(autouse=True)
def importers():
    """Undo what a first cell does to imports."""
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


def test_a_check_prints_its_outcome(folder, monkeypatch, capsys):
    """Outside a notebook `check(name)` prints the headline, the message and the rows."""
    monkeypatch.setattr(notebook, "_caller_names", lambda: {"scale": lambda x, factor: x + factor})
    check = start_assignment("toy", folder)

    check("scaling")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "scaling: Not yet (0 of 10 points).  Multiplies by the factor."
    assert lines[1] == "You add the factor; multiply by it."
    assert lines[2].split(":") == ["  Quantity", "                 scale(x, factor)"]


def test_a_check_needs_no_reference(folder, monkeypatch, suite):
    """The right functions pass on the released files alone, each check in under a second."""
    monkeypatch.setattr(notebook, "_caller_names", lambda: suite.reference)
    check = start_assignment("toy", folder)

    verdicts = [check.run(name) for name in suite.checks]

    assert {v.status for v in verdicts} == {"passed"}
    assert max(v.seconds for v in verdicts) < 1
    assert "training" in repr(check)


def test_a_function_defined_later_is_found(folder, monkeypatch):
    """The notebook's names are looked up when the check runs."""
    names = {}
    monkeypatch.setattr(notebook, "_caller_names", lambda: names)
    check = start_assignment("toy", folder)
    before = check.run("scaling").status

    names["scale"] = lambda x, factor: factor * x

    assert (before, check.run("scaling").status) == ("missing", "passed")


def test_the_reference_values_can_be_shown(folder, suite):
    """A public case gives the inputs again and the recorded right value, for a stepper beside the student's."""
    check = start_assignment("toy", folder)

    x, factor = check.case("scaling", 1).scale_inputs()

    assert torch.equal(check.expected("scaling", 1), x * factor)


def test_an_unknown_check_is_named(folder):
    """A wrong name gets one line with the names that there are."""
    check = start_assignment("toy", folder)

    with pytest.raises(GradingError) as error:
        check("scalling")

    assert error.value.what == "toy has no check called 'scalling'."
    assert error.value.hint.startswith("the checks are: scaling, ")


@pytest.mark.parametrize("name", ["cases.safetensors", "checks_public.py"])
@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_folder_is_refused(folder, name, damage):
    """A file that is not the released one stops the first cell, with the place and what to do."""
    path = folder / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"#")

    with pytest.raises(GradingError) as error:
        start_assignment("toy", folder)

    assert str(error.value) == (
        f"{path} is missing or was changed.\nHint: get the folder of toy again; your notebook is not touched."
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"assignment": "toy"}', '{"assignment": "toy", "files": 3, "answers": []}']
)
def test_a_folder_without_a_release_is_refused(tmp_path, text):
    """A release file that is not ours is one error, whatever it holds."""
    (tmp_path / "release.json").write_text(text, encoding="utf-8")

    with pytest.raises(GradingError, match="is no folder of the assignment toy"):
        start_assignment("toy", tmp_path)


def test_the_folder_is_found_from_the_notebook(folder, monkeypatch, tmp_path):
    """The session's notebook, the working directory and the folders below it are searched."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GradingError, match="the folder of toy is not found"):
        start_assignment("toy")

    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "toy.ipynb"))
    assert isinstance(start_assignment("toy"), Checker)
    monkeypatch.delenv("JPY_SESSION_NAME")
    monkeypatch.chdir(folder.parent)
    assert isinstance(start_assignment("toy"), Checker)


def test_answers_cannot_be_imported(tmp_path, monkeypatch):
    """A listed module, one below it and one that was loaded before are all refused; a longer name is not."""
    for name in ("answers_here/__init__.py", "answers_here/inner.py", "answers_here_not.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import answers_here.inner

    assert answers_here.inner is not None
    block_modules(["answers_here"])

    for name in ("answers_here", "answers_here.inner"):
        with pytest.raises(ModuleNotFoundError, match="is not part of this assignment; write it yourself"):
            __import__(name)
    __import__("answers_here_not")


def test_html_of_students_is_text():
    """Tags in a message, a title or a row are shown as text."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    verdict = Verdict(
        check="step", points=1, earned=0, status="failed", message=evil, rows=((evil, '"><svg onload=alert(1)>'),)
    )

    html = Shown(verdict, evil)._repr_html_()

    assert "<script" not in html
    assert "<img" not in html
    assert "<svg" not in html
    assert "&lt;script&gt;" in html


def test_a_notebook_shows_two_lines(folder):
    """In IPython an error of the first cell is its two lines, without a traceback."""
    (folder / "release.json").unlink()

    with pytest.raises(NotebookError) as error:
        start_assignment("toy", folder)

    assert error.value._render_traceback_() == [str(error.value)]


def test_a_full_run_says_so_first(folder, monkeypatch, capsys, suite):
    """A check that trains runs its short form unless asked, and announces the long one."""
    monkeypatch.setattr(notebook, "_caller_names", lambda: suite.reference)
    check = start_assignment("toy", folder)

    check("training")
    check("training", full=True)

    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        'training: the short run passed; check("training", full=True) runs it in full.',
        "training: the full run has started; interrupting the kernel ends it.",
        "training: Passed (45 of 45 points).",
    ]
