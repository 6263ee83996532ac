"""A notebook run in a sandbox shows what it shows in a plain Jupyter kernel.

Compared after this normalisation, which drops what differs between two kernels as well:

- Within a run of texts with no other output between, the standard stream and the error stream are joined each,
  since a kernel's two buffers keep no order between them.
- Memory addresses, measured times, process and thread numbers, names of widget models and display handles,
  and the names that files of cells, temporary folders, the home folder and the folder of the environment have.
- Frames of the kernel's own code in tracebacks, such as that of `input`, which is refused.
- In a kernel what programs write themselves comes some time later; cells that start some wait for it.
- Comm messages are no outputs, and are not looked at.
"""

import json
import os
import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from seqlib.grading.kit import load_kit
from seqlib.grading.limits import ProcessLimits, open_limits
from seqlib.grading.outputs import NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import BoxLimits
from seqlib.grading.sandbox.environment import parent_environment
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import start_warm
from seqlib.grading.source import find_source, list_sources

from .conftest import ROOT
from .kernel_cells import CELLS

LIMITS = OutputLimits(cell_bytes=4_000_000, notebook_bytes=100_000_000)
SAME = (
    (rf"{re.escape(sys.prefix)}|/run/seqlib/environment", "ENVIRONMENT"),
    (r"0x[0-9a-f]{6,}", "ADDRESS"),
    (r"[0-9a-f]{32}", "MODEL"),
    (r"\d+(\.\d+)?(e[+-]\d+)? (ns|[uμµ]s|ms|s)\b", "TIME"),
    (r"(/tmp/ipykernel_\d+/)?\b\d{6,}\.py", "CELL.py"),
    (r"(/tmp/[\w./-]*?/home|/home/student)\b", "HOME"),
    (r"\bpid \d+", "PID"),
    (r"Thread-\d+", "Thread"),
)
OWN_FRAME = re.compile(r"^\S*File [^\n]*(ipykernel|/inside)/\w+\.py")
DIFFERENT = {
    "widget_output": "what is printed in an Output widget is shown in the cell itself, where whoever marks can read it",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory, need):
    """Runs cells both ways; returns two lists of outputs a cell."""
    need("bwrap")

    def run(sources, public):
        home = tmp_path_factory.mktemp("kernel") / "home"
        home.mkdir()
        for name, data in public.items():
            (home / name).write_bytes(data)
        with Image(ROOT, public) as image:
            return in_a_box(sources, image), in_a_kernel(sources, home, image)

    return run


def in_a_box(sources, image):
    """Outputs of each cell in a warm sandbox."""
    with open_limits() as limits:
        boxes = start_warm(image, BoxLimits(), limits, ProcessLimits())
        box = boxes.open(outputs := NotebookOutputs(LIMITS))
        found = [box.run(source, 300).outputs for source in sources]
        assert box.alive
        box.close()
        boxes.close()
    assert outputs.left > 0
    return found


def in_a_kernel(sources, home, image):
    """Outputs of each cell in a plain kernel of this Python, whose library is the students' edition too."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=300, allow_errors=True, resources={"metadata": {"path": str(home)}}
    )
    environment = parent_environment(image, inside=False) | {"HOME": str(home), "PATH": os.environ["PATH"]}
    client.execute(env=environment)
    return [cell["outputs"] for cell in notebook.cells]


def normalised(outputs):
    """Outputs without what differs between two kernels."""
    found, texts = [], {}
    for output in outputs:
        if output["output_type"] == "stream":
            texts[output["name"]] = texts.get(output["name"], "") + output["text"]
            continue
        found += streams(texts)
        if "traceback" in output:
            output = output | {"traceback": [part for part in output["traceback"] if not OWN_FRAME.search(part)]}
        found.append(json.loads(same(json.dumps(output, sort_keys=True))))
    return found + streams(texts)


def streams(texts):
    """The joined texts, standard stream first; they are taken out."""
    found = [{"stream": name, "text": same(texts[name])} for name in sorted(texts, reverse=True) if texts[name]]
    texts.clear()
    return found


def same(text):
    """The text without what differs."""
    for pattern, name in SAME:
        text = re.sub(pattern, name, text)
    return text


@pytest.fixture(scope="module")
def cells(pair):
    """Both outputs of each hand-picked cell, by name."""
    boxed, plain = pair(list(CELLS.values()), {})
    return {name: (normalised(a), normalised(b)) for name, a, b in zip(CELLS, boxed, plain, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_what_it_shows_in_a_kernel(cells, name):
    """Streams, results, displays, plots, errors and magics are those of a kernel."""
    boxed, plain = cells[name]
    if name in DIFFERENT:
        pytest.xfail(DIFFERENT[name])

    assert boxed == plain


@pytest.mark.slow
@pytest.mark.parametrize("text", ["answers", "skeleton"])
@pytest.mark.parametrize("name", list_sources(ROOT))
def test_an_assignment_shows_what_it_shows_in_a_kernel(pair, name, text):
    """Each cell of each assignment, with the answers and as it is handed out."""
    kit = load_kit(name, ROOT)
    notebook = kit.notebook if text == "skeleton" else read_answers(name)
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]

    boxed, plain = pair(sources, kit.public)

    for source, ours, theirs in zip(sources, boxed, plain, strict=True):
        assert normalised(ours) == normalised(theirs), source


def read_answers(name):
    """The source of an assignment as a notebook, with its answers."""
    import jupytext

    return jupytext.read(find_source(name, ROOT).notebook)


def test_the_normalisation_keeps_what_matters():
    """It joins texts and drops addresses, and keeps words, order of displays, and metadata."""
    one = {"output_type": "stream", "name": "stdout", "text": "a at 0x7f00aa00bb00\n"}
    two = {"output_type": "stream", "name": "stdout", "text": "b\n"}
    shown = {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {"m": 1}}

    assert normalised([one, two, shown, two]) == [
        {"stream": "stdout", "text": "a at ADDRESS\nb\n"},
        shown,
        {"stream": "stdout", "text": "b\n"},
    ]
