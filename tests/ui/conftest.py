"""A small course in a folder with a space, one Lab server and one browser for all tests of pages."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqlib.lab.home import HOME, write_home
from seqlib.lab.server import environment, lab_command

ROOT = Path(__file__).parents[2]
LECTURE = Path("lectures") / "02_small.py"
TOKEN = "a-token-for-tests"
START_SECONDS = 120


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Path:
    """A course with one lecture that has a stepper, a formula, a figure and notes."""
    root = tmp_path_factory.mktemp("the course")
    shutil.copytree(Path(__file__).parent / "course", root, dirs_exist_ok=True)
    shutil.copy(ROOT / "jupytext.toml", root)
    shutil.copytree(ROOT / "lectures", root / "real")
    (root / "assignments").mkdir()
    write_home(root)
    return root


@pytest.fixture(scope="session")
def lab(course, tmp_path_factory) -> Iterator[str]:
    """The address of a Lab server on `course`, started as `seqlib lab` does, with no settings of this user's."""
    own = tmp_path_factory.mktemp("jupyter")
    folders = {f"JUPYTER_{name}_DIR": str(own / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    base = {**os.environ, **folders, "IPYTHONDIR": str(own / "ipython"), "LC_ALL": "C"}
    port = _free_port()
    command = lab_command(course, port=port, page=HOME, browser=False)
    command += [f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"]
    with (own / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(base), cwd=course, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/api/status?token={TOKEN}", process, own / "log")
            yield address
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def fetch(lab) -> Callable[[str], bytes]:
    """Ask the server for a path."""

    def get(path: str) -> bytes:
        with urllib.request.urlopen(f"{lab}{path}{'&' if '?' in path else '?'}token={TOKEN}", timeout=60) as answer:
            return answer.read()

    return get


@pytest.fixture(scope="session")
def open_page(chromium):
    """Open a page whose errors and requests are kept as `page.errors` and `page.requests`."""

    def new(**options):
        page = chromium.new_context(**{"viewport": {"width": 1400, "height": 1000}, **options}).new_page()
        page.errors, page.requests = [], []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: page.requests.append(request.url))
        page.set_default_timeout(60_000)
        return page

    return new


@pytest.fixture(scope="session")
def violations():
    """What axe-core finds wrong inside an element."""
    from axe_playwright_python.sync_playwright import Axe

    def find(page, selector: str) -> list[tuple[str, str]]:
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
        results = Axe().run(page, context=selector, options=rules)
        return [(found["id"], found["nodes"][0]["html"][:120]) for found in results.response["violations"]]

    return find


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
