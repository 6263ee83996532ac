"""Run every benchmark of this folder, or those named: python -m benchmarks models stepper."""

import runpy
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))

chosen = sys.argv[1:] or NAMES
unknown = [name for name in chosen if name not in NAMES]
if unknown:
    sys.exit(f"no benchmark is called {unknown[0]}.\nHint: choose from {', '.join(NAMES)}.")
for name in chosen:
    print(f"== {name}", flush=True)
    sys.argv = [name]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
