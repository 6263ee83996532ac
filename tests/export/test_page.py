"""The page from an executed notebook, without a kernel or a browser."""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from seqlib.errors import ExportError
from seqlib.export.page import check_self_contained, lecture_page
from seqlib.export.steppers import STATE, VIEW

MODULE = "export default { render() { /* </script> */ } };"


def notebook(*cells, state=None):
    """A notebook as it is after a run."""
    metadata = {"widgets": {STATE: {"state": state or {}}}}
    return new_notebook(cells=list(cells), metadata=metadata)


def stepper_cell(model_id):
    """A cell that shows a widget."""
    data = {VIEW: {"model_id": model_id}, "text/plain": "Two steps"}
    return new_code_cell("show()", outputs=[new_output("display_data", data)])


def stepper_state(frames=b"\0" * 4000, module=MODULE):
    """What the kernel knows of a stepper."""
    buffer = {"path": ["frames"], "data": base64.b64encode(frames).decode(), "encoding": "base64"}
    state = {"_esm": module, "_css": ".a { color: red }", "title": "T", "step": 0, "layout": "IPY_MODEL_1"}
    return {"model_module": "anywidget", "state": state, "buffers": [buffer]}


def payload(page):
    """What the shim will read."""
    return json.loads(re.search(r'id="steppers">(.*?)</script>', page.markup, re.DOTALL)[1])


def test_module_is_stored_once_and_frames_are_compressed():
    """Two steppers of a class share its module; their frames come back byte for byte."""
    state = {"m1": stepper_state(bytes(range(250)) * 40), "m2": stepper_state()}

    page = lecture_page(notebook(stepper_cell("m1"), stepper_cell("m2"), state=state), Path())

    found = payload(page)
    assert list(found["modules"].values()) == [MODULE]
    packed = found["models"]["m1"]["buffers"]["frames"]
    assert gzip.decompress(base64.b64decode(packed["base64"])) == bytes(range(250)) * 40
    assert len(packed["base64"]) < 2000
    assert found["models"]["m1"]["state"] == {"title": "T", "step": 0}
    assert page.markup.count(".a { color: red }") == 1


def test_text_of_a_stepper_stands_in_the_page():
    """Without JavaScript, and for a screen reader, every step is there as text."""
    page = lecture_page(notebook(stepper_cell("m1"), state={"m1": stepper_state()}), Path())

    assert "<pre>Two steps</pre>" in page.markup


def test_controls_and_progress_bars_leave_no_trace():
    """A widget that means nothing without a kernel is left out, its text too."""
    state = {"m1": {"model_module": "@jupyter-widgets/controls", "state": {}}}

    page = lecture_page(notebook(stepper_cell("m1"), state=state), Path())

    assert "Two steps" not in page.markup
    assert 'id="steppers"' not in page.markup


def test_page_without_slides_has_no_notes():
    """What is meant for the presenter is not in the page that students get."""
    note = new_markdown_cell("the usual wrong answer", metadata={"slideshow": {"slide_type": "notes"}})

    assert "wrong answer" not in lecture_page(notebook(note), Path()).markup
    assert "wrong answer" in lecture_page(notebook(note), Path(), slides=True).markup


def test_contents_lead_to_the_headings():
    """Each heading below the title is linked; two of the same name get two anchors."""
    page = lecture_page(notebook(new_markdown_cell("# Title\n## Same\n## Same\n### With $h_t$")), Path())

    assert re.findall(r'<a href="#([^"]*)">', page.markup)[:3] == ["same", "same-2", "with"]
    for anchor in ("same", "same-2", "with"):
        assert f'id="{anchor}"' in page.markup
    assert "<title>Title</title>" in page.markup


def test_dollars_in_code_are_no_formula():
    """Only what stands between dollar signs in prose is a formula."""
    page = lecture_page(notebook(new_markdown_cell("`a $b$ c` and $x$")), Path())

    assert page.markup.count("<math") == 1
    assert "<code>a $b$ c</code>" in page.markup


def test_picture_goes_into_the_page(tmp_path):
    """A relative picture becomes part of the file; one that is missing is named."""
    (tmp_path / "dot.png").write_bytes(b"PNG")

    page = lecture_page(notebook(new_markdown_cell("![a dot](dot.png)")), tmp_path)

    assert f'<img src="data:image/png;base64,{base64.b64encode(b"PNG").decode()}" alt="a dot"' in page.markup
    with pytest.raises(ExportError, match=r"^the picture line\.png is not beside the lecture\."):
        lecture_page(notebook(new_markdown_cell("![a line](line.png)")), tmp_path)


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<img src="//cdn.example/x.png">',
        '<link rel="stylesheet" href="http://cdn.example/x.css">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<p style="background: url(https://cdn.example/x.png)">',
    ],
)
def test_page_that_would_load_something_is_refused(markup):
    """Scripts, pictures and styles from elsewhere stop the export, which names the address."""
    with pytest.raises(ExportError, match=r"^the page would load .*cdn\.example"):
        check_self_contained(markup)


def test_links_for_the_reader_are_allowed():
    """A link that somebody may follow is no loading, and code that shows an address neither."""
    check_self_contained('<a href="https://example.org">a paper</a><code>src="https://example.org"</code>')


def test_terminal_output_is_what_a_terminal_shows_in_the_end():
    """Progress that erases itself leaves its last state; colours of the terminal are dropped."""
    outputs = [new_output("stream", name="stderr", text="10 %"), new_output("stream", name="stderr", text="\r99 %\n")]
    outputs.append(new_output("stream", name="stdout", text="\x1b[31mred\x1b[0m <b>\n"))

    page = lecture_page(notebook(new_code_cell("run()", outputs=outputs)), Path())

    assert '<pre class="text">99 %</pre><pre class="text">red &lt;b&gt;</pre>' in page.markup


def test_hidden_source_can_be_opened():
    """A cell whose source is hidden in Lab has it folded in the page."""
    cell = new_code_cell("secret = 1", metadata={"jupyter": {"source_hidden": True}})

    assert '<details class="source"><summary>Code</summary>' in lecture_page(notebook(cell), Path()).markup


def test_figure_has_a_description():
    """A figure is described by the heading that it stands under."""
    cell = new_code_cell("plot()", outputs=[new_output("display_data", {"image/png": "UE5H\n"})])

    page = lecture_page(notebook(new_markdown_cell("## How it *grows*"), cell), Path())

    assert '<img src="data:image/png;base64,UE5H" alt="Figure in the section: How it grows">' in page.markup
