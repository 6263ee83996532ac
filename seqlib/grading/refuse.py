"""What stands in the place of nbgrader's own autograder."""

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from seqlib.errors import GradingError

__all__ = ["RefuseAutograde"]


class RefuseAutograde(NbGraderPreprocessor):
    """Refuses before anything runs: a score that the student's own process gives is no score."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Say what to run instead."""
        raise GradingError(
            "nbgrader's autograder is switched off: it would run the checks in the student's own process.",
            "run: seqlib grade ASSIGNMENT --course CLASS",
        )
