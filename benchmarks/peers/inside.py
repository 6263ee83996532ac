"""Runs inside the protective wrapper, in a peer's environment: grade, watch, tell. python inside.py JOB.json

Only the standard library and what the attacks' observer needs is imported here.
"""

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.attacks.scene import Scene
from tests.attacks.watch import Watch, cheats_in

TIME_S = 75.0


def main(job: dict) -> dict:
    """Grade one submission and say what became of it."""
    place = Path(job["place"])
    scene = Scene(**job["scene"])
    with Watch([Path(folder) for folder in job["untouchable"]], [place]) as watch:
        scene = watch.scene(scene)
        for path in map(Path, job["submissions"]):
            if path.is_file() and not path.is_symlink():  # the ports are known only now
                data = path.read_bytes()
                path.write_bytes(scene.tell(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
        started = time.monotonic()
        status = [_run(command, place) for command in job["commands"]]
        seconds = time.monotonic() - started
        changed = watch.changed()
        cheats = watch.cheats(scene.mark)
    texts = []
    for pattern in job["texts"]:
        for path in sorted(place.glob(pattern)):
            if path.is_file() and not path.is_symlink():
                texts.append(path.read_bytes()[: 1 << 26].decode("utf-8", "replace"))
    texts += _visible(place / job.get("results", "none"))
    cheats += cheats_in(texts, scene.canaries | {"its own word that it got through": f"won-{scene.mark}"})
    cheats += [f"changed {path}" for path in changed]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    return {"status": status, "seconds": seconds, "cheats": cheats, "peak_mib": peak}


def _visible(path: Path) -> list[str]:
    """What a file of results shows to a student: the outputs of tests that are not hidden."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    shown = [test.get("output", "") for test in told.get("tests", []) if test.get("visibility") != "hidden"]
    return [str(text) for text in (*shown, told.get("output", ""))]


def _run(command: list[str], place: Path) -> str:
    """Run one command of the grader's; how it ended."""
    own = {"SEQ_HOST_SECRET": os.environ.get("SEQ_HOST_SECRET", "")}
    with (place / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=place, env=os.environ | own, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            return str(process.wait(TIME_S))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()
            return "time"


if __name__ == "__main__":
    found = main(json.loads(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(found))
