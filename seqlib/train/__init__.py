"""One training loop, its settings, curves and checkpoints, and recipes as functions."""

from seqlib.train.checkpoint import load_weights
from seqlib.train.fit import fit
from seqlib.train.history import History
from seqlib.train.seeds import seeded, stream
from seqlib.train.settings import Settings

__all__ = ["History", "Settings", "fit", "load_weights", "seeded", "stream"]
