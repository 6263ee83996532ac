"""One run of the soak: start, kill, resume until done, and look at what is left."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqlib.grading.gradebook import gradebook_url, read_marks
from seqlib.grading.kit import course_key
from seqlib.grading.store import Store
from tests.soak import host, processes
from tests.soak.plan import Plan
from tests.soak.proof import problems
from tests.soak.toy import GRADING, HONEST, HOSTILE, Scene, load

__all__ = ["Driver", "kinds_of"]

REPOSITORY = Path(__file__).parents[2]
_PATIENCE_S = 240.0
_MOST_STARTS = 8


def kinds_of(count: int) -> dict[str, str]:
    """So many students, one in five hostile."""
    kinds, honest, hostile = {}, 0, 0
    for number in range(count):
        if number % 5 == 4:
            kinds[f"s{number:03d}"] = HOSTILE[hostile % len(HOSTILE)]
            hostile += 1
        else:
            kinds[f"s{number:03d}"] = HONEST[honest % len(HONEST)]
            honest += 1
    return kinds


class Driver:
    """Runs plans on one toy class.

    Args:
        scene: The assignment.
        folder: Where the classes are made.
        server: A PostgreSQL of its own; None: only SQLite.
        students: How many.
    """

    def __init__(self, scene: Scene, folder: Path, server: Any = None, students: int = 8) -> None:
        self.scene, self.folder, self.server = scene, folder, server
        self.kinds = kinds_of(students)
        self.usual_s = {"paper": 0.6, "real": 12.0}
        self._verdicts: dict[str, list[str]] = {}
        self._empty_book = b""

    def calibrate(self) -> None:
        """Grade once with real workers and nothing killed: its verdicts are what runs of paper give."""
        place = self.made("calibration")
        started = time.monotonic()
        self._start_real(self.told(place, "sqlite")).wait(_PATIENCE_S)
        self.usual_s["real"] = time.monotonic() - started
        course = place / "class"
        found = problems(course, str(course / "store.db"), *self.expected())
        if found:
            raise SystemExit(f"without any kill: {found}\n{(place / 'log').read_text()[-3000:]}")
        with Store(course / "store.db", course_key(course)) as store:
            latest = store.latest("toy")
        self._verdicts = {name: [one.to_json() for one in record.verdicts] for name, record in latest.items()}
        shutil.rmtree(place)
        read_marks("toy", gradebook_url(self.folder))  # makes an empty one, which takes seconds
        self._empty_book = (self.folder / "gradebook.db").read_bytes()

    def run(self, plan: Plan) -> dict[str, Any]:
        """Run a plan, and return it with what came of it."""
        place = self.made(f"run-{plan.engine}-{plan.number}")
        if plan.number % 20 and plan.engine == "paper":  # one in twenty makes its own gradebook
            (place / "class" / "gradebook.db").write_bytes(self._empty_book)
        kept = set(processes.descendants())
        started = time.monotonic()
        told = self.told(place, plan.store)
        kills, starts, seen = self._until_done(plan, told, place)
        seconds = time.monotonic() - started
        left = processes.settle(kept, 15.0)
        found = [f"left behind: {line[:120]}" for line in left.values()]
        processes.kill(list(left))
        if starts > _MOST_STARTS:
            found.append("it is never done")
        else:
            where = told["store"] or str(place / "class" / "store.db")
            found += problems(place / "class", where, *self.expected(), excused=int(plan.target == "child"))
        found += [f"group {name}" for name in processes.groups_left(seen)]
        found += [f"scratch {path.name}" for path in (place / "tmp").iterdir()]
        if not found:
            shutil.rmtree(place)
        return plan.as_row() | {
            "kills": kills,
            "starts": starts,
            "seconds": round(seconds, 2),
            "ok": not found,
            "problems": found,
        }

    def _until_done(self, plan: Plan, told: dict[str, Any], place: Path) -> tuple[int, int, set[int]]:
        kills, starts, seen = 0, 0, set()
        while starts <= _MOST_STARTS:
            starts += 1
            first = starts == 1
            order = plan.order if first else plan.again if starts == 2 else ""
            if plan.engine == "paper":
                told["lose"] = plan.lose if first else 0
                code, hit = self._paper(plan, told, order, first)
            else:
                code, hit = self._real(plan, told, order, first, seen, place)
            kills += hit
            if code == 0:
                break
        return kills, starts, seen

    def _paper(self, plan: Plan, told: dict[str, Any], order: str, first: bool) -> tuple[int, int]:
        pid = host.start_paper(told, self._verdicts, order)
        hit = 0
        if first and (plan.target != "coordinator" or not order):
            time.sleep(plan.share * self.usual_s["paper"])
            hit = self._strike(plan, pid)
        status = _wait(pid)
        code = os.waitstatus_to_exitcode(status)
        return code, hit + (code == -signal.SIGKILL and bool(order))

    def _real(
        self, plan: Plan, told: dict[str, Any], order: str, first: bool, seen: set[int], place: Path
    ) -> tuple[int, int]:
        latch = str(place / "latch")
        process = self._start_real(told, f"{order}:{latch}" if order and first else "")
        inner = plan.target in ("parent", "child", "worker", "template")
        # Parts of a sandbox are struck some moments after the first submission runs, others at any time.
        moment = math.inf if inner else time.monotonic() + 0.7 * plan.share * self.usual_s["real"]
        deadline = time.monotonic() + _PATIENCE_S
        hit, armed = 0, first and not order
        while process.poll() is None:
            seen |= set(processes.descendants(process.pid))
            if inner and math.isinf(moment) and processes.submission_children(process.pid):
                moment = time.monotonic() + 1.5 * plan.share
            if armed and time.monotonic() > moment:
                struck = self._strike(plan, process.pid)
                armed = not struck and inner
                hit += struck
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.03)
        process.wait()
        return process.returncode, hit + int(bool(order) and first and Path(latch).exists())

    def _strike(self, plan: Plan, pid: int) -> int:
        if plan.target == "server":
            self.server.stop()
            self.server.start()
            return 1
        if plan.target == "connections":
            end = load(GRADING / "test_store_claims.py").END
            self.server.execute(end)
            return 1
        with suppress(ProcessLookupError):
            if plan.target == "interrupt":
                os.kill(pid, signal.SIGINT)
                return 1
            if plan.target == "coordinator":
                return processes.kill([pid])
        family = processes.descendants(pid)
        parents = [one for one, line in family.items() if "inside.warm_parent" in line and "bwrap" not in line]
        children = processes.submission_children(pid)
        chosen = {
            "worker": processes.workers(pid),
            "template": processes.templates(pid),
            "parent": [one for one in parents if one not in children],
            "child": children,
        }
        return processes.kill(chosen[plan.target][:1])

    def _start_real(self, told: dict[str, Any], order: str = "") -> "subprocess.Popen[bytes]":
        env = os.environ | {"TMPDIR": str(Path(told["course"]).parent / "tmp"), "OMP_NUM_THREADS": "1"}
        if order:
            env["SEQLIB_KILL_AT"] = order
        with open(Path(told["course"]).parent / "log", "ab") as log:
            command = [sys.executable, "-m", "tests.soak.host", json.dumps(told)]
            return subprocess.Popen(command, cwd=REPOSITORY, env=env, stdout=log, stderr=log)

    def made(self, name: str) -> Path:
        """A folder with a class that has handed in."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        (place / "tmp").mkdir(parents=True)
        (place / "class").mkdir()
        self.scene.hand_in(place / "class", self.kinds)
        course_key(place / "class")
        return place

    def told(self, place: Path, store: str) -> dict[str, Any]:
        """What a run is told."""
        told: dict[str, Any] = {"root": str(self.scene.root), "course": str(place / "class"), "store": None}
        if store == "postgres":
            self.server.execute("DROP TABLE IF EXISTS verdicts", "DROP TABLE IF EXISTS jobs")
            told["store"] = self.server.url
        return told

    def expected(self) -> tuple[dict[str, dict[str, str]], dict[str, float]]:
        """Statuses and points of every student."""
        return self.scene.statuses(self.kinds), self.scene.points(self.kinds)


def _wait(pid: int) -> int:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
