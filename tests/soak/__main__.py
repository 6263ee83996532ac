"""Kill the grader in every way, and resume it: python -m tests.soak [--runs N] [--seconds S] [--resume].

`python -m tests.soak class --students 300` grades one large class instead, while its workers are killed.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from tests.soak import processes
from tests.soak.drive import Driver
from tests.soak.plan import plan
from tests.soak.toy import GRADING, load, make_scene

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit status is 1 if anything was lost, doubled, wrong or left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["runs", "class"], default="runs")
    parser.add_argument("--runs", type=int, default=200, help="how many runs, those before --resume included")
    parser.add_argument("--seconds", type=float, default=3600, help="start no run after so many seconds")
    parser.add_argument("--engine", choices=["paper", "real", "both"], default="both", help="what makes the verdicts")
    parser.add_argument("--folder", type=Path, default=Path("dist/soak"), help="where classes and results lie")
    parser.add_argument("--resume", action="store_true", help="go on with the results that are there")
    parser.add_argument("--no-postgres", action="store_true", help="SQLite only")
    parser.add_argument("--students", type=int, default=300, help="of the large class")
    parser.add_argument("--workers", type=int, default=2, help="of the large class")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between kills in the large class; 0: none")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that the server ends too
    processes.adopt_orphans()
    scene = make_scene(chosen.folder.resolve())
    if chosen.what == "class":
        from tests.soak.large import grade_large

        return grade_large(scene, chosen.folder.resolve(), chosen.students, chosen.workers, chosen.every)
    results = chosen.folder / "results.jsonl"
    if not chosen.resume:
        results.unlink(missing_ok=True)
    with _server(wanted=not chosen.no_postgres) as server:
        driver = Driver(scene, chosen.folder.resolve(), server)
        driver.calibrate()
        rows = run_plans(driver, results, chosen.runs, chosen.seconds, chosen.engine)
    return int(tell(rows))


def run_plans(driver: Driver, results: Path, runs: int, seconds: float, engine: str) -> list[dict[str, Any]]:
    """Run what is not in the results yet, each result written as it comes; returns them all."""
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(row["engine"], row["number"]) for row in rows}
    ends = time.monotonic() + seconds
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, results.open("a") as file:
        task = progress.add_task("kills", total=runs, completed=len(done))
        for number in range(runs):
            one = engine if engine != "both" else "real" if number % 10 == 9 else "paper"
            if (one, number) in done or time.monotonic() > ends:
                continue
            row = driver.run(plan(number, one, postgres=driver.server is not None)) | {"number": number}
            file.write(json.dumps(row) + "\n")
            file.flush()
            rows.append(row)
            progress.advance(task)
            if not row["ok"]:
                progress.console.print(row)
    return rows


def tell(rows: list[dict[str, Any]]) -> int:
    """Print the sum, and return how many runs were not as they must be."""
    console = Console()
    counts = Counter((row["engine"], row["store"], row["target"], "order" in row) for row in rows)
    for (engine, store, target, named), count in sorted(counts.items()):
        console.print(f"{engine:<6} {store:<9} {target:<12} {'named' if named else 'random':<7} {count}")
    bad = [row for row in rows if not row["ok"]]
    kills = sum(row["kills"] for row in rows)
    console.print(f"{len(rows)} runs, {kills} kills, {len(bad)} runs not as they must be.")
    return len(bad)


@contextmanager
def _server(*, wanted: bool) -> Iterator[Any]:
    claims = load(GRADING / "test_store_claims.py") if wanted else None
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if claims is None or not programs:
        yield None
        return
    server = claims.Server(programs[-1].parent)
    try:
        yield server
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
