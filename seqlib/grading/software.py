"""The software that a verdict may depend on, as one digest."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

from seqlib.grading.sandbox.image import students_library

__all__ = ["environment_digest"]

# No notebook imports these, so a change in them grades nothing again.
_APART = tuple(f"seqlib/{part}" for part in ("claims/", "cli.py", "course/", "export/", "lab/"))
_VERSIONS = ("torch", "numpy", "ipython", "ipykernel")


def environment_digest(root: Path, *, isolated: bool) -> str:
    """Changes with whatever of this machine's software a verdict may depend on, and with whether it can be forged."""
    files = students_library(root).items()
    library = {name: hashlib.sha256(data).hexdigest() for name, data in files if not name.startswith(_APART)}
    told = [isolated, platform.python_version(), {name: version(name) for name in _VERSIONS}, library]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
