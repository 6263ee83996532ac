"""Grade one class and say, as the last line, how long the parts of it took."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from seqlib.grading import grade as grading
from seqlib.grading.grade import ClassRun
from seqlib.grading.runners.base import AbstractRunner
from seqlib.grading.runners.choose import RunnerOptions, choose_runner
from seqlib.grading.settings import Settings
from seqlib.grading.worker import WorkerSettings


def main() -> None:
    """Grade, and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--place", type=Path, required=True)
    parser.add_argument("--course", type=Path)
    parser.add_argument("--assignment", default="target")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--isolation", default="warm")
    parser.add_argument("--dask", action="store_true")
    asked = parser.parse_args()
    started = time.perf_counter()
    settings = Settings(
        assignment=asked.assignment,
        root=asked.place,
        course=asked.course or asked.place / "class",
        workers=asked.workers,
        isolation=asked.isolation,
        runner=_dask(asked.workers) if asked.dask else None,
    )
    book = {"wall": 0.0, "cpu": 0.0}
    project = grading.project

    def timed(*arguments: object) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        project(*arguments)  # type: ignore[arg-type]
        book["wall"] += time.perf_counter() - wall
        book["cpu"] += time.process_time() - cpu

    grading.project = timed  # type: ignore[assignment]
    waits, seconds, right = [], [], 0
    for row in ClassRun(settings):
        waits.append(time.perf_counter() - started)
        seconds.append(row.seconds)
        right += row.earned == row.points
    told = {"waits": waits, "seconds": seconds, "right": right, "span_s": waits[-1] - waits[0] + seconds[0]}
    told |= {"gradebook_s": book["wall"], "gradebook_cpu_s": book["cpu"]}
    print(json.dumps(told))


def _dask(workers: int) -> Callable[[WorkerSettings], AbstractRunner]:
    return choose_runner(RunnerOptions(runner="dask", workers=workers), print)


if __name__ == "__main__":
    main()
