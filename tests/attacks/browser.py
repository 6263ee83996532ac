"""What hostile pages do where people read them: the feedback page and nbgrader's formgrader, in a real browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.attacks.scene import Scene

__all__ = ["chromium_path", "look"]

REPOSITORY = Path(__file__).parents[2]
TOKEN = "only-for-this-run"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_SETTLE_MS = 400
# Whether what a reader sees first is still ours: the title is on top where it stands.
_COVERED = """() => { const title = document.querySelector('h1, .navbar-brand, #toolbar, nav');
if (!title) return false; title.scrollIntoView(); const box = title.getBoundingClientRect();
const top = document.elementFromPoint(box.x + Math.min(box.width, 60) / 2, box.y + box.height / 2);
return !(top && (title.contains(top) || top.contains(title))); }"""


def chromium_path() -> str:
    """The system's browser; empty where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


def look(course: Path, scenes: dict[str, Scene], browser: Any = None) -> dict[str, list[str]]:
    """Open every page of these students as a student and as an instructor; what their notebooks did then.

    Args:
        course: The graded class, with its feedback.
        scenes: The scene of each student whose pages are opened.
        browser: A running browser. None: one is started.
    """
    if browser is not None:
        return _look(course, scenes, browser)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path(), args=_FLAGS)
        try:
            return _look(course, scenes, started)
        finally:
            started.close()


def _look(course: Path, scenes: dict[str, Scene], browser: Any) -> dict[str, list[str]]:
    found = {}
    for student, scene in scenes.items():
        page = course / "feedback" / student / "target" / "target.html"
        context = browser.new_context(bypass_csp=True)
        found[student] = [f"in its feedback: {one}" for one in _open(context, page.as_uri(), scene.mark, "file:")]
    with _formgrader(course) as address:
        told = json.loads(_get(f"{address}/formgrader/api/submitted_notebooks/target/target"))
        names = {one["student"]: one["id"] for one in told}
        for student, scene in scenes.items():
            if student not in names:
                found[student].append("in formgrader: it is not there")
                continue
            before = _get(f"{address}/formgrader/api/grades?submission_id={names[student]}")
            context = browser.new_context(extra_http_headers={"Authorization": f"token {TOKEN}"}, bypass_csp=True)
            url = f"{address}/formgrader/submissions/{names[student]}/"
            found[student] += [f"in formgrader: {one}" for one in _open(context, url, scene.mark, address)]
            if _get(f"{address}/formgrader/api/grades?submission_id={names[student]}") != before:
                found[student].append("in formgrader: the gradebook changed")
    return found


def _open(context: Any, url: str, mark: str, ours: str) -> list[str]:
    """Read one page as a person would: wait, press what can be pressed, and see what it did."""
    page = context.new_page()
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.route(lambda address: not address.startswith((ours, "data:", "blob:")), lambda route: route.abort())
    page.goto(url, wait_until="domcontentloaded")
    page.wait_for_timeout(_SETTLE_MS)
    found = [] if page.url.split("#")[0] == url else ["it took the reader elsewhere"]
    covered = page.evaluate(_COVERED)
    # A link to the web may be followed by who wants to; everything else that can be pressed is pressed.
    for selector in (
        "summary",
        "button:not(.btn)",
        "#notebook-container a:not([href^=http])",
        "main a[href^=javascript]",
    ):
        for element in page.query_selector_all(selector)[:10]:
            try:
                element.click(timeout=200, no_wait_after=True)
            except Exception:
                continue  # not to be seen or pressed: nobody can
    page.wait_for_timeout(_SETTLE_MS)
    owned = [frame for frame in page.frames if _owned(frame)]
    page.context.close()
    found += ["its script ran"] if owned else []
    found += ["it asked a question"] if dialogs else []
    found += ["it covers the page"] if covered else []
    fetched = [address for _, address in asked if mark in address]
    found += [f"it fetched {fetched[0][:200]}"] if fetched else []
    found += ["it sent something"] if any(method != "GET" for method, _ in asked) else []
    return found


def _owned(frame: Any) -> bool:
    try:
        return frame.evaluate("window.owned") is not None
    except Exception:
        return False  # gone or of another origin


@contextmanager
def _formgrader(course: Path) -> Iterator[str]:
    """A server with nbgrader's formgrader on a copy of the class; its address."""
    root = course.parent / "served"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    shutil.copytree(course, root / "class", symlinks=True, ignore=shutil.ignore_patterns("submitted"))
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
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
            for _ in range(240):
                try:
                    _get(f"{address}/api/status")
                    break
                except OSError:
                    time.sleep(0.5)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _get(address: str) -> str:
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())
