"""The runner: only what changed, each result on disk at once, and an interrupt loses nothing."""

from dataclasses import replace

import pytest
import torch

from seqlib.claims import registry, result
from seqlib.claims.results import load
from seqlib.claims.runner import plan, run, standing

CI_SECONDS = 300.0


def seeds(jobs):
    return [job.seed for job in jobs]


def test_what_is_stored_does_not_run_again(small, results):
    """The first plan has every seed, the one after the run none, and another seed is added alone."""
    jobs = plan(path=results)
    run(jobs, results)

    assert seeds(jobs) == [0, 1, 2]
    assert plan(path=results) == []
    assert seeds(plan(seeds=[2, 3], path=results)) == [3]
    assert seeds(plan(again=True, path=results)) == [0, 1, 2]
    assert standing(small, result("seed_is_small", results)) == "held"


def test_changed_settings_run_again(results, changed):
    """Another value of the settings makes the stored result stale, and all its seeds run."""
    run(plan(path=results), results)
    other = changed()

    assert standing(other, result("seed_is_small", results)) == "its code or settings changed"
    assert seeds(plan(path=results)) == [0, 1, 2]


def test_an_interrupted_run_goes_on(small, results):
    """What ended before the interrupt is kept, and only the rest is planned."""
    jobs = plan(path=results)

    def interrupt(seed, settings):
        raise KeyboardInterrupt

    jobs[1] = replace(jobs[1], claim=replace(small, experiment=interrupt))
    with pytest.raises(KeyboardInterrupt):
        run(jobs, results)

    assert list(load(results)["seed_is_small"].seeds) == [0]
    assert seeds(plan(path=results)) == [1, 2]


def test_the_ci_tier_takes_one_seed(results, changed):
    """Of a claim of the tier `ci` the first seed runs, and of a full one nothing."""
    assert seeds(plan(tier="ci", path=results)) == [0]


def test_experiments_run_on_one_thread(small, results):
    """Within an experiment torch has one thread, and afterwards as many as before."""
    threads = []

    def count(seed, settings):
        threads.append(torch.get_num_threads())
        return {"room": 1.0}

    torch.set_num_threads(2)
    run([replace(job, claim=replace(small, experiment=count)) for job in plan(path=results)], results)

    assert threads == [1, 1, 1]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_the_ci_tier_is_meant_to_fit_five_minutes():
    """The claims of the tier, by the seconds that they state, fit the tier's limit."""
    assert sum(claim.seconds for claim in registry.claims().values() if claim.tier == "ci") <= CI_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(2 * CI_SECONDS)
def test_the_ci_tier_holds_when_run_again(tmp_path):
    """One seed of each claim of the tier, run now on this machine, satisfies its criterion within the tier's limit."""
    path = tmp_path / "results.json"
    run(plan(tier="ci", path=path), path)

    assert {name for name, one in load(path).items() if not one.held} == set()
    assert sum(one.seconds for one in load(path).values()) <= CI_SECONDS
