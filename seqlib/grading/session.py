"""Grading one submission: its cells run in a sandbox, then the checks are asked from here.

Each check is asked on a copy of the process as it was at the check's place, made before anything runs that could
change that. Copies are asked when every cell has run, so that nothing of a secret case can come out in a later output,
and a check whose code ends or blocks its process costs that check only.
A process that a cell has blocked or ended is replaced a few times by a fresh one, in which the cells before it run
again, so that one endless loop does not cost the exercises after it.
"""

import time
from dataclasses import replace
from typing import Any

from seqlib.checks.notebook import Shown
from seqlib.checks.proxy import Student
from seqlib.checks.runner import run_check
from seqlib.checks.sources import AbstractSource
from seqlib.checks.verdict import Verdict
from seqlib.grading.definitions import Definitions
from seqlib.grading.graded import Executed, Graded, TimeLimits
from seqlib.grading.kit import Kit
from seqlib.grading.notes import (
    COPY,
    ENDED,
    MEMORY_ENDING,
    NO_CELLS,
    NOT_RUN,
    OUT_OF_MEMORY,
    TOO_LONG,
    WITHHELD,
    ending_of,
    no_points,
    note,
)
from seqlib.grading.outputs import CellState, NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import AbstractBoxes, Box, SandboxError, Snapshot
from seqlib.grading.submitted import Cell, Submitted, check_of

__all__ = ["grade_submission"]


def grade_submission(
    kit: Kit,
    submitted: Submitted,
    source: AbstractSource,
    boxes: AbstractBoxes,
    limits: TimeLimits,
    output_limits: OutputLimits | None = None,
) -> Graded:
    """Grade one submission; whatever it is, every check has one verdict afterwards.

    Args:
        kit: The assignment.
        submitted: What was handed in.
        source: Where the cases come from.
        boxes: Where its process comes from.
        limits: How long it may take.
        output_limits: How much of what it prints is kept.

    Raises:
        SandboxError: The sandbox failed, whatever the submission did: grade it again.
    """
    started = time.monotonic()
    if submitted.fault:
        verdicts = tuple(no_points(kit.suite[name], "missing", submitted.fault) for name in kit.points)
        return Graded(submitted=submitted, verdicts=verdicts, cells=(), seconds=time.monotonic() - started)
    session = _Session(kit, submitted, source, boxes, limits, output_limits or OutputLimits())
    try:
        cells = session.run()
    finally:
        session.close()
    verdicts = tuple(session.verdicts[name] for name in kit.points)
    return Graded(submitted=submitted, verdicts=verdicts, cells=tuple(cells), seconds=time.monotonic() - started)


