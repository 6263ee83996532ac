"""Memory and process limits that are enforced from outside the process they bind."""

from seqlib.grading.limits.base import AbstractGroup, AbstractLimits, ProcessLimits
from seqlib.grading.limits.probe import Proof, open_limits, probe

__all__ = ["AbstractGroup", "AbstractLimits", "ProcessLimits", "Proof", "open_limits", "probe"]
