"""The home page: what it links, and that the committed one is what the generator writes."""

from pathlib import Path

import pytest

from seqlib.catalogue import read_assignments, read_lectures
from seqlib.lab.home import HOME, home_text, write_start_page

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path) -> Path:
    """A course with one lecture and one released assignment."""
    (tmp_path / "lectures").mkdir()
    (tmp_path / "lectures" / "lectures.toml").write_text(
        '[[lecture]]\nfile = "07_memory.py"\ntitle = "Memory"\nquestion = "What stays?"\nminutes = 45\n', "utf-8"
    )
    folder = tmp_path / "assignments" / "a9_memory"
    folder.mkdir(parents=True)
    (folder / "release.json").write_text('{"digest": "0"}', "utf-8")
    (folder / "a9_memory.ipynb").write_text(
        '{"cells": [{"cell_type": "markdown", "source": ["# Remember\\n", "text"]}]}', "utf-8"
    )
    return tmp_path


def test_committed_page_is_what_the_generator_writes():
    """COURSE.md says what the table of lectures and the released assignments say."""
    assert (ROOT / HOME).read_text("utf-8") == home_text(ROOT), "write it again: python -m seqlib.lab.home"


def test_every_lecture_and_assignment_is_linked():
    """The page of this course links each lecture and each released assignment."""
    text = home_text(ROOT)

    for lecture in read_lectures(ROOT):
        assert f"]({lecture.path.as_posix()})" in text
    for assignment in read_assignments(ROOT):
        assert f"]({assignment.released.as_posix()})" in text


def test_page_says_title_question_and_minutes(course):
    """A row has what a student chooses by; an assignment has the heading of its notebook."""
    text = home_text(course)

    assert "| 07 | [Memory](lectures/07_memory.py) | What stays? | 45 min |" in text
    assert "- [Remember](assignments/a9_memory/a9_memory.ipynb)" in text


def test_start_page_is_the_home_page_without_copies(course):
    """Where no assignment was started, the course opens on its committed home page, and nothing is written."""
    assert write_start_page(course) == HOME
    assert not (course / "work").exists()


def test_start_page_links_the_students_copy(course):
    """Once there is a copy, the start page lies beside it, links it, and still leads to the lectures."""
    (course / "work" / "a9_memory").mkdir(parents=True)
    (course / "work" / "a9_memory" / "a9_memory.ipynb").write_text("{}", "utf-8")

    page = course / write_start_page(course)

    text = page.read_text("utf-8")
    links = [line.split("](")[1].split(")")[0] for line in text.splitlines() if "](" in line]
    assert "../work/a9_memory/a9_memory.ipynb" in links
    assert all((page.parent / link).resolve().parent.is_dir() for link in links)


def test_pages_say_when_work_is_due(course):
    """What the edition says about due times stands on the home page and on the student's start page."""
    (course / "deadlines.toml").write_text(
        "[assignments.a9_memory]\ndue = 2026-12-01T23:59:00+01:00\nlate = { per_day = 10 }\n", "utf-8"
    )
    (course / "work" / "a9_memory").mkdir(parents=True)
    (course / "work" / "a9_memory" / "a9_memory.ipynb").write_text("{}", "utf-8")

    for text in (home_text(course), (course / write_start_page(course)).read_text("utf-8")):
        assert "): due **Tue 1 Dec 2026, 23:59 (UTC+01:00)**. Each started day late costs 10% of the points" in text
