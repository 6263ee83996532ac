"""The release: the same bytes, whole or not at all, and each fault of the source in one line."""

import hashlib
import json
from pathlib import Path

import nbformat
import pytest

from seqlib.errors import ReleaseError
from seqlib.grading.release import place_in_course, release
from seqlib.grading.staging import swap_in

SOURCE = "solutions/a0_toy/a0_toy.py"
CHECKS = "solutions/a0_toy/checks.py"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_two_releases_are_byte_identical(toy_root):
    """Releasing the same source twice gives the same bytes in every file."""
    first = bytes_of(release("a0_toy", toy_root).folder)

    second = bytes_of(release("a0_toy", toy_root).folder)

    assert first == second
    assert sorted(first) == ["a0_toy.ipynb", "cases.safetensors", "checks_public.py", "release.json"]


def test_digests_are_those_of_the_files(toy_root):
    """release.json names every other file with its digest, and the modules to block."""
    folder = release("a0_toy", toy_root).folder
    table = json.loads((folder / "release.json").read_text("utf-8"))

    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}

    del found["release.json"]
    assert table["files"] == found
    assert table["answers"] == ["seqlib.nn.recurrent.bptt"]


def test_nbgrader_accepts_the_notebook(toy_root):
    """nbgrader's own metadata validator and checksums agree with the released notebook."""
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.utils import compute_checksum

    notebook = nbformat.read(release("a0_toy", toy_root).folder / "a0_toy.ipynb", as_version=4)

    MetadataValidator().validate_nb(notebook)
    marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert [cell.metadata.nbgrader.checksum for cell in marked] == [compute_checksum(cell) for cell in marked]


def test_points_and_ids_come_from_the_checks(toy_root):
    """A check cell's id is its grade_id, its points are those of checks.py, and it is locked."""
    notebook = nbformat.read(release("a0_toy", toy_root).folder / "a0_toy.ipynb", as_version=4)

    graded = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]

    assert [(cell.id, cell.source, cell.metadata.nbgrader.points) for cell in graded] == [
        ("running_total", 'check("running_total")', 40),
        ("leak", 'check("leak")', 60),
    ]
    assert all(cell.metadata.nbgrader.locked for cell in graded)


def test_solutions_become_stubs(toy_root):
    """A region becomes NotImplementedError with the function's name, or the stub that the author wrote."""
    notebook = nbformat.read(release("a0_toy", toy_root).folder / "a0_toy.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}

    assert cells["exercise_running_total"].endswith('    raise NotImplementedError("running_total is yours to write")')
    assert cells["exercise_leak"].endswith("    new = ...  # squash x first\n    return new")


def test_local_checks_answer_from_the_release(toy_root, monkeypatch):
    """What is released is enough to check an answer and to name a mistake, without the references."""
    from seqlib.checks.proxy import local_student
    from seqlib.checks.recorded import Recorded, RecordedCases
    from seqlib.checks.registry import load_suite
    from seqlib.checks.runner import run_check

    folder = release("a0_toy", toy_root).folder
    suite = load_suite(folder / "checks_public.py", "a0_toy")
    source = Recorded(suite, RecordedCases.load(folder / "cases.safetensors"))

    right = run_check(suite["running_total"], local_student({"running_total": lambda x: x.cumsum(-1)}), source)
    wrong = run_check(suite["running_total"], local_student({"running_total": lambda x: x.cumsum(0)}), source)

    assert suite.reference == {}
    assert (right.status, wrong.status, wrong.mistake) == ("passed", "failed", "first_axis")


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (CHECKS, "points=40", "points=30", "add up to 90, not 100"),
        (SOURCE, 'check("leak")', "pass", "graded ('leak') but is neither"),
        (SOURCE, '# %%\ncheck("running_total")', "# %%\npass", "check 'running_total' has no cell in a0_toy.py."),
        (SOURCE, 'check("running_total")', 'check("running_tota")', "has no cell"),
        (SOURCE, "exercise_leak", "exercise_running_total", "grade_id 'exercise_running_total' comes twice"),
        (SOURCE, "exercise_leak", "leak", "grade_id 'leak' comes twice"),
        (SOURCE, '"grade_id": "leak"', '"grade_id": "leaks"', "checks 'leak' under the grade_id 'leaks'"),
        (
            SOURCE,
            ' nbgrader={"grade_id": "exercise_leak", "solution": true}',
            "",
            "holds a solution and has no grade_id",
        ),
        (SOURCE, "### END SOLUTION", "", "begins a solution"),
        (SOURCE, "# %%", "# --", "is no jupytext notebook"),
        (CHECKS, "def leak(student, case)", "def leak(student, case", "does not run: SyntaxError"),
        (CHECKS, "new = student.leak(x, h, alpha)", "new = reference_leak(x, h, alpha)", "which is an answer"),
        ("solutions/a0_toy/assignment.toml", "minutes = 5", "minutes = ", "is no TOML"),
        ("solutions/a0_toy/assignment.toml", "minutes = 5", 'minutes = "5"', "minutes in"),
    ],
)
def test_each_fault_of_the_source_is_one_line(toy_root, file, old, new, what):
    """A faulty source is refused with its fault named, and the release before it stays as it was."""
    before = bytes_of(release("a0_toy", toy_root).folder)
    edit(toy_root / file, old, new)

    with pytest.raises(ReleaseError) as refused:
        release("a0_toy", toy_root)

    assert what in refused.value.what
    assert "\n" not in refused.value.what
    assert refused.value.hint
    assert bytes_of(toy_root / "assignments" / "a0_toy") == before
    assert [path.name for path in (toy_root / "assignments").iterdir()] == ["a0_toy"]


