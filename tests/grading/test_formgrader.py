"""nbgrader's formgrader, in a real server, shows our scores and runs nothing that a student wrote."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKEN = "only-for-this-test"
pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def formgrader(small_class, tmp_path_factory):
    """The address of a server on the graded class, with nbgrader's formgrader and our configuration."""
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(small_class.course, root / "class")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(root / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
    options += [f"--ServerApp.root_dir={root}", "--ServerApp.port_retries=0"]
    options += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=root,
            env=os.environ | own | {"PATH": path},
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server, root / "log")
            yield address
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Wait until the server answers, or fail with its log."""
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            get(f"{address}/api/status")
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(log.read_text())


def get(address: str) -> str:
    """Fetch a page as the instructor."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())


def test_manage_submissions_shows_our_scores(formgrader, small_class):
    """The page opens and its API gives each student's points as the host decided them, none waiting to be run."""
    page = get(f"{formgrader}/formgrader/manage_submissions/toy")
    found = json.loads(get(f"{formgrader}/formgrader/api/submissions/toy"))

    assert "manage_submissions" in page
    assert {one["student"]: one["score"] for one in found} == {
        one.student: one.points(small_class.kit) for one in small_class.made
    }
    assert all(one["autograded"] and one["max_score"] == 110 for one in found)


@pytest.mark.browser
def test_no_script_of_a_student_runs_in_formgrader(formgrader, chromium):
    """The instructor's page of a hostile notebook shows each score, runs no script of it, and changes nothing."""
    notebooks = json.loads(get(f"{formgrader}/formgrader/api/submitted_notebooks/toy/toy"))
    name = {one["student"]: one["id"] for one in notebooks}["right_with_scripts"]
    before = get(f"{formgrader}/formgrader/api/grades?submission_id={name}")
    page = chromium.new_context(extra_http_headers={"Authorization": f"token {TOKEN}"}).new_page()
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    # MathJax comes from a CDN in nbgrader's page: not here.
    page.route(lambda url: not url.startswith(formgrader), lambda route: route.abort())
    page.goto(f"{formgrader}/formgrader/submissions/{name}/", wait_until="domcontentloaded")
    page.wait_for_function("[...document.querySelectorAll('input.score')].some(box => box.value || box.placeholder)")
    page.wait_for_timeout(500)

    boxes = "[...document.querySelectorAll('input.score')].map(box => [box.id, box.value || box.placeholder])"
    shown = dict(page.evaluate(boxes))
    owned = page.evaluate("window.owned")
    bold = page.locator("#notebook-container b", has_text="bold").count()
    page.context.close()

    assert owned is None
    assert bold == 1
    assert {key: float(value or 0) for key, value in shown.items()} == {
        "doubling": 20,
        "running_sum": 50,
        "time_mean": 30,
        "why": 0,
    }
    assert {method for method, _ in asked} == {"GET"}
    assert get(f"{formgrader}/formgrader/api/grades?submission_id={name}") == before
