"""The attacks' own assignment holds data and no tests; the modules here import one another by their full names."""

import sys
from pathlib import Path

collect_ignore_glob = ["target/*"]

_ROOT = str(Path(__file__).parents[2])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)
