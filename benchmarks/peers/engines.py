"""The peers as engines for the attacks: each submission graded in a copy of a prepared class, inside the wrapper."""

import copy
import json
import os
import shutil
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import PLACE, python_of
from benchmarks.peers.exercises import nbgrader_source, otter_tests
from benchmarks.peers.wrapper import USER, wrapped
from seqlib.errors import GradingError
from tests.attacks.attack import CHECKS, POINTS, Attack
from tests.attacks.catalogue import find
from tests.attacks.engine import AbstractEngine, Outcome
from tests.attacks.scene import Scene, fresh_canaries

__all__ = ["Nbgrader", "Otter", "make_peer"]

REPOSITORY = Path(__file__).parents[2]
_TOO_MUCH = (
    "exhaust-memory-by-forks", "exhaust-disk", "exhaust-large-file", "exhaust-many-files", "exhaust-nameless-memory",
)  # fmt: skip


class _Peer(AbstractEngine):
    """What both have in common."""

    isolates = False
    batch = 1

    def __init__(self, place: Path = PLACE) -> None:
        self._python = python_of(self.name, place)
        if not self._python.exists():
            raise GradingError(f"{self.name} is not installed in {place}.", "run: make peers")
        self._base = Path(tempfile.mkdtemp(prefix=f"peer-{self.name}-"))
        self._base.chmod(0o755)
        self._canaries = fresh_canaries("reference", "sibling", "environment", "file") | {
            "secret word": "w123498761234567890"
        }
        self._released = released_notebook()
        self._shown_to_all: set[str] | None = None
        self._template = self._base / "template"
        self._template.mkdir()
        self._prepare(self._template)

    def why_not(self, attack: Attack) -> str:
        """Some attacks mean nothing to a peer, and some would be too much for the wrapper."""
        if attack.category == "pages":
            return "not applicable"
        if attack.ours_only or attack.pack is not None:
            return "aimed at ours"
        return "too much for this machine" if attack.name in _TOO_MUCH else ""

    def grade(self, attacks: Sequence[Attack]) -> list[Outcome]:
        if self._shown_to_all is None:  # a peer may show hidden tests to everybody: no attack's doing
            [wrong] = find(["control-wrong"])
            self._shown_to_all = set(self._one(wrong).cheats)
        outcomes = [self._one(attack) for attack in attacks]
        for outcome in outcomes:
            outcome.cheats = [cheat for cheat in outcome.cheats if cheat not in self._shown_to_all]
        return outcomes

    def close(self) -> None:
        shutil.rmtree(self._base, ignore_errors=True)

    @abstractmethod
    def _prepare(self, place: Path) -> None:
        """Build the assignment as its users do."""

    @abstractmethod
    def _job(self, attack: Attack, place: Path, scene: Scene) -> dict[str, Any]:
        """Put the submission there; the commands that grade it, and where texts come out."""

    @abstractmethod
    def _points(self, attack: Attack, place: Path) -> float:
        """The points that it has now."""

    def _one(self, attack: Attack) -> Outcome:
        place = Path(tempfile.mkdtemp(prefix="run-", dir=self._base))
        shutil.copytree(self._template, place, dirs_exist_ok=True, symlinks=True)
        outside = place / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text(self._canaries["file"])
        scene = Scene(
            mark="seq", course=str(place), root=str(place), secret_file=str(outside / "secret.txt"),
            outside=str(outside), checks=str(place / "source" / "target" / "target.ipynb"), key=str(place / "key"),
            sibling=str(place / "submitted" / "sibling" / "target" / "target.ipynb"), canaries=self._canaries,
        ).of(attack.name)  # fmt: skip
        job = self._job(attack, place, scene)
        job |= {"scene": asdict(scene), "place": str(place)}
        (place / "job.json").write_text(json.dumps(job))
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", f"{USER}:{USER}", str(place)], check=True)
        outcome = Outcome(attack=attack)
        try:
            self._run(
                [str(self._python), str(REPOSITORY / "benchmarks" / "peers" / "inside.py"), "job.json", "told.json"],
                place,
            )
            told = json.loads((place / "told.json").read_text())
            outcome.seconds, outcome.cheats = told["seconds"], told["cheats"]
            outcome.points = self._points(attack, place)
            outcome.judge_points()
            if any(status != "0" for status in told["status"]):
                outcome.notes.append(f"the grader ended with {', '.join(told['status'])}")
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            outcome.cheats.append("the grader and its observer ended")
            outcome.notes.append(f"{type(error).__name__}"[:100])
        finally:
            subprocess.run(["rm", "-rf", str(place)], check=False)
        return outcome

    def _run(self, command: list[str], place: Path, seconds: float = 240) -> None:
        home = place / "home"
        home.mkdir(exist_ok=True)
        home.chmod(0o777)
        binaries = f"{self._python.parent}:/usr/local/bin:/usr/bin:/bin"
        environment = {
            "PATH": binaries, "HOME": str(home), "SEQ_HOST_SECRET": self._canaries["environment"],
            "OMP_NUM_THREADS": "1",
            "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        subprocess.run(
            wrapped(command, place, environment, seconds=seconds), timeout=seconds + 20, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _build(self, command: list[str], place: Path) -> None:
        path = f"{self._python.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
        )  # fmt: skip
        if done.returncode:
            raise GradingError(f"{self.name} can't build the assignment: {done.stderr[-500:]}.", "run: make peers")

    def _tool(self, name: str) -> str:
        return str(self._python.with_name(name))


