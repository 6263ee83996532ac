"""The same submissions graded by stock nbgrader, by otter and by us: seconds, processor seconds and memory each.

Run as `python -m benchmarks.grading [--count 40] [--many 200] [--peers 10] [--skip-peers] [--course a1_recurrent]`.
The peers need environments of their own: `make peers`.
"""

import argparse
import copy
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tqdm.auto import tqdm

from benchmarks.peers.engines import released_notebook
from benchmarks.peers.environments import PEERS, python_of
from benchmarks.peers.exercises import nbgrader_source, otter_tests
from seqlib.grading.limits import ProcessLimits, open_limits
from tests.attacks.attack import CHECKS, POINTS, RIGHT

ROOT = Path(__file__).parents[1]
ARRIVED = "2026-11-20 10:00:00.000000 UTC"
CANARIES = {name: name for name in ("reference", "sibling", "environment", "file")} | {"secret word": "dromedary"}
_AT_ONCE = 100
_WAIT = "import os, sys; sys.stdin.read(1); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(kw_only=True)
class Measured:
    """One contestant's run.

    Attributes:
        name: Who, and how.
        count: How many submissions.
        seconds: Wall time, start-up included.
        cpu_s: Processor time of all its processes; None where this machine can't tell.
        peak_mib: Memory of all its processes at once; None where this machine can't tell.
        right: How many got all points.
        told: What it said of itself.
    """

    name: str
    count: int
    seconds: float
    cpu_s: float | None
    peak_mib: float | None
    right: int = 0
    told: dict[str, Any] = field(default_factory=dict)


