"""Installs the kernel "Python 3 (sandboxed)": python -m seqlib.grading.sandbox.kernelspec."""

import json
import sys
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

__all__ = ["NAME", "SPEC", "install"]

NAME = "python3-sandboxed"
SPEC = {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (sandboxed)",
    "language": "python",
    "metadata": {"kernel_provisioner": {"provisioner_name": "seqlib-sandbox"}},
}


def install(prefix: str = sys.prefix) -> str:
    """Install it for everybody who uses the Python environment at `prefix`; returns its folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(SPEC, indent=1), "utf-8")
        return str(KernelSpecManager().install_kernel_spec(folder, NAME, prefix=prefix))


if __name__ == "__main__":
    print(f"The kernel {SPEC['display_name']!r} is installed in {install()}")