def test_an_extra_check_cell_is_refused(toy_root):
    """A cell that checks what checks.py does not define is named."""
    path = toy_root / SOURCE
    path.write_text(path.read_text("utf-8") + '\n# %%\ncheck("more")\n', "utf-8")

    with pytest.raises(ReleaseError, match=r"checks .more., which is not in checks\.py"):
        release("a0_toy", toy_root)


def test_an_unknown_name_suggests_the_near_one(toy_root):
    """A misspelt assignment is answered with the name that was meant."""
    with pytest.raises(ReleaseError) as refused:
        release("a0_toi", toy_root)

    assert refused.value.hint == "did you mean: a0_toy?"


def test_a_solution_pasted_outside_its_region_is_refused(toy_root):
    """A line of a variant in the text of the notebook is found and named with its file and line."""
    edit(toy_root / SOURCE, "Two small exercises.", "Two small exercises: return h + alpha * (torch.tanh(x) - h)")

    with pytest.raises(ReleaseError) as refused:
        release("a0_toy", toy_root)

    assert refused.value.what.startswith("a0_toy.ipynb")
    assert "right/leak.py line 3" in refused.value.what


def test_a_failing_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    """When the new folder can't take its place, the old one is still there, whole."""
    import os

    swap_in({"a": b"old"}, tmp_path / "x")
    real = os.replace

    def refuse(source, target):
        if Path(source).name == "new":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReleaseError, match="No space left on device"):
        swap_in({"a": b"new"}, tmp_path / "x")

    assert bytes_of(tmp_path / "x") == {"a": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_class_folder_gets_both_notebooks(toy_root, tmp_path):
    """nbgrader's source/ holds the answers, its release/ holds what students get."""
    release("a0_toy", toy_root)

    place_in_course("a0_toy", toy_root, tmp_path / "class")

    assert "squashed_input" in (tmp_path / "class/source/a0_toy/a0_toy.ipynb").read_text("utf-8")
    assert "squashed_input" not in (tmp_path / "class/release/a0_toy/a0_toy.ipynb").read_text("utf-8")


def test_no_room_is_one_line(tmp_path):
    """A place that can't be written is named, without a traceback."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ReleaseError, match="can't be written"):
        swap_in({"a": b"new"}, tmp_path / "file" / "x")