def measured(name: str, count: int, commands: Sequence[Sequence[str]], place: Path, binaries: Path) -> Measured:
    """Run commands one after the other in a group that counts what they and all that they start use."""
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(place), "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    output = b""
    with open_limits() as limits, limits.group(ProcessLimits(memory_bytes=1 << 36, processes=4000)) as group:
        started = time.perf_counter()
        for command in tqdm(commands, desc=name, disable=len(commands) == 1):
            process = subprocess.Popen(
                [sys.executable, "-c", _WAIT, *command],
                cwd=place, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            group.add(process.pid)
            output, errors = process.communicate(b"!")
            if process.returncode:
                raise SystemExit(f"{name} failed: {errors[-2000:].decode()}")
        seconds = time.perf_counter() - started
        peak = group.peak_bytes()
        cpu = group.cpu_s()
    told = json.loads(output.splitlines()[-1]) if output.strip().endswith(b"}") else {}
    return Measured(
        name=name, count=count, seconds=seconds, cpu_s=cpu, peak_mib=peak / 2**20 if peak else None, told=told
    )


def right_notebook(released: dict[str, Any], number: int) -> dict[str, Any]:
    """The release with right answers, and a comment of its own, so that no two submissions are the same."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removesuffix("_answer")
        answer = next((text for key, text in RIGHT.items() if name and key.lower().startswith(name)), None)
        if answer is not None and cell["metadata"]["nbgrader"].get("solution"):
            cell["source"] = f"# student {number}\n{answer}"
    return notebook


def submit(notebook: dict[str, Any], count: int, place: Path) -> None:
    """Hand the right answers in, under as many names."""
    for number in range(count):
        folder = place / "submitted" / f"s{number:04}" / "target"
        folder.mkdir(parents=True)
        (folder / "target.ipynb").write_text(json.dumps(right_notebook(notebook, number)))
        (folder / "timestamp.txt").write_text(ARRIVED)


@contextmanager
def folder() -> Iterator[Path]:
    """A place that is removed afterwards."""
    place = Path(tempfile.mkdtemp(prefix="bench-grading-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def ours(name: str, count: int, *, workers: int, isolation: str = "warm", dask: bool = False) -> Measured:
    """`seqlib grade` from start to end, as a command of its own."""
    from seqlib.grading.release import release

    with folder() as place:
        shutil.copytree(ROOT / "tests/attacks/target/solutions", place / "solutions")
        release("target", place)
        submit(json.loads((place / "assignments/target/target.ipynb").read_text()), count, place / "class")
        options = ["--place", str(place), "--workers", str(workers), "--isolation", isolation]
        command = [sys.executable, "-m", "benchmarks._grade_class", *options, *(["--dask"] if dask else [])]
        found = measured(name, count, [command], ROOT, Path(sys.executable).parent)
    found.right = found.told["right"]
    return found


def nbgrader(count: int) -> Measured:
    """`nbgrader autograde` for the whole class, in its one process."""
    binaries = python_of("nbgrader").parent
    with folder() as place:
        source = place / "source" / "target"
        source.mkdir(parents=True)
        (source / "target.ipynb").write_text(json.dumps(nbgrader_source(released_notebook(), CANARIES)))
        (place / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'bench'\n")
        tool = str(binaries / "nbgrader")
        path = f"{binaries}:{os.environ['PATH']}"
        subprocess.run(
            [tool, "generate_assignment", "target", "--create"],
            cwd=place, env=os.environ | {"PATH": path}, check=True, capture_output=True,
        )  # fmt: skip
        submit(json.loads((place / "release/target/target.ipynb").read_text()), count, place)
        command = [str(binaries / "python"), tool, "autograde", "target", "--create"]
        found = measured("nbgrader autograde", count, [command[:-1]], place, binaries)
        query = (
            "select count(*) from (select sum(auto_score) s from grade g "
            "join submitted_notebook n on g.notebook_id = n.id group by n.id having s = 100)"
        )
        found.right = _ask(place / "gradebook.db", query)
    return found


def otter(count: int) -> Measured:
    """`otter run`, a command a submission."""
    binaries = python_of("otter").parent
    with folder() as place:
        tests = place / "tests"
        tests.mkdir()
        points = {CHECKS[name]: worth for name, worth in POINTS.items()}
        for name, text in otter_tests(points, CANARIES).items():
            (tests / name).write_text(text)
        options = ["-t", str(tests), "-o", "autograder.zip", "--no-environment", "--no-requirements", "--no-config"]
        path = f"{binaries}:{os.environ['PATH']}"
        subprocess.run(
            [str(binaries / "otter"), "generate", *options],
            cwd=place, env=os.environ | {"PATH": path}, check=True, capture_output=True,
        )  # fmt: skip
        notebook = released_notebook()
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name == "start":
                cell["source"] = "import otter\nimport torch\n\ngrader = otter.Notebook()"
            elif name in points:
                cell["source"] = f'grader.check("{name}")'
        commands = []
        for number in range(count):
            (place / f"s{number}.ipynb").write_text(json.dumps(right_notebook(notebook, number)))
            options = ["run", "-a", "autograder.zip", "-o", f"out{number}", "--no-logo", f"s{number}.ipynb"]
            (place / f"out{number}").mkdir()
            commands.append([str(binaries / "python"), str(binaries / "otter"), *options])
        found = measured("otter run", count, commands, place, binaries)
        results = [json.loads((place / f"out{number}/results.json").read_text()) for number in range(count)]
        found.right = sum(sum(test.get("score", 0) for test in one["tests"]) == 100 for one in results)
    return found


def floor(count: int) -> Measured:
    """The cells alone, in one process that has imported torch: what no grader can do without."""
    import torch

    notebook = right_notebook(released_notebook(), 0)
    cells = [c["source"] for c in notebook["cells"] if c["cell_type"] == "code"]
    cells = [text for text in cells if not text.startswith("check(") and "start_assignment" not in text]
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        names: dict[str, Any] = {"torch": torch}
        for text in cells:
            exec(compile(text, "<cell>", "exec"), names)
    return Measured(
        name="the cells alone", count=count, seconds=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu, peak_mib=None, right=count,
    )  # fmt: skip


def _ask(database: Path, query: str) -> int:
    import sqlite3

    with sqlite3.connect(database) as connection:
        return int(connection.execute(query).fetchone()[0])


def whole_assignment(name: str, count: int, workers: int) -> Measured:
    """An assignment of the course with its training check, right answers, as many times."""
    import jupytext
    import nbformat

    with folder() as place:
        notebook = jupytext.read(ROOT / "solutions" / name / f"{name}.py")
        for number in range(count):
            notebook.cells[0].source += f"\n<!-- {number} -->"
            target = place / "class/submitted" / f"s{number}" / name
            target.mkdir(parents=True)
            (target / f"{name}.ipynb").write_text(nbformat.writes(notebook))
        options = ["--place", str(ROOT), "--course", str(place / "class"), "--assignment", name]
        command = [sys.executable, "-m", "benchmarks._grade_class", *options, "--workers", str(workers)]
        found = measured(f"{name}, {workers} workers", count, [command], ROOT, Path(sys.executable).parent)
    found.right = found.told["right"]
    return found


def show(rows: Sequence[Measured]) -> Table:
    """The runs as a table."""
    table = Table(title="seconds a submission", title_justify="left")
    for heading in ("who", "submissions", "all points", "wall s", "wall s each", "cpu s each", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "who" else "right")
    for row in rows:
        cpu = f"{row.cpu_s / row.count:.3f}" if row.cpu_s is not None else "?"
        peak = f"{row.peak_mib:.0f}" if row.peak_mib is not None else ""
        each = f"{row.seconds / row.count:.4f}"
        table.add_row(row.name, str(row.count), str(row.right), f"{row.seconds:.1f}", each, cpu, peak)
    return table


def both(few: int, many: int) -> tuple[Measured, Measured]:
    """A small and a large class, one after the other, so that they meet the machine in the same mood."""
    name = "ours, warm, 2 workers"
    return ours(name, few, workers=2), ours(name, many, workers=2)


def engine(few: Measured, many: Measured, alone: Measured) -> str:
    """Processor time of one more submission, from two runs of different size, and what of it is the gradebook's."""
    if few.cpu_s is None or many.cpu_s is None or alone.cpu_s is None:
        return "this machine does not count the processor time of a group"
    more = (many.cpu_s - few.cpu_s) / (many.count - few.count)
    book = (many.told["gradebook_cpu_s"] - few.told["gradebook_cpu_s"]) / (many.count - few.count)
    cells = alone.cpu_s / alone.count
    return (
        f"one more submission costs {1e3 * more:.1f} ms of processor time: {1e3 * cells:.1f} its cells alone, "
        f"{1e3 * book:.1f} the gradebook, {1e3 * (more - cells - book):.1f} the engine"
    )


def main() -> None:
    """Run everything in turns and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="submissions of the comparison")
    parser.add_argument("--many", type=int, default=200, help="submissions of the large run")
    parser.add_argument("--peers", type=int, default=40, help="submissions that the peers grade")
    parser.add_argument("--skip-peers", action="store_true")
    parser.add_argument("--dask", action="store_true", help="also through Dask: needs the cluster extra")
    parser.add_argument("--assignment", default="a1_recurrent", help="also this one, whole")
    parser.add_argument("--save", type=Path, help="write the figures as JSON")
    asked = parser.parse_args()
    console = Console(width=120)
    alone = floor(asked.count)
    pairs = [both(asked.count, asked.many)]
    one = ours("ours, warm, 1 worker", asked.count, workers=1)
    cold = ours("ours, cold, 2 workers", asked.count, workers=2, isolation="cold")
    together = ours("ours, warm, 2 workers", _AT_ONCE, workers=2)
    others = [one, cold, together]
    if asked.dask:
        others.append(ours("ours, warm, Dask, 2 workers", asked.count, workers=2, dask=True))
    pairs.append(both(asked.count, asked.many))
    peers: list[Callable[[int], Measured]] = []
    for peer, run in zip(PEERS, (nbgrader, otter), strict=True):
        if asked.skip_peers or not python_of(peer).exists():
            console.print(f"{peer} is left out" + ("" if asked.skip_peers else ": run make peers first"))
        else:
            peers.append(run)
    for run in peers:
        others.append(run(asked.peers))
        pairs.append(both(asked.count, asked.many))
    few, many = min(pairs, key=lambda pair: abs(pair[1].seconds - statistics.median(p[1].seconds for p in pairs)))
    rows = [alone, few, many, *others]
    console.print(show(rows))
    every = ", ".join(f"{pair[1].seconds:.1f}" for pair in pairs)
    console.print(f"{asked.many} on two workers, between the others: {every} s; the table has the one in the middle")
    console.print(engine(few, many, alone))
    stock = next((row for row in rows if row.name == "nbgrader autograde"), None)
    if stock is not None:
        ratio = (stock.seconds / stock.count) / (many.seconds / many.count)
        console.print(f"stock nbgrader in one process takes {ratio:.0f} times as long a submission")
    waits = sorted(together.told["waits"])
    console.print(f"{_AT_ONCE} at once on two workers: 95 of 100 wait at most {waits[int(0.95 * _AT_ONCE) - 1]:.1f} s")
    start = statistics.median(row.told["waits"][0] - row.told["seconds"][0] for row in (few, together, many))
    console.print(f"the first result comes {start:.1f} s after the start, with the time that it takes left out")
    if asked.assignment:
        whole = whole_assignment(asked.assignment, 4, 2)
        each = statistics.median(whole.told["seconds"])
        console.print(
            f"{asked.assignment}, whole: {each:.1f} s each at the median, {whole.seconds:.0f} s for {whole.count} on "
            f"two workers with start-up ({whole.right} with all points); a class of 300 takes about "
            f"{300 * (whole.told['span_s'] / whole.count) / 60:.0f} min"
        )
    if asked.save:
        asked.save.write_text(json.dumps([vars(row) for row in rows], indent=1))
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    console.print(f"load {os.getloadavg()[0]:.1f} at the end; benchmark {digest}")


if __name__ == "__main__":
    main()
