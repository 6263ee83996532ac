"""A made class of every kind of submission gets exactly its points, and the batch never stops."""

import pytest

from seqlib.grading.grade import ClassRun, Settings
from seqlib.grading.kit import course_key, load_kit
from seqlib.grading.session import TimeLimits
from seqlib.grading.source import find_source
from seqlib.grading.store import Store


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
