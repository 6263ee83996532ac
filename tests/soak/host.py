"""What is killed: a run over a class, with real workers as `seqlib grade` starts them, or with workers of paper.

`python -m tests.soak.host SETTINGS` grades with real workers and prints a line for each submission.
A run of paper is a fork of the driver, which starts in milliseconds: coordinator, store, files and gradebook are real,
only the verdicts are copied from a real run.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqlib.checks.verdict import Verdict
from seqlib.grading import grade, states
from seqlib.grading.graded import Graded, TimeLimits
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.submitted import Submitted

__all__ = ["PaperRunner", "main", "start_paper"]


class PaperRunner(AbstractRunner):
    """Two slots that answer at once with the verdicts that a real run gave; one worker may die on order."""

    def __init__(self, verdicts: dict[str, list[str]], lose: int) -> None:
        self._verdicts, self._lose = verdicts, lose
        self._given: dict[str, Submitted] = {}

    def start(self) -> None:
        """Nothing to start."""

    def idle(self) -> Sequence[str]:
        return [slot for slot in ("0", "1") if slot not in self._given]

    def submit(self, slot: str, submitted: Submitted) -> None:
        self._given[slot] = submitted

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        if not self._given:
            time.sleep(min(timeout_s, 0.05))
            return ()
        slot = random.choice(list(self._given))
        submitted = self._given.pop(slot)
        self._lose -= 1
        if self._lose == 0:
            return [Outcome(slot=slot, lost=True)]
        made = tuple(Verdict.from_json(text) for text in self._verdicts[submitted.student])
        return [Outcome(slot=slot, graded=Graded(submitted=submitted, verdicts=made, cells=()))]

    def close(self) -> None:
        """Nothing to end."""


def settings_of(told: dict[str, Any], **more: Any) -> grade.Settings:
    """The settings of a run."""
    return grade.Settings(
        assignment="toy",
        root=Path(told["root"]),
        course=Path(told["course"]),
        store=told.get("store"),
        workers=told.get("workers", 2),
        limits=TimeLimits(cell_s=told.get("cell_s", 60)),
        regrade=told.get("regrade", False),
        **more,
    )


def start_paper(told: dict[str, Any], verdicts: dict[str, list[str]], order: str) -> int:
    """Fork a run of paper, killed where the order says; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log = os.open(Path(told["course"]).parent / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        random.seed()
        if order:
            states.at = grade.at = states.killer(order)
        lose = told.get("lose", 0)
        for _ in grade.ClassRun(settings_of(told, runner=lambda _: PaperRunner(verdicts, lose))):
            pass
        code = 0
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)


def main(told: dict[str, Any]) -> None:
    """Grade with real workers."""
    for row in grade.ClassRun(settings_of(told)):
        print(json.dumps({"student": row.student, "earned": row.earned}), flush=True)


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
