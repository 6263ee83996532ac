"""From a file to a file: a lecture that fails leaves nothing behind."""

import pytest

from seqlib.errors import ExportError
from seqlib.export.lecture import export_lecture
from seqlib.export.site import export_site

GOOD = "# %% [markdown]\n# # One\n\n# %%\nprint(6 * 7)\n"


def test_lecture_becomes_one_file(tmp_path):
    """The cells ran, the page holds what they printed, and progress was told for each."""
    (tmp_path / "a lecture.py").write_text(GOOD, "utf-8")
    seen = []

    exported = export_lecture(
        tmp_path / "a lecture.py",
        tmp_path / "out" / "page.html",
        on_cell=lambda done, total: seen.append((done, total)),
    )

    text = exported.path.read_text("utf-8")
    assert '<pre class="text">42</pre>' in text
    assert exported.size_bytes == len(text.encode())
    assert seen == [(1, 1)]
    assert [path.name for path in exported.path.parent.iterdir()] == ["page.html"]


def test_failing_cell_is_named_and_nothing_is_written(tmp_path):
    """The message names the file, the cell and the error; the page of the last export stays as it was."""
    lecture, out = tmp_path / "bad.py", tmp_path / "page.html"
    lecture.write_text("# %%\nx = 1\n\n# %%\ny = x / 0\n", "utf-8")
    out.write_text("the last one", "utf-8")

    with pytest.raises(ExportError) as stopped:
        export_lecture(lecture, out)

    assert stopped.value.what == (
        "bad.py stops in the cell that starts with `y = x / 0`: ZeroDivisionError: division by zero."
    )
    assert out.read_text("utf-8") == "the last one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.py", "page.html"]


def test_missing_lecture_is_one_line(tmp_path):
    """A path that leads nowhere is named."""
    with pytest.raises(ExportError) as stopped:
        export_lecture(tmp_path / "none.py", tmp_path / "page.html")

    assert stopped.value.what == f"there is no file {tmp_path / 'none.py'}."


def test_broken_notebook_is_one_line(tmp_path):
    """A notebook that is not JSON is named."""
    (tmp_path / "bad.ipynb").write_text("{", "utf-8")

    with pytest.raises(ExportError, match=r"bad\.ipynb is no notebook"):
        export_lecture(tmp_path / "bad.ipynb", tmp_path / "page.html")


def test_site_has_an_index_that_links_every_page(tmp_path):
    """The index lists title and question; each page leads back to it."""
    (tmp_path / "lectures").mkdir()
    (tmp_path / "lectures" / "03_one.py").write_text(GOOD, "utf-8")
    (tmp_path / "lectures" / "lectures.toml").write_text(
        '[[lecture]]\nfile = "03_one.py"\ntitle = "One & two"\nquestion = "Why?"\nminutes = 5\n', "utf-8"
    )

    pages = export_site(tmp_path, tmp_path / "site")

    assert [page.path.name for page in pages] == ["03_one.html", "index.html"]
    assert '<a href="03_one.html">One &amp; two</a></td><td>Why?</td>' in pages[1].path.read_text("utf-8")
    assert 'href="index.html">All lectures</a>' in pages[0].path.read_text("utf-8")
