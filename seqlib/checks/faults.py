"""The two ways in which a check ends early: the student's side did not answer, or its answer is wrong."""

from typing import TYPE_CHECKING

from seqlib.errors import GradingError

if TYPE_CHECKING:
    from seqlib.checks.compare import Mismatch

__all__ = ["KINDS", "CheckFailed", "StudentFault"]

KINDS = ("exception", "gone", "missing", "over_limit", "protocol", "wrong_type")


class StudentFault(GradingError):  # noqa: N818  the fault is the student's, not an error of ours
    """The student's side gave no usable answer.

    Args:
        kind: One of `KINDS`.
        message: What happened, in a sentence for the student.
        error: Name of the exception's type, where one was raised.
        function: The student's function that it was raised in.
        line: Line in that function, counted from its `def` as 1; 0 where unknown.
        source: Text of that line.

    >>> StudentFault("missing", "rnn_step is not defined.").kind
    'missing'
    """

    def __init__(
        self, kind: str, message: str, error: str = "", function: str = "", line: int = 0, source: str = ""
    ) -> None:
        super().__init__(message, "run the cell that defines the function, then check again.")
        self.kind = kind
        self.error = error
        self.function = function
        self.line = line
        self.source = source

    def __reduce__(self) -> tuple[type["StudentFault"], tuple[str, str, str, str, int, str]]:
        return type(self), (self.kind, self.what, self.error, self.function, self.line, self.source)


class CheckFailed(Exception):  # noqa: N818  it is a verdict on its way up, and never an error of ours
    """An answer came and it is wrong.

    Args:
        message: The author's sentence for a property that does not hold; empty for a comparison.
        what: The quantity that was compared.
        mismatch: Where the two values part; None for a property.
    """

    def __init__(self, message: str, what: str = "", mismatch: "Mismatch | None" = None) -> None:
        super().__init__(message)
        self.message = message
        self.what = what
        self.mismatch = mismatch