class Nbgrader(_Peer):
    """`nbgrader autograde` with its default configuration."""

    name = "nbgrader"

    def _prepare(self, place: Path) -> None:
        source = place / "source" / "target"
        source.mkdir(parents=True)
        notebook = nbgrader_source(copy.deepcopy(self._released), self._canaries)
        (source / "target.ipynb").write_text(json.dumps(notebook))
        (place / "nbgrader_config.py").write_text(
            f'c = get_config()\nc.CourseDirectory.course_id = "peer"\nc.CourseDirectory.root = "{place}"\n'
        )
        (place / "key").write_text("0" * 64)
        self._build([self._tool("nbgrader"), "generate_assignment", "target", "--create"], place)
        (place / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "peer"\n')

    def _job(self, attack: Attack, place: Path, scene: Scene) -> dict[str, Any]:
        released = _read_notebook(place / "release" / "target" / "target.ipynb")
        folder = place / "submitted" / attack.name / "target"
        attack.hand_in(released, scene, folder, "target")
        sibling = Path(scene.sibling)
        sibling.parent.mkdir(parents=True, exist_ok=True)
        sibling.write_text(json.dumps(released).replace("# Something", f"# {self._canaries['sibling']} Something"))
        command = [self._tool("nbgrader")]
        feedback = [[*command, "generate_feedback", "target", "--student", attack.name]]
        return {
            "commands": [
                [*command, "autograde", "target", "--student", attack.name],
                *(feedback if attack.category not in ("forge", "damage", "sabotage") else []),
            ],
            "submissions": [str(folder / "target.ipynb")],
            "untouchable": [str(place / "source"), str(place / "outside"), str(sibling.parent)],
            "texts": [f"feedback/{attack.name}/**/*"],
        }

    def _points(self, attack: Attack, place: Path) -> float:
        text = (
            "import sys\nfrom nbgrader.api import Gradebook, MissingEntry\n"
            "try:\n    with Gradebook('sqlite:///gradebook.db') as book:\n"
            "        print(book.find_submission('target', sys.argv[1]).score)\nexcept MissingEntry:\n    print(0.0)"
        )
        done = subprocess.run(
            [str(self._python), "-c", text, attack.name],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return float(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else 0.0


class Otter(_Peer):
    """`otter run` with a generated autograder."""

    name = "otter"

    def _prepare(self, place: Path) -> None:
        tests = place / "source" / "tests"
        tests.mkdir(parents=True)
        for name, text in otter_tests(
            {CHECKS[name]: points for name, points in POINTS.items()}, self._canaries
        ).items():
            (tests / name).write_text(text)
        (place / "key").write_text("0" * 64)
        command = [
            self._tool("otter"),
            "generate",
            "-t",
            str(tests),
            "-o",
            "autograder.zip",
            "--no-environment",
            "--no-requirements",
            "--no-config",
        ]
        self._build(command, place)
        (place / "out").mkdir()

    def _job(self, attack: Attack, place: Path, scene: Scene) -> dict[str, Any]:
        released = copy.deepcopy(self._released)
        for made in released["cells"]:
            name = made["metadata"].get("nbgrader", {}).get("grade_id")
            if name == "start":
                made["source"] = "import otter\nimport torch\n\ngrader = otter.Notebook()"
            elif name in CHECKS.values():
                made["source"] = f'grader.check("{name}")'
        attack.hand_in(released, scene, place, "target")
        sibling = Path(scene.sibling)
        sibling.parent.mkdir(parents=True)
        sibling.write_text(json.dumps(released).replace("# Something", f"# {self._canaries['sibling']} Something"))
        return {
            "commands": [
                [self._tool("otter"), "run", "-a", "autograder.zip", "-o", "out", "--no-logo", "target.ipynb"]
            ],
            "submissions": [str(place / "target.ipynb")],
            "untouchable": [str(place / "source"), str(place / "outside"), str(sibling.parent)],
            "texts": [],
            "results": "out/results.json",
        }

    def _points(self, attack: Attack, place: Path) -> float:
        try:
            told = json.loads((place / "out" / "results.json").read_text())
        except (OSError, ValueError):
            return 0.0
        return float(sum(test.get("score", 0) for test in told["tests"]))


def _read_notebook(path: Path) -> dict[str, Any]:
    """A notebook with each cell's text in one piece, as ours writes it; nbgrader writes lists of lines."""
    notebook: dict[str, Any] = json.loads(path.read_text())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def released_notebook() -> dict[str, Any]:
    """Our own release of the attacked assignment."""
    from seqlib.grading.release import release

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(REPOSITORY / "tests" / "attacks" / "target" / "solutions", root / "solutions")
        release("target", root)
        notebook: dict[str, Any] = json.loads((root / "assignments" / "target" / "target.ipynb").read_text())
    return notebook


def make_peer(name: str) -> AbstractEngine:
    """The peer of a name."""
    return {"nbgrader": Nbgrader, "otter": Otter}[name]()
