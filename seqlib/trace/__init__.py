"""Recording: one mechanism behind every figure, stepper and comparison.

`tap` names a value where it is made; `recording` keeps what is tapped while it is open; `watch` taps the outputs of
any `torch.nn` module through hooks; `record_calls` taps a function without taps at its call boundaries; `compare`
finds the first frame and index where two recordings part.
"""

from seqlib.trace.adapters import record_calls, watch
from seqlib.trace.compare import Difference, compare
from seqlib.trace.recording import Frame, Recording
from seqlib.trace.tap import is_recording, recording, tap

__all__ = ["Difference", "Frame", "Recording", "compare", "is_recording", "record_calls", "recording", "tap", "watch"]
