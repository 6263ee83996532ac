"""The table of lectures and the released assignments, as every command reads them."""

from pathlib import Path

import pytest

from seqlib.catalogue import find_course, find_lecture, read_assignments, read_lectures
from seqlib.errors import LabError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path) -> Path:
    """A course with two lectures."""
    (tmp_path / "lectures").mkdir()
    rows = [f'[[lecture]]\nfile = "{n}_x.py"\ntitle = "T"\nquestion = "Q?"\nminutes = 1\n' for n in ("02", "20")]
    (tmp_path / "lectures" / "lectures.toml").write_text("".join(rows), "utf-8")
    return tmp_path


def test_table_and_folder_agree():
    """Every lecture of the table is a file, and every file of the folder is in the table."""
    assert {lecture.file for lecture in read_lectures(ROOT)} == {path.name for path in (ROOT / "lectures").glob("*.py")}


def test_course_is_found_from_inside(course):
    """A folder inside the course leads to the course."""
    assert find_course(course / "lectures") == course.resolve()


def test_course_that_is_nowhere_is_one_line(tmp_path, monkeypatch):
    """Outside any course the message names the folder and what it lacks."""
    monkeypatch.setattr("seqlib.catalogue.__file__", str(tmp_path / "a" / "b" / "c.py"))

    with pytest.raises(LabError) as stopped:
        find_course(tmp_path)

    assert stopped.value.what == (
        f"no course in {tmp_path.resolve()}: neither it nor a folder above it holds lectures/lectures.toml."
    )


@pytest.mark.parametrize("name", ["02", "2", "02_x", "02_x.py", "lectures/02_x.py"])
def test_lecture_is_found_by_any_of_its_names(course, name):
    """Number, file and path lead to the same lecture."""
    assert find_lecture(course, name).file == "02_x.py"


@pytest.mark.parametrize("name", ["3", "0", "", "x"])
def test_unknown_lecture_names_the_known_ones(course, name):
    """A name that is none is refused with the numbers that are."""
    with pytest.raises(LabError) as stopped:
        find_lecture(course, name)

    assert stopped.value.what == f"no lecture is called {name!r}."
    assert stopped.value.hint == "name one by its number (02, 20) or its file."


def test_broken_table_is_one_line(course):
    """A row without its question is an error of the table, not a traceback."""
    (course / "lectures" / "lectures.toml").write_text('[[lecture]]\nfile = "02_x.py"\n', "utf-8")

    with pytest.raises(LabError, match=r"^lectures/lectures\.toml can't be read"):
        read_lectures(course)


def test_unreleased_folders_are_no_assignments(course):
    """A folder without release.json was not released."""
    (course / "assignments" / "a9").mkdir(parents=True)

    assert read_assignments(course) == []
