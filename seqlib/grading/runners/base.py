"""The interface of a runner: slots that each grade one submission at a time."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from seqlib.grading.graded import Graded
from seqlib.grading.submitted import Submitted

__all__ = ["AbstractRunner", "Outcome"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How work in a slot ended: with verdicts, with a fault of our own side, or with the loss of the worker.

    Attributes:
        slot: Where it ran.
        graded: The verdicts; None where there are none.
        fault: What broke on our side; empty where nothing did.
        lost: Whether the worker is gone, so that nobody knows how far it came.
        killed: Whether somebody else is known to have ended it, so that its job is not to blame.
    """

    slot: str
    graded: Graded | None = None
    fault: str = ""
    lost: bool = False
    killed: bool = False


class AbstractRunner(ABC):
    """Grades submissions in slots; use as a context manager.

    A slot holds one submission, so that a worker that dies takes no innocent one with it.
    """

    def __enter__(self) -> "AbstractRunner":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @abstractmethod
    def start(self) -> None:
        """Start the workers, without waiting for them.

        Raises:
            GradingError: There is nothing that could grade.
        """

    @abstractmethod
    def idle(self) -> Sequence[str]:
        """The slots that have nothing to do."""

    @abstractmethod
    def submit(self, slot: str, submitted: Submitted) -> None:
        """Give an idle slot a submission."""

    @abstractmethod
    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        """What has ended; waits for something to end, but no longer than the time given."""

    @abstractmethod
    def close(self) -> None:
        """End the workers; what they were doing has no outcome."""