class _Session:
    """One submission on its way through its processes."""

    def __init__(
        self,
        kit: Kit,
        submitted: Submitted,
        source: AbstractSource,
        boxes: AbstractBoxes,
        limits: TimeLimits,
        output_limits: OutputLimits,
    ) -> None:
        self.kit, self.submitted, self.source, self.limits = kit, submitted, source, limits
        self.verdicts = {verdict.check: verdict for verdict in submitted.kept}
        self._boxes = boxes
        self._outputs = NotebookOutputs(output_limits)
        self._deadline = time.monotonic() + limits.notebook_s
        self._restarts = limits.restarts
        self._replay: list[str] = []
        self._given_up = ""
        self._box: Box | None = None
        self._definitions = Definitions()
        self._pending: list[str] = []
        self._waiting: dict[str, Snapshot] = {}
        self._parked: list[tuple[Box, dict[str, Snapshot]]] = []
        self._asked: set[str] = set()
        self._asked_in_place = False

    def run(self) -> list[Executed]:
        """Run all cells in order, copying the process for the checks, and then ask the copies."""
        self._box = self._boxes.open(self._outputs)
        executed, seen = [], set()
        for cell in self._with_missing_checks():
            first = not cell.grade_id or cell.grade_id not in seen
            seen.add(cell.grade_id)
            executed.append(self._one(cell, first))
        self._ask_pending()
        self.close()
        if not self._known_cells():
            self.verdicts = {
                name: replace(verdict, message=NO_CELLS) if verdict.status == "missing" else verdict
                for name, verdict in self.verdicts.items()
            }
        return [replace(one, outputs=self._shown(one.check)) if one.check else one for one in executed]

    def close(self) -> None:
        """Let no cell run any more, ask the copies that wait, and end the processes."""
        self._park()
        try:
            while self._parked:
                box, waiting = self._parked[0]
                while waiting:
                    name, snapshot = waiting.popitem()
                    self.verdicts[name] = self._ask(box, name, snapshot)
                    box.forget(snapshot)
                box.close()
                del self._parked[0]
        finally:
            for box, _ in self._parked:
                box.close()
            self._parked.clear()

    def _park(self) -> None:
        """Let the cells of a process end, and keep its copies until no other process shows anything either."""
        box, self._box = self._box, None
        if box is not None:
            box.end_cells()
            self._parked.append((box, self._waiting))
            self._waiting = {}

    def _with_missing_checks(self) -> list[Cell]:
        """The submission's cells, and at the end one for each check that has none."""
        there = {check_of(cell, self.kit.points) for cell in self.submitted.cells}
        missing = [name for name in self.kit.points if name not in there]
        made = [Cell(kind="code", source=f'check("{name}")', grade_id=name) for name in missing]
        return [*self.submitted.cells, *made]

    def _one(self, cell: Cell, first: bool) -> Executed:
        name = check_of(cell, self.kit.points)
        if name and name not in self._asked:
            self._asked.add(name)
            if name not in self.verdicts:
                self._pending.append(name)
            return Executed(cell=cell, check=name, first=first)
        if name:
            return Executed(cell=cell, outputs=note(COPY), first=False)
        if cell.kind != "code" or not cell.source.strip():
            return Executed(cell=cell, first=first)
        if not self._definitions.harmless(cell.source):
            self._copy_for_pending()
        return Executed(cell=cell, outputs=self._cell(cell.source), first=first)

    def _cell(self, source: str) -> list[dict[str, Any]]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._give_up("over_limit")
        if not self._ready() or self._box is None:
            return note(NOT_RUN)
        box = self._box
        run = box.run(source, min(self.limits.cell_s, left))
        ending = ending_of(run.state, min(self.limits.cell_s, left))
        if run.state in (CellState.OK, CellState.RAISED):
            self._replay.append(source)
        elif run.state == CellState.DIED:
            self._require_sandbox()
            if box.out_of_memory():
                ending = MEMORY_ENDING
        if self._asked_in_place:
            return note(WITHHELD)
        return run.outputs + (note(ending) if ending else [])

    def _copy_for_pending(self) -> None:
        """Have the process copied for each check that waits; where it can't be copied, ask it now."""
        for name in self._pending:
            snapshot = self._copy(name)
            if snapshot is None or self._box is None:
                continue
            if snapshot.in_place:
                self._asked_in_place = True
                self.verdicts[name] = self._ask(self._box, name, snapshot)
                self._box.forget(snapshot)
            else:
                self._waiting[name] = snapshot
        self._pending.clear()

    def _ask_pending(self) -> None:
        """Nothing runs any more: ask the checks that wait for a copy of the process as it is at the end.

        A copy whose answers were right is asked the next check too. All else is decided by a fresh copy alone.
        """
        box, snapshot = self._box, None
        for name in self._pending:
            if snapshot is not None and box is not None:
                verdict = self._ask(box, name, snapshot)
                if verdict.status == "passed":
                    self.verdicts[name] = verdict
                    continue
                box.forget(snapshot)
            snapshot, box = self._copy(name), self._box
            if snapshot is None or box is None:
                continue
            self.verdicts[name] = verdict = self._ask(box, name, snapshot)
            if verdict.status != "passed" or snapshot.in_place:
                box.forget(snapshot)
                snapshot = None
        if snapshot is not None and box is not None:
            box.forget(snapshot)
        self._pending.clear()

    def _copy(self, name: str) -> Snapshot | None:
        """A copy of the process for this check; None, and the check has its verdict, where there can be none."""
        if self._deadline - time.monotonic() <= 0:
            self._give_up("over_limit")
        snapshot = None
        for _ in range(2):  # the process may have ended unseen, since its last cell
            left = self._deadline - time.monotonic()
            snapshot = self._box.snapshot(left) if self._ready() and self._box is not None else None
            if snapshot is not None or self._given_up:
                break
            self._require_sandbox()
        if snapshot is None:
            reason = TOO_LONG if self._given_up == "over_limit" else ENDED
            self.verdicts[name] = no_points(self.kit.suite[name], self._given_up or "error", reason)
        return snapshot

    def _ask(self, box: Box, name: str, snapshot: Snapshot) -> Verdict:
        """Run a check from here on a copy of the process; the time that it takes is not the cells'."""
        started = time.monotonic()
        verdict = run_check(self.kit.suite[name], Student(snapshot.transport), self.source)
        self._deadline += time.monotonic() - started
        if verdict.status == "error":
            self._require_sandbox()
            if box.out_of_memory():
                return replace(verdict, status="over_limit", message=OUT_OF_MEMORY)
        return verdict

    def _shown(self, name: str) -> list[dict[str, Any]]:
        shown = Shown(self.verdicts[name], self.kit.suite[name].title)
        data = {"text/plain": repr(shown), "text/html": shown._repr_html_()}
        return [{"output_type": "display_data", "data": data, "metadata": {}}]

    def _ready(self) -> bool:
        """Whether there is a process that runs cells; one that ended is replaced."""
        if self._given_up:
            return False
        if self._box is None or not self._box.alive:
            self._renew()
        return not self._given_up

    def _renew(self) -> None:
        """Start a fresh process and run there what had run before, unless that was done too often."""
        self._park()
        if self._restarts <= 0:
            self._give_up("error")
            return
        self._restarts -= 1
        self._box = self._boxes.open(NotebookOutputs(OutputLimits(notebook_bytes=0)))
        for source in self._replay:
            left = self._deadline - time.monotonic()
            state = self._box.run(source, min(self.limits.cell_s, left)).state if left > 0 else CellState.STUCK
            if state not in (CellState.OK, CellState.RAISED):
                self._require_sandbox()
                self._give_up("over_limit")
                return
        self._box.show_in(self._outputs)

    def _give_up(self, cause: str) -> None:
        self._given_up = self._given_up or cause
        self._park()

    def _require_sandbox(self) -> None:
        """A process that ended is the student's fault, unless the sandbox around it is gone."""
        if not self._boxes.alive:
            raise SandboxError("the sandbox ended while a submission ran.", "it is graded again in a new one.")

    def _known_cells(self) -> bool:
        known = {cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in self.kit.notebook["cells"]}
        return any(cell.grade_id in known or check_of(cell, self.kit.points) for cell in self.submitted.cells)
