"""Every error that seqlib raises on purpose: what happened, and what to do next.

SeqlibError
├── ShapeError         tensors whose sizes do not fit together
├── MaskError          a mask that leaves nothing to look at
├── ModelError         a model asked for what it is not
├── TraceError         a recording that can't be made, read or compared
├── DataError          data that is absent or not in its format
├── TrainError         training that can't start, go on or resume
├── ClaimError         a claim that is unknown, stale or not held
├── WidgetError        a stepper given something it can't draw
├── ExportError        a lecture that can't become a page
├── LabError           a course that can't be opened
├── ReleaseError       an assignment that must not be handed out as it is
├── SubmissionError    a submission that can't be packed or read
├── GradingError       a class that can't be graded
├── StoreError         a store of grades that fails or can't be reached
├── StaleClaimError    a job that somebody else holds by now, or that is graded
├── DeadlineError    a due time or a late policy that can't be read
├── WireError          a message between host and student process that breaks the protocol
└── WriteError         a file that can't be written
"""

__all__ = [
    "ClaimError",
    "DataError",
    "DeadlineError",
    "ExportError",
    "GradingError",
    "LabError",
    "MaskError",
    "ModelError",
    "ReleaseError",
    "SeqlibError",
    "ShapeError",
    "StaleClaimError",
    "StoreError",
    "SubmissionError",
    "TraceError",
    "TrainError",
    "WidgetError",
    "WireError",
    "WriteError",
]


class SeqlibError(Exception):
    """The root: catch it to catch everything that seqlib raises on purpose.

    Args:
        what: One sentence with the offending value and its place.
        hint: The next action.

    >>> print(SeqlibError("no lecture is called 99.", "list them with: seqlib lab --list."))
    no lecture is called 99.
    Hint: list them with: seqlib lab --list.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)  # both in args, so that pickling keeps both
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\nHint: {self.hint}"


class ShapeError(SeqlibError, ValueError):
    """Tensors whose sizes do not fit together."""


class MaskError(SeqlibError, ValueError):
    """A mask that leaves nothing to look at."""


class ModelError(SeqlibError, ValueError):
    """A model asked for what it is not."""


class TraceError(SeqlibError, ValueError):
    """A recording that can't be made, read or compared."""


class DataError(SeqlibError, ValueError):
    """Data that is absent or not in its format."""


class TrainError(SeqlibError, RuntimeError):
    """Training that can't start, go on or resume."""


class ClaimError(SeqlibError, RuntimeError):
    """A claim that is unknown, stale or not held."""


class WidgetError(SeqlibError, ValueError):
    """A stepper given something it can't draw."""


class ExportError(SeqlibError, RuntimeError):
    """A lecture that can't become a page."""


class LabError(SeqlibError, RuntimeError):
    """A course that can't be opened."""


class ReleaseError(SeqlibError, RuntimeError):
    """An assignment that must not be handed out as it is."""


class SubmissionError(SeqlibError, ValueError):
    """A submission that can't be packed or read."""


class GradingError(SeqlibError, RuntimeError):
    """A class that can't be graded."""


class DeadlineError(SeqlibError, ValueError):
    """A due time or a late policy that can't be read."""


class StaleClaimError(GradingError):
    """A job that somebody else holds by now, or that is graded."""


class StoreError(GradingError):
    """A store of grades that fails or can't be reached."""


class WireError(SeqlibError, ValueError):
    """A message between host and student process that breaks the protocol."""


class WriteError(SeqlibError, RuntimeError):
    """A file that can't be written."""
