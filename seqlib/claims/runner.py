"""Runs what changed: each claim and seed is one job, and its result is on disk before the next one starts."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqlib.claims.claim import Claim
from seqlib.claims.digest import digest
from seqlib.claims.registry import choose
from seqlib.claims.results import RESULTS, Result, load, record
from seqlib.threads import limit_threads

__all__ = ["Job", "plan", "run", "standing"]


@dataclass(frozen=True)
class Job:
    """One claim on one seed."""

    claim: Claim
    seed: int
    digest: str


def plan(
    names: Iterable[str] | None = None,
    seeds: Sequence[int] | None = None,
    tier: Literal["ci", "full"] = "full",
    again: bool = False,
    path: Path = RESULTS,
) -> list[Job]:
    """List the jobs whose result is not stored yet, or all of them.

    Args:
        names: Which claims; all when None.
        seeds: Which seeds; each claim's own when None.
        tier: `ci` takes the claims of that tier, each with its first seed.
        again: Run what is stored, too.
        path: The results file.
    """
    stored = load(path)
    jobs = []
    for claim in choose(names).values():
        if tier == "ci" and claim.tier != "ci":
            continue
        current = digest(claim)
        old = stored.get(claim.name)
        done = set() if again or old is None or old.digest != current else set(old.seeds)
        wanted = seeds or (claim.seeds[:1] if tier == "ci" else claim.seeds)
        jobs += [Job(claim, seed, current) for seed in wanted if seed not in done]
    return jobs


def run(
    jobs: Iterable[Job],
    path: Path = RESULTS,
    started: Callable[[Job], None] = lambda job: None,
    ended: Callable[[Job, Result], None] = lambda job, result: None,
) -> None:
    """Run jobs on one thread, and store each result as it arrives.

    Args:
        jobs: What `plan` listed.
        path: The results file.
        started: Told before each job.
        ended: Told after each job, with its claim's result so far.
    """
    with limit_threads():
        for job in jobs:
            started(job)
            before = time.process_time()
            measured = job.claim.experiment(job.seed, job.claim.settings)
            seconds = time.process_time() - before
            ended(job, record(path, job.claim, job.digest, job.seed, measured, seconds))


def standing(claim: Claim, result: Result | None, current: str | None = None) -> str:
    """Say whether a stored result is of this code, of every seed, and by today's criterion held.

    Args:
        claim: The claim as the code has it.
        result: What is stored, if anything.
        current: The claim's digest; computed when None.

    Returns:
        `held`, or what is wrong.
    """
    if result is None:
        return "never run"
    if result.digest != (current or digest(claim)):
        return "its code or settings changed"
    missing = [str(seed) for seed in claim.seeds if seed not in result.seeds]
    if missing:
        return f"not run for seed {', '.join(missing)}"
    failed = [str(seed) for seed, one in result.seeds.items() if not claim.holds(one.measured)]
    return f"not held for seed {', '.join(failed)}" if failed else "held"
