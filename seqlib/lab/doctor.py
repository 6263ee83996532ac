"""What is installed, what each part is for, and the one command that installs what is not."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rich.table import Table

__all__ = ["ISOLATION", "Finding", "examine", "find_browser", "isolation_level", "report"]

ISOLATION = ("none", "process limits", "sandbox")
"""How far a submission can be kept from the machine that grades it, weakest first."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_BROWSER_FILES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
_INSTALLERS = {"Linux": "sudo apt-get install -y", "Darwin": "brew install", "Windows": "winget install"}
_PACKAGES = {
    "browser": {"Linux": "chromium", "Darwin": "--cask chromium", "Windows": "Google.Chrome"},
    "node": {"Linux": "nodejs", "Darwin": "node", "Windows": "OpenJS.NodeJS"},
    "bubblewrap": {"Linux": "bubblewrap"},
}
_PROBE_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the report.

    Args:
        part: What was looked for.
        needed_for: Who needs it, for what.
        found: A version or a place; empty when it is missing.
        install: The command that installs it; empty when there is none for this system.
        required: Nothing works without it.
    """

    part: str
    needed_for: str
    found: str
    install: str = ""
    required: bool = False

    @property
    def missing(self) -> bool:
        """Was it looked for in vain?"""
        return not self.found


def examine() -> list[Finding]:
    """Look for every part that the course, its tests and its grading use."""
    return [
        Finding(part="Python 3.11+", needed_for="everything", found=_python(), required=True),
        *(
            Finding(
                part=name,
                needed_for=needed_for,
                found=_package(name),
                install="python -m pip install -e . -c constraints.txt",
                required=True,
            )
            for name, needed_for in [
                ("torch", "lectures, assignments"),
                ("jupyterlab", "seqlib lab"),
                ("jupytext", "lectures open as notebooks"),
                ("anywidget", "steppers"),
                ("jupyterlab-slideshow", "seqlib lab --present"),
            ]
        ),
        Finding(part="browser", needed_for="tests of pages", found=find_browser(), install=_install("browser")),
        Finding(part="node", needed_for="tests of the steppers' core", found=_node(), install=_install("node")),
        *(_grading() if find_spec("seqlib.grading") else []),
    ]


def report(findings: list[Finding]) -> Table:
    """The findings as a table for the terminal."""
    table = Table(title="What the course finds on this computer", title_justify="left")
    for heading in ("part", "needed for", "found", "install it with"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        found = finding.found or ("[bold red]missing[/]" if finding.required else "[yellow]missing[/]")
        table.add_row(finding.part, finding.needed_for, found, finding.install if finding.missing else "")
    return table


def find_browser() -> str:
    """The path of a Chromium or a relative of it; empty if there is none. The variable CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM", "")
    candidates = [named, *filter(None, map(shutil.which, _BROWSERS)), *_BROWSER_FILES]
    return next((path for path in candidates if path and Path(path).is_file()), "")


def isolation_level() -> str:
    """How far this computer can keep a submission apart, by trying it: one of `ISOLATION`."""
    if shutil.which("bwrap") and _runs(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    ):
        return "sandbox"
    return "process limits" if find_spec("resource") else "none"


def _grading() -> list[Finding]:
    level = isolation_level()
    reason = "" if level == "sandbox" else " (bubblewrap can't make its namespaces here)"
    return [
        Finding(
            part="nbgrader",
            needed_for="seqlib release, seqlib grade",
            found=_package("nbgrader"),
            install="python -m pip install -e '.[grading]' -c constraints.txt",
        ),
        Finding(
            part="bubblewrap",
            needed_for="the grading sandbox",
            found=shutil.which("bwrap") or "",
            install=_install("bubblewrap") or "only on Linux",
        ),
        Finding(
            part="isolation",
            needed_for=f"grading work nobody has read ({', '.join(ISOLATION)})",
            found=level + (reason if shutil.which("bwrap") else ""),
        ),
    ]


def _python() -> str:
    return platform.python_version() if sys.version_info >= (3, 11) else ""


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _node() -> str:
    path = shutil.which("node")
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout.strip() if path else ""


def _install(part: str) -> str:
    system = platform.system()
    package = _PACKAGES[part].get(system)
    return f"{_INSTALLERS[system]} {package}" if package else ""


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
