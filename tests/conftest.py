"""What every test shares: one thread, a seeded generator, and a plain word when a system program is absent."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from seqlib.threads import limit_threads

_INSTALL = {
    "chromium": "apt-get install chromium",
    "node": "apt-get install nodejs",
    "bwrap": "apt-get install bubblewrap",
}

_BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]

# Sources of made-up assignments and submissions: data of the tests, and no tests themselves.
collect_ignore_glob = ["*/toy/*", "*/toyclass/*", "*/made_class/*"]

limit_threads(1)


@pytest.fixture
def rng() -> torch.Generator:
    """A generator with a fixed seed."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """Return a system program's path; where it is absent the test is skipped with the command that installs it."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path:
            return path
        reason = f"{program} is not installed; install it with: {_INSTALL.get(program, program)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return find


@pytest.fixture(scope="session")
def chromium(need: Callable[[str], str]) -> Iterator[Any]:
    """The system's browser, once for all tests: playwright can't be started twice in one process."""
    path = os.environ.get("CHROMIUM") or need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_BROWSER_FLAGS)
        yield browser
        browser.close()
