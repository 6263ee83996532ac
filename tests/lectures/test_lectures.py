"""Every lecture: it runs, in time, in memory; it asks before it tells; what stands in its file is only its text."""

import re
import resource
import time
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from seqlib.catalogue import read_lectures

ROOT = Path(__file__).parents[2]
LECTURES = [lecture.path for lecture in read_lectures(ROOT)]
SECONDS, MEMORY_GIB = 90, 2


@pytest.fixture(params=LECTURES, ids=str)
def path(request) -> Path:
    """Each lecture's file."""
    return ROOT / request.param


def test_table_lists_the_folder():
    """lectures.toml and the folder name the same lectures."""
    assert {path.name for path in LECTURES} == {path.name for path in (ROOT / "lectures").glob("*.py")}


def test_text_survives_a_save(path):
    """Opened and saved by jupytext with the project's settings, the file is the same byte for byte."""
    text = path.read_text("utf-8")
    config = jupytext.config.load_jupytext_configuration_file(str(ROOT / "jupytext.toml"))

    saved = jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="py:percent", config=config)

    assert saved == text


def test_readers_predict_first(path):
    """At least five questions are to be answered before a cell is run, and each stands before a cell of code."""
    cells = jupytext.read(path).cells
    questions = [place for place, cell in enumerate(cells) if "> **Predict.**" in cell.source]

    assert len(questions) >= 5
    assert all(cells[place + 1].cell_type == "code" for place in questions)


def test_something_moves(path):
    """At least three pictures, one of them a stepper."""
    code = "\n".join(cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code")

    assert code.count("figure(") + code.count("Stepper(") >= 3
    assert "Stepper(" in code


def test_text_knows_its_slide(path):
    """Every cell of text says which slide it is on."""
    kinds = {_kind(cell) for cell in jupytext.read(path).cells if cell.cell_type == "markdown"}

    assert kinds <= {"slide", "subslide", "fragment", "notes", "skip"}


def test_presenter_is_told_what_to_do(path):
    """Every section and every question is followed by notes: what to ask, the usual wrong answer, what to cut."""
    asked = []

    for cell in jupytext.read(path).cells:
        if _kind(cell) == "slide" or "> **Predict.**" in cell.source:
            assert not asked, f"no notes for {asked}"
            asked.append(cell.source.partition("\n")[0])
        if _kind(cell) == "notes":
            asked.clear()
            for part in ("**Ask the room:**", "**The usual wrong answer", "**If time is short:**"):
                assert part in cell.source
            assert "minute" in cell.source.partition("**If time is short:**")[2]
    assert not asked, f"no notes for {asked}"


def _kind(cell) -> str | None:
    return cell.metadata.get("slideshow", {}).get("slide_type")


def test_no_inventory_numbers(path):
    """Students never see the numbers under which the authors keep their systems."""
    assert not re.search(r"\bS\d\d\b", path.read_text("utf-8"))


@pytest.mark.slow
def test_every_cell_runs(path):
    """All cells run without an error or a warning, within the time and memory that a lecture may take."""
    notebook = jupytext.read(path)
    started = time.monotonic()

    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()

    seconds = time.monotonic() - started
    memory_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    complaints = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    nbformat.validate(notebook)
    assert complaints == []
    assert seconds <= SECONDS
    assert memory_gib <= MEMORY_GIB
