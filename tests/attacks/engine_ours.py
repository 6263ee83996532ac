"""Our own engine: a class of attacks between right controls, graded by a process of its own and watched from outside.

The attacks share one class, as they would in earnest.
What an attack leaves carries its mark, so that it is known whose it is; where the class itself suffered
(a control that lost points, a grader that ended), it is divided until the attack is found.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.attacks.attack import RIGHT, Attack
from tests.attacks.browser import chromium_path, look
from tests.attacks.engine import AbstractEngine, Outcome
from tests.attacks.scene import Scene, fresh_canaries
from tests.attacks.watch import Watch, cheats_in

__all__ = ["Ours"]

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
HOST_MEMORY_MIB = 1024
_PER_SUBMISSION_S = 60.0
_BY_ANOTHER_ACCOUNT = ("damage-zip-of-another",)
_FIRST_ACCOUNT = 61000
_LONGEST_S = 90.0  # a notebook has 25, each of six checks 3, and an interrupted cell some to end
ARRIVED = "2026-11-20 10:00:00.000000 UTC"
_BEFORE = Attack(name="a-control", category="control", tries="Before the attacks.", answers=RIGHT, earns=100)
_AFTER = replace(_BEFORE, name="zz-control", tries="After the attacks.")


class Ours(AbstractEngine):
    """`seqlib grade` on a throw-away class.

    Args:
        base: A folder to work in, which is removed at `close`.
        isolation: `warm`, `cold` or `none`, as `seqlib grade` has them.
        batch: How many attacks share a class.
        browser: A running browser to open pages with. None: one is started when there are pages.
    """

    name = "ours"

    def __init__(
        self, base: Path | None = None, *, isolation: str = "warm", batch: int = 40, browser: Any = None
    ) -> None:
        self.isolation, self.isolates = isolation, isolation != "none"
        self.batch = batch
        self._base = Path(tempfile.mkdtemp(prefix="attacks-", dir=base))
        self._canaries = fresh_canaries("reference", "sibling", "environment", "file", "leftover")
        self._root = self._base / "repository"
        self.browser = browser
        self.courses: dict[str, Path] = {}
        self._release()

    def why_not(self, attack: Attack) -> str:
        """One attack needs packs that belong to other accounts than ours."""
        if attack.name in _BY_ANOTHER_ACCOUNT and os.geteuid() != 0:
            return "needs root, who can make files that belong to a student"
        return super().why_not(attack)

    def grade(self, attacks: Sequence[Attack]) -> list[Outcome]:
        """Grade in one class; where the class as a whole suffered, look for whose doing it was, half by half."""
        outcomes, suffered = self._grade_class(attacks)
        if not suffered:
            return outcomes
        if len(attacks) == 1:
            outcomes[0].cheats += suffered
            return outcomes
        half = len(attacks) // 2
        return [*self.grade(attacks[:half]), *self.grade(attacks[half:])]

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._base, ignore_errors=True)

    def _release(self) -> None:
        from seqlib.grading.release import release

        shutil.copytree(HERE / "target" / "solutions", self._root / "solutions")
        checks = self._root / "solutions" / "target" / "checks.py"
        checks.write_text(checks.read_text().replace("@REFERENCE@", self._canaries["reference"]))
        release("target", self._root)
        self._released = json.loads((self._root / "assignments" / "target" / "target.ipynb").read_text())

    def _grade_class(self, attacks: Sequence[Attack]) -> tuple[list[Outcome], list[str]]:
        """The outcome of each attack, and what the batch as a whole suffered."""
        place = Path(tempfile.mkdtemp(prefix="class-", dir=self._base))
        course, outside = place / "class", place / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text(self._canaries["file"])
        with Watch([self._root, outside], [course]) as watch:
            scenes = self._hand_in(attacks, course, outside, watch)
            result, seconds, ended = self._run_host(course, place / "result.json", watch, len(attacks) + 2)
            suffered = [*ended, *(f"changed {path}" for path in watch.changed())]
            if watch.peak_bytes >> 20 > HOST_MEMORY_MIB and self.isolates:
                suffered.append(f"the grader took {watch.peak_bytes >> 20} MiB")
            students = result.get("students", {})
            for control in (_BEFORE, _AFTER):
                if (points := students.get(control.name, {}).get("gradebook")) != 100 and not ended:
                    suffered.append(f"{control.name} got {points} of 100 points")
            suffered += [
                f"{control.name}: {one}"
                for control in (_BEFORE, _AFTER)
                for one in watch.cheats(scenes[control.name].mark)
            ]
            outcomes = [
                self._outcome(attack, scenes[attack.name], students.get(attack.name), course, watch)
                for attack in attacks
            ]
            self._look(course, scenes, outcomes, suffered)
        for outcome in outcomes:
            outcome.seconds = outcome.seconds or seconds
        return outcomes, suffered

    def _look(
        self, course: Path, scenes: dict[str, Scene], outcomes: Sequence[Outcome], suffered: Sequence[str]
    ) -> None:
        """Open what is made to act in a page."""
        shown = [outcome for outcome in outcomes if outcome.attack.category == "pages" and not suffered]
        if not shown:
            return
        if not chromium_path():
            for outcome in shown:
                outcome.notes.append("not seen in a browser: chromium is not installed")
            return
        found = look(course, {outcome.attack.name: scenes[outcome.attack.name] for outcome in shown}, self.browser)
        for outcome in shown:
            outcome.cheats += found[outcome.attack.name]

    def _hand_in(self, attacks: Sequence[Attack], course: Path, outside: Path, watch: Watch) -> dict[str, Scene]:
        common = Scene(
            mark="seq",
            course=str(course),
            root=str(self._root),
            checks=str(self._root / "solutions" / "target" / "checks.py"),
            key=str(course / "course.key"),
            sibling=str(course / "submitted" / _AFTER.name / "target" / "target.ipynb"),
            secret_file=str(outside / "secret.txt"),
            outside=str(outside),
        )
        scenes, accounts = {}, {}  # each pack is written by its student's own account
        before = replace(_BEFORE, first=_leave(self._canaries["leftover"])) if self.isolates else _BEFORE
        for attack in (before, *attacks, _AFTER):
            scenes[attack.name] = scene = watch.scene(common.of(attack.name))
            folder = course / "submitted" / attack.name / "target"
            self.courses[attack.name] = course
            if attack.pack is not None:
                exchange = course.parent / "exchange"
                exchange.mkdir(exist_ok=True)
                (exchange / f"{attack.name}.zip").write_bytes(attack.pack(attack.name, scene))
                accounts[str(_FIRST_ACCOUNT + len(accounts))] = attack.name
                if os.geteuid() == 0:
                    os.chown(exchange / f"{attack.name}.zip", _FIRST_ACCOUNT + len(accounts) - 1, -1)
                continue
            folder.mkdir(parents=True)
            (folder / "timestamp.txt").write_text(ARRIVED)
            attack.hand_in(self._released, scene, folder, "target")
        (course.parent / "accounts.json").write_text(json.dumps(accounts if os.geteuid() == 0 else {}))
        sibling = Path(common.sibling)
        sibling.write_text(sibling.read_text().replace("# Something", f"# {self._canaries['sibling']} Something"))
        watch.keep(course / "submitted")
        return scenes

    def _run_host(
        self, course: Path, out: Path, watch: Watch, submissions: int
    ) -> tuple[dict[str, Any], float, list[str]]:
        started = time.monotonic()
        command = [sys.executable, "-m", "tests.attacks.grading_host", str(self._root), str(course), str(out)]
        command.append(self.isolation)
        environment = os.environ | {"SEQ_HOST_SECRET": self._canaries["environment"], "OMP_NUM_THREADS": "1"}
        with (course.parent / "log").open("wb") as log:
            host = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            watch.watched_pid = host.pid
            try:
                status = host.wait(_PER_SUBMISSION_S * submissions)
                ended = [] if status == 0 else [f"the grader ended with status {status}: {_last_line(log.name)}"]
            except subprocess.TimeoutExpired:
                host.kill()
                host.wait()
                ended = ["the grader never came to an end"]
            finally:
                watch.watched_pid = 0
        result: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            result = json.loads(out.read_text())
        return result, time.monotonic() - started, ended

    def _outcome(
        self, attack: Attack, scene: Scene, told: dict[str, Any] | None, course: Path, watch: Watch
    ) -> Outcome:
        outcome = Outcome(attack=attack)
        if told is None and attack.pack is not None:
            outcome.statuses = {"pack": "refused"}
        elif told is None:
            outcome.cheats.append("it has no verdict")
        else:
            outcome.points = max(told["verdicts"], told["gradebook"])
            outcome.statuses, outcome.seconds = told["statuses"], told["seconds"]
            outcome.notes += [told["fault"]] if told["fault"] else []
            outcome.judge_points()
            if outcome.seconds > _LONGEST_S:
                outcome.cheats.append(f"it held the grader up for {outcome.seconds:.0f} s")
            if told["infrastructure"]:
                outcome.cheats.append("it was called a fault of our own, which is graded again")
        secrets = self._secrets(course) | {"its own word that it got through": f"won-{scene.mark}"}
        outcome.cheats += cheats_in(_texts(attack, told, course), secrets)
        outcome.cheats += watch.cheats(scene.mark)
        return outcome

    def _secrets(self, course: Path) -> dict[str, str]:
        """The planted words, the course key, and what the secret cases ask."""
        from seqlib.checks.sources import Grader
        from seqlib.grading.kit import course_key, load_kit

        found = dict(self._canaries)
        try:
            key = course_key(course, create=False)
        except Exception:  # an attack took it away: that is seen elsewhere
            return found
        found["key"] = key.decode()
        suite = load_kit("target", self._root).suite
        source = Grader(suite, key)
        for index in range(suite["spelling"].cases):
            found[f"secret word {index}"] = source.case(suite["spelling"], index).word()
            found[f"secret number {index}"] = repr(source.case(suite["scaling"], index).series()[0].item())
        return found


def _leave(canary: str) -> str:
    """What the student before the attacks leaves behind, wherever that is possible; nobody after may find it."""
    return (
        f"import os, tempfile\nfor place in ('/tmp', '/var/tmp', '/dev/shm', '/run', tempfile.gettempdir(), '.'):\n"
        f"    try:\n        with open(f'{{place}}/@MARK@', 'w') as file: file.write({canary!r})\n"
        f"    except OSError: pass\nos.environ['LEFT'] = {canary!r}\n"
        f"left = torch.tensor(list({canary.encode()!r}), dtype=torch.uint8)"
    )


def _texts(attack: Attack, told: dict[str, Any] | None, course: Path) -> list[str]:
    """All that comes out for a student or an instructor to read."""
    texts = [] if told is None else [*told["messages"], told["fault"]]
    for folder in ("autograded", "feedback"):
        for path in sorted((course / folder / attack.name).rglob("*")):
            if path.is_file() and not path.is_symlink():
                texts.append(path.read_bytes().decode("utf-8", "replace"))
    return texts


def _last_line(path: str) -> str:
    lines = Path(path).read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
