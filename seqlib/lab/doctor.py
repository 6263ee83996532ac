"""What is installed, what each part is for, and the one command that installs what is not."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table

__all__ = ["Finding", "examine", "find_browser", "report"]

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
}


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
    """Look for every part that the course and its tests use."""
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
