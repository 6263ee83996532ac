"""The command `seqlib export`: what it writes, where, and what it says."""

import pytest
from typer.testing import CliRunner

from seqlib.errors import LabError
from seqlib.export.commands import app


@pytest.fixture
def course(tmp_path):
    """A course with one lecture, in which one formula is broken."""
    (tmp_path / "lectures").mkdir()
    (tmp_path / "lectures" / "03_one.py").write_text("# %% [markdown]\n# # One\n# It is $\\nonsense$.\n", "utf-8")
    (tmp_path / "lectures" / "lectures.toml").write_text(
        '[[lecture]]\nfile = "03_one.py"\ntitle = "One"\nquestion = "Why?"\nminutes = 5\n', "utf-8"
    )
    return tmp_path


def test_lecture_goes_to_dist(course):
    """By default the page is in dist/ of the course; a formula that could not be turned is named."""
    result = CliRunner().invoke(app, ["export", "lecture", "3", "--course", str(course)])

    assert result.exit_code == 0
    assert (course / "dist" / "03_one.html").is_file()
    assert "formula \\nonsense: it has \\nonsense, which is unknown; the page shows its source." in result.stderr


def test_site_goes_to_dist_site(course):
    """By default the pages are in dist/site of the course."""
    result = CliRunner().invoke(app, ["export", "site", "--course", str(course)])

    assert result.exit_code == 0
    assert sorted(path.name for path in (course / "dist" / "site").iterdir()) == ["03_one.html", "index.html"]


def test_unknown_lecture_writes_nothing(course):
    """A number that is none is an error, and no folder appears."""
    result = CliRunner().invoke(app, ["export", "lecture", "9", "--course", str(course)])

    assert isinstance(result.exception, LabError)
    assert not (course / "dist").exists()
