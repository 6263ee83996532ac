"""The runner of the tests: one worker, in this process."""

from collections.abc import Callable, Sequence

from seqlib.errors import GradingError
from seqlib.grading.runners.base import AbstractRunner, Outcome
from seqlib.grading.submitted import Submitted
from seqlib.grading.worker import Worker

__all__ = ["InProcessRunner", "outcome_of"]


class InProcessRunner(AbstractRunner):
    """Grades one submission after the other, here.

    Args:
        make: Makes the worker.
    """

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._worker: Worker | None = None
        self._waiting: list[Submitted] = []

    def start(self) -> None:
        self._worker = self._make()

    def idle(self) -> Sequence[str]:
        return () if self._waiting else ("0",)

    def submit(self, slot: str, submitted: Submitted) -> None:
        self._waiting.append(submitted)

    def wait(self, timeout_s: float | int) -> Sequence[Outcome]:
        if not self._waiting or self._worker is None:
            return ()
        return (outcome_of(self._worker, "0", self._waiting.pop()),)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def outcome_of(worker: Worker, slot: str, submitted: Submitted) -> Outcome:
    """Grade, whatever happens; a fault of our own side must not end the batch."""
    try:
        return Outcome(slot=slot, graded=worker.grade(submitted))
    except Exception as error:
        reason = error.what if isinstance(error, GradingError) else f"{type(error).__name__}: {error}"
        return Outcome(slot=slot, fault=reason)
