"""Grading one submission: its cells run in a kernel, the checks run here, at the place of their cells.

A process that a student's code has blocked or ended is replaced a few times by a fresh one, in which the cells
before that point run again, so that one endless loop does not cost the exercises after it.
"""

import re
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seqlib.checks.faults import StudentFault
from seqlib.checks.notebook import Shown
from seqlib.checks.proxy import Student
from seqlib.checks.registry import Check
from seqlib.checks.runner import run_check
from seqlib.checks.socket_transport import SocketTransport
from seqlib.checks.sources import AbstractSource
from seqlib.checks.verdict import Verdict
from seqlib.errors import GradingError
from seqlib.grading.kernel import CellState, OutputLimits, StudentKernel, scratch_folder
from seqlib.grading.kit import Kit
from seqlib.grading.submitted import Cell, Submitted

__all__ = ["Executed", "Graded", "TimeLimits", "grade_submission"]

_CHECK_CALL = re.compile(r"""check\(\s*(["'])(?P<name>[^"']+)\1\s*(?:,\s*full\s*=\s*(?:True|False)\s*)?\)""")
_CONNECT_S = 120.0
_TOO_LONG = "Your notebook ran out of time before this check."
_ENDED = "Your process ended before this check and was not started again."
_NO_CELLS = "None of the assignment's cells is in this notebook: hand in the notebook that you were given."
_NOTES = {
    CellState.INTERRUPTED: "[stopped: this cell took longer than {limit:g} s]\n",
    CellState.STUCK: "[stopped: this cell took longer than {limit:g} s; the process was ended]\n",
    CellState.DIED: "[the process ended in this cell]\n",
}


@dataclass(frozen=True, kw_only=True)
class TimeLimits:
    """Wall time that a submission may take; a check has its own limit besides."""

    cell_s: float | int = 300
    notebook_s: float | int = 1800
    restarts: int = 3


@dataclass(frozen=True, kw_only=True)
class Executed:
    """A cell after grading: the student's, or ours where it is a check's.

    Attributes:
        cell: As it was handed in; a check that was missing gets one of ours.
        outputs: What it showed.
        check: The check that ran in its place; empty for all other cells.
        first: Whether it is the first cell with its `grade_id`.
    """

    cell: Cell
    outputs: list[dict[str, Any]] = field(default_factory=list)
    check: str = ""
    first: bool = True


@dataclass(frozen=True, kw_only=True)
class Graded:
    """What grading gives: one verdict for every check, and the notebook as it ran."""

    submitted: Submitted
    verdicts: tuple[Verdict, ...]
    cells: tuple[Executed, ...]
    seconds: float | int


def grade_submission(
    kit: Kit,
    submitted: Submitted,
    source: AbstractSource,
    limits: TimeLimits,
    output_limits: OutputLimits | None = None,
) -> Graded:
    """Grade one submission; whatever it is, every check has one verdict afterwards.

    Args:
        kit: The assignment.
        submitted: What was handed in.
        source: Where the cases come from.
        limits: How long it may take.
        output_limits: How much of what it prints is kept.
    """
    started = time.monotonic()
    if submitted.fault:
        verdicts = tuple(_no_points(check, "missing", submitted.fault) for check in kit.suite.checks.values())
        return Graded(submitted=submitted, verdicts=verdicts, cells=(), seconds=time.monotonic() - started)
    with scratch_folder() as folder:
        session = _Session(kit, submitted, source, limits, output_limits or OutputLimits(), folder)
        try:
            cells = session.run()
        finally:
            session.close()
    verdicts = tuple(session.verdicts[name] for name in kit.suite.checks)
    return Graded(submitted=submitted, verdicts=verdicts, cells=tuple(cells), seconds=time.monotonic() - started)


def check_of(cell: Cell, names: Any) -> str:
    """The check that a cell stands for, by its text or by its mark; empty for other cells."""
    if cell.kind != "code":
        return ""
    called = _CHECK_CALL.fullmatch(cell.source.strip().rstrip(";"))
    name = called["name"] if called else cell.grade_id
    return name if name in names else ""


