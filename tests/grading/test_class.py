"""A made class of every kind of submission gets exactly its points, and the batch never stops."""

from pathlib import Path

import pytest

from seqlib.grading.grade import ClassRun
from seqlib.grading.graded import TimeLimits
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.settings import Settings
from seqlib.grading.source import find_source
from seqlib.grading.store import Store

ROOT = Path(__file__).parents[2]


def assert_as_expected(rows, made, kit) -> None:
    """Compare statuses, mistakes and points of every submission."""
    got = {name: {v.check: v.status for v in row.verdicts} for name, row in rows.items()}
    named = {name: {v.check: v.mistake for v in row.verdicts if v.mistake} for name, row in rows.items()}
    assert got == {one.student: one.expected for one in made}
    assert named == {one.student: one.mistakes for one in made}
    assert {name: row.earned for name, row in rows.items()} == {one.student: one.points(kit) for one in made}


def test_a_small_class_gets_its_points(small_class):
    """Right, wrong by name, empty, looping and unreadable: each has exactly its verdicts."""
    assert_as_expected(small_class.rows, small_class.made, small_class.kit)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_class_gets_its_points(released, made_class, tmp_path):
    """Thirty submissions (other front ends, forged, crashing, looping, damaged): each has exactly its verdicts."""
    kit = load_kit("toy", released)
    made = made_class.make_class(kit, find_source("toy", released))
    made_class.write_class(tmp_path, "toy", made)
    settings = Settings(assignment="toy", root=released, course=tmp_path, limits=TimeLimits(cell_s=5))

    rows = {row.student: row for row in ClassRun(settings)}

    assert len(made) >= 12
    assert_as_expected(rows, made, kit)
    with Store(tmp_path / "store.db", course_key(tmp_path)) as store:
        assert store.verify() == len(made) * len(kit.suite.checks)


ASSIGNMENT = "a1_recurrent"
KINDS = (
    "right_by_colab right_by_format_4_2 deleted_check_cells deleted_answer duplicated_check_cells partial empty "
    "no_cells_of_ours forged raising crashing_function looping_cell looping_function not_json"
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not (ROOT / "assignments" / ASSIGNMENT).is_dir(), reason=f"run: seqlib release {ASSIGNMENT}")
def test_a_class_of_the_course_gets_its_points(made_class, tmp_path):
    """The released assignment itself: every kind of submission and every lone mistake has exactly its verdicts."""
    kit = load_kit(ASSIGNMENT, ROOT)
    made = made_class.make_class(kit, find_source(ASSIGNMENT, ROOT))
    made = [one for one in made if one.student in KINDS.split() or one.student.startswith("wrong_")]
    made_class.write_class(tmp_path, ASSIGNMENT, made)
    settings = Settings(assignment=ASSIGNMENT, root=ROOT, course=tmp_path, limits=TimeLimits(cell_s=10))

    rows = {row.student: row for row in ClassRun(settings)}

    assert len(made) >= 12
    assert_as_expected(rows, made, kit)
