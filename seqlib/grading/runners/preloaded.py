"""What every worker process has in memory from its start: imported once, by the process that they are forks of."""

import gc

from seqlib.checks.sources import Grader
from seqlib.grading import session
from seqlib.threads import limit_threads

__all__ = ["Grader", "session"]

limit_threads(1)  # a fork of a process that has computed with two threads hangs
gc.freeze()  # else each fork copies all pages for the collector's marks