class _Session:
    """One submission on its way through a kernel."""

    def __init__(
        self,
        kit: Kit,
        submitted: Submitted,
        source: AbstractSource,
        limits: TimeLimits,
        output_limits: OutputLimits,
        folder: Path,
    ) -> None:
        self.kit, self.submitted, self.source, self.limits = kit, submitted, source, limits
        self.output_limits, self.folder = output_limits, folder
        self.verdicts: dict[str, Verdict] = {}
        self._deadline = time.monotonic() + limits.notebook_s
        self._restarts = limits.restarts
        self._replay: list[str] = []
        self._given_up = ""
        self._kernel: StudentKernel | None = None
        self._link: socket.socket | None = None
        self._transport: SocketTransport | None = None
        self._work = folder / "work"
        self._work.mkdir()
        for name, data in (*kit.public.items(), (f"{kit.name}.ipynb", submitted.data)):
            (self._work / name).write_bytes(data)

    def run(self) -> list[Executed]:
        """Run all cells in order, and at the end the checks that have no cell."""
        self._start()
        executed, seen = [], set()
        for cell in self.submitted.cells:
            first = not cell.grade_id or cell.grade_id not in seen
            seen.add(cell.grade_id)
            executed.append(self._one(cell, first))
        missing = [name for name in self.kit.suite.checks if name not in self.verdicts]
        for name in missing:
            cell = Cell(kind="code", source=f'check("{name}")', grade_id=name)
            executed.append(Executed(cell=cell, check=name, outputs=self._check(name)))
        if not self._known_cells():
            self.verdicts = {
                name: replace(verdict, message=_NO_CELLS) if verdict.status == "missing" else verdict
                for name, verdict in self.verdicts.items()
            }
        return executed

    def close(self) -> None:
        """End the kernel and hang up."""
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._kernel is not None:
            self._kernel.stop()
            self._kernel = None

    def _one(self, cell: Cell, first: bool) -> Executed:
        name = check_of(cell, self.kit.suite.checks)
        if name and name not in self.verdicts:
            return Executed(cell=cell, check=name, outputs=self._check(name), first=first)
        if name:
            return Executed(
                cell=cell, outputs=_note("[a copy: this check ran in the first cell of its name]\n"), first=False
            )
        if cell.kind != "code" or not cell.source.strip():
            return Executed(cell=cell, first=first)
        return Executed(cell=cell, outputs=self._cell(cell.source), first=first)

    def _cell(self, source: str) -> list[dict[str, Any]]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._give_up("over_limit")
        if self._given_up or not self._ready() or self._kernel is None:
            return _note("[not run]\n")
        run = self._kernel.run(source, min(self.limits.cell_s, left))
        if run.state in (CellState.OK, CellState.RAISED):
            self._replay.append(source)
        elif run.state in (CellState.STUCK, CellState.DIED):
            self._renew("over_limit" if run.state == CellState.STUCK else "error")
        note = _NOTES.get(run.state, "").format(limit=min(self.limits.cell_s, left))
        return run.outputs + (_note(note) if note else [])

    def _check(self, name: str) -> list[dict[str, Any]]:
        """Run a check from here and put its verdict where its cell stood."""
        check = self.kit.suite[name]
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._give_up("over_limit")
        if self._given_up or not self._ready() or self._transport is None:
            reason = _TOO_LONG if self._given_up == "over_limit" else _ENDED
            verdict = _no_points(check, self._given_up or "error", reason)
        else:
            limited = replace(check, limit_s=min(check.limit_s, left))
            verdict = run_check(limited, Student(self._transport), self.source)
        self.verdicts[name] = verdict
        shown = Shown(verdict, check.title)
        data = {"text/plain": repr(shown), "text/html": shown._repr_html_()}
        return [{"output_type": "display_data", "data": data, "metadata": {}}]

    def _ready(self) -> bool:
        """Whether the student's side answers; one that does not is replaced."""
        if self._kernel is not None and self._kernel.alive and self._transport is not None:
            self._transport.allow(10.0)
            with suppress(StudentFault):
                return self._transport.request({"verb": "ping"}) == "pong"
        self._renew("over_limit" if self._kernel is not None and self._kernel.alive else "error")
        return not self._given_up

    def _renew(self, cause: str) -> None:
        """Start a fresh process and run there what had run before, unless that was done too often."""
        self.close()
        if self._restarts <= 0:
            self._give_up(cause)
            return
        self._restarts -= 1
        self._start()
        for source in list(self._replay):
            left = self._deadline - time.monotonic()
            run = self._kernel.run(source, min(self.limits.cell_s, left)) if self._kernel and left > 0 else None
            if run is None or run.state not in (CellState.OK, CellState.RAISED):
                self._give_up("over_limit")
                return

    def _give_up(self, cause: str) -> None:
        self._given_up = self._given_up or cause
        self.close()

    def _start(self) -> None:
        """Start a kernel, and in it, before any code of the student's, the agent that the checks talk to."""
        self._kernel = StudentKernel(self._work, self.folder, self.output_limits)
        self._kernel.start()
        path, nonce = self.folder / f"a{self._restarts}", secrets.token_hex(16)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(_CONNECT_S)
            run = self._kernel.run(_START_AGENT.format(path=str(path), nonce=nonce), _CONNECT_S)
            if run.state != CellState.OK:
                last = next((o["evalue"] for o in run.outputs if o["output_type"] == "error"), run.state)
                raise GradingError(f"the agent can't be started: {last}.", "see that seqlib imports in a new kernel.")
            self._link, _ = listener.accept()
        path.unlink(missing_ok=True)
        self._transport = SocketTransport(self._link, nonce)

    def _known_cells(self) -> bool:
        known = {cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in self.kit.notebook["cells"]}
        names = self.kit.suite.checks
        return any(cell.grade_id in known or check_of(cell, names) for cell in self.submitted.cells)


_START_AGENT = """\
import seqlib.checks.agent, seqlib.threads
seqlib.threads.limit_threads(1)
seqlib.checks.agent.serve({path!r}, {nonce!r}, get_ipython().user_ns)
del seqlib"""


def _no_points(check: Check, status: str, message: str) -> Verdict:
    return Verdict(check=check.name, points=check.points, earned=0, status=status, message=message)


def _note(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]
