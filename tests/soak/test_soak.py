"""A short soak: the grader is killed in a dozen ways and resumed; `make soak` does it hundreds of times."""

from pathlib import Path
from typing import Any

import pytest

from tests.soak import processes
from tests.soak.__main__ import run_plans
from tests.soak.drive import Driver, kinds_of
from tests.soak.plan import NAMED, plan
from tests.soak.toy import HOSTILE, make_scene


def test_plans_are_made_of_their_numbers():
    """A number is a plan, so a soak can be resumed; together they pass every named transition."""
    plans = [plan(number, "paper", postgres=True) for number in range(2 * len(NAMED))]

    assert plans == [plan(number, "paper", postgres=True) for number in range(2 * len(NAMED))]
    assert set(NAMED) <= {one.order for one in plans}
    assert {one.store for one in plans} == {"sqlite", "postgres"}


def test_one_in_five_is_hostile():
    """The class is as it is said to be."""
    kinds = list(kinds_of(300).values())

    assert sum(kind in HOSTILE for kind in kinds) == 60


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_in_many_ways_every_job_has_one_verdict(tmp_path: Path, need: Any):
    """Coordinators, workers and sandboxes die: nothing is lost, doubled, wrong or left behind."""
    need("bwrap")
    processes.adopt_orphans()
    driver = Driver(make_scene(tmp_path), tmp_path)
    driver.calibrate()

    rows = run_plans(driver, tmp_path / "results.jsonl", 24, 40.0, "paper")
    rows += run_plans(driver, tmp_path / "real.jsonl", 3, 30.0, "real")

    assert [row for row in rows if not row["ok"]] == []
    assert sum(row["kills"] for row in rows) > 0
