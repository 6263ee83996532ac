"""Make the peers' environments: python -m benchmarks.peers.environments [--place .peers].

Each peer gets its own virtual environment, as their requirements would not fit beside ours.
"""

import argparse
import subprocess
import sys
from pathlib import Path

__all__ = ["PEERS", "make_environment", "python_of"]

PEERS = ("nbgrader", "otter")
HERE = Path(__file__).parent
PLACE = HERE.parents[1] / ".peers"


def python_of(peer: str, place: Path = PLACE) -> Path:
    """The interpreter of a peer's environment, which may not be made yet."""
    return place / peer / "bin" / "python"


def make_environment(peer: str, place: Path = PLACE) -> Path:
    """Make a peer's environment, or bring the one that is there up to its requirements."""
    python = python_of(peer, place)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place / peer)], check=True)
    requirements = HERE / f"requirements-{peer}.txt"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)], check=True)
    return python


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.environments", description=__doc__)
    parser.add_argument("--place", type=Path, default=PLACE)
    folder = parser.parse_args().place
    for name in PEERS:
        print(f"{name}: {make_environment(name, folder)}", flush=True)
