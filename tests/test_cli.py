"""The command line starts at once: it loads nothing heavy before a command asks for it."""

import subprocess
import sys

HEAVY = ("torch", "jupytext", "nbformat", "matplotlib", "nbgrader", "sqlalchemy", "IPython")


def test_the_help_loads_nothing_heavy():
    """Putting all commands together imports no library that takes a second."""
    program = "import sys, seqlib.cli; seqlib.cli.app(); print([name for name in sys.argv[1:] if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
