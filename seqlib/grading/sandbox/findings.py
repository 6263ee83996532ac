"""What the doctor says about grading: the packages, and how far this machine can keep a submission."""

import shutil
from importlib.metadata import PackageNotFoundError, version

from seqlib.grading.sandbox.bubblewrap import INSTALL
from seqlib.grading.sandbox.levels import LEVELS, find_isolation
from seqlib.lab.doctor import Finding

__all__ = ["findings"]

_PIP = "python -m pip install -e '.[grading]' -c constraints.txt"


def findings() -> list[Finding]:
    """Look for every part that grading uses, and try the sandbox."""
    found = find_isolation()
    return [
        Finding(part="nbgrader", needed_for="seqlib release, seqlib grade", found=_version("nbgrader"), install=_PIP),
        Finding(part="pyseccomp", needed_for="the system-call filter", found=_version("pyseccomp"), install=_PIP),
        Finding(
            part="bubblewrap",
            needed_for="the grading sandbox",
            found=shutil.which("bwrap") or "",
            install=INSTALL,
        ),
        Finding(
            part="isolation",
            needed_for=f"grading work nobody has read ({' < '.join(LEVELS)})",
            found="; ".join([found.level, *found.proven]),
        ),
        *(
            Finding(part="isolation", needed_for=f"a better level: {lack.what}", found="", install=lack.hint)
            for lack in found.lacks
        ),
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
