"""One right submission graded under many secret keys, each of which draws other cases: it must get one score.

Run as `python -m benchmarks.keys [COUNT]`; it takes about four seconds a key.
"""

import hashlib
import statistics
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from tqdm.auto import tqdm

from seqlib.checks.sources import Grader
from seqlib.grading.graded import TimeLimits
from seqlib.grading.session import grade_submission
from seqlib.grading.submitted import Submitted, parse_cells
from seqlib.grading.worker import Worker, WorkerSettings

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "a1_recurrent"


def main(count: int) -> None:
    """Grade, and print the scores that were given and the seconds that it took."""
    notebook = jupytext.read(ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.py")
    data = nbformat.writes(notebook).encode()
    submitted = Submitted(student="right", digest=hashlib.sha256(data).hexdigest(), data=data, cells=parse_cells(data))
    scores, seconds = [], []
    settings = WorkerSettings(assignment=ASSIGNMENT, root=ROOT, key=b"unused, every run has its own key")
    with Worker(settings) as worker:
        for number in tqdm(range(count), desc="keys", disable=None):
            source = Grader(worker.kit.suite, hashlib.sha256(f"key {number}".encode()).digest())
            started = time.perf_counter()
            graded = grade_submission(worker.kit, submitted, source, worker.boxes, TimeLimits())
            seconds.append(time.perf_counter() - started)
            scores.append(sum(verdict.earned for verdict in graded.verdicts))
            if scores[-1] != scores[0]:
                print(f"key {number}:", [v.check for v in graded.verdicts if not v.earned])
    given = ", ".join(f"{score:g} points {scores.count(score)} times" for score in sorted(set(scores)))
    print(f"{count} keys: {given}; {sum(seconds):.0f} s in all, {statistics.median(seconds):.2f} s at the median")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
