"""One large class, one in five hostile, graded by real workers while one of them is killed every few seconds."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import Progress

from tests.soak import processes
from tests.soak.drive import REPOSITORY, Driver
from tests.soak.proof import problems
from tests.soak.toy import Scene

__all__ = ["grade_large"]


def grade_large(scene: Scene, folder: Path, students: int, workers: int, every_s: float) -> int:
    """Grade it, print what came out and what memory it took, and return 1 if a score is not as expected."""
    driver = Driver(scene, folder, students=students)
    place = driver.made(f"large-{students}")
    told = driver.told(place, "sqlite") | {"workers": workers, "cell_s": 20}
    kept = set(processes.descendants())
    started = time.monotonic()
    kills, memory, ends = _watch(told, place, students, every_s)
    seconds = time.monotonic() - started
    left = processes.settle(kept, 15.0)
    found = [f"left behind: {line[:120]}" for line in left.values()]
    processes.kill(list(left))
    expected, points = driver.expected()
    found += problems(place / "class", str(place / "class" / "store.db"), expected, points)
    summary = {
        "students": students,
        "workers": workers,
        "seconds": round(seconds, 1),
        "seconds_a_submission": round(seconds / students, 3),
        "kills": kills,
        "starts": ends,
        "problems": found,
        **_memory(memory),
    }
    (folder / f"large-{students}.json").write_text(json.dumps(summary | {"memory": memory}, indent=1))
    Console().print(summary)
    return int(bool(found))


def _watch(told: dict[str, Any], place: Path, students: int, every_s: float) -> tuple[int, list[Any], int]:
    kills, starts, memory = 0, 0, []
    rng, began = random.Random(students), time.monotonic()
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("graded", total=students)
        while starts < 5:
            starts += 1
            env = os.environ | {"TMPDIR": str(place / "tmp"), "OMP_NUM_THREADS": "1"}
            with (place / "rows").open("ab") as rows, (place / "log").open("ab") as log:
                command = [sys.executable, "-m", "tests.soak.host", json.dumps(told)]
                process = subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=rows, stderr=log)
            next_look = next_kill = time.monotonic()
            while process.poll() is None:
                now = time.monotonic()
                if now >= next_look:
                    next_look = now + 1.0
                    memory.append([round(now - began, 1), *_look(process.pid)])
                    progress.update(task, completed=len((place / "rows").read_bytes().splitlines()))
                if every_s and now >= next_kill:
                    busy = _busy_workers(process.pid)
                    if busy:
                        kills += processes.kill([rng.choice(busy)])
                        next_kill = now + every_s
                time.sleep(0.05)
            if process.returncode == 0:
                break
    return kills, memory, starts


def _busy_workers(pid: int) -> list[int]:
    """The workers, at a moment when some submission runs."""
    if not processes.submission_children(pid):
        return []
    return processes.workers(pid)


def _look(pid: int) -> tuple[int, int, int]:
    """Memory in MiB: of the coordinator, of the largest worker, of the largest warm parent."""
    family = processes.descendants(pid)
    workers = [processes.rss_bytes(one) for one in processes.workers(pid)]
    parents = [processes.rss_bytes(one) for one, line in family.items() if "inside.warm_parent" in line]
    return tuple(size >> 20 for size in (processes.rss_bytes(pid), max(workers, default=0), max(parents, default=0)))  # type: ignore[return-value]


def _memory(memory: list[Any]) -> dict[str, Any]:
    """The median of the second and of the last fifth of the time in which workers ran, and the peak, of each part."""
    memory = [row for row in memory if row[2]]
    fifth = max(1, len(memory) // 5)
    parts = {}
    for column, name in enumerate(("coordinator_mib", "worker_mib", "warm_parent_mib"), start=1):
        sizes = [row[column] for row in memory]
        parts[name] = {
            "early": median(sizes[fifth : 2 * fifth] or sizes),
            "late": median(sizes[-fifth:]),
            "peak": max(sizes),
        }
    return parts
