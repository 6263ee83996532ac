"""The headlines of the field in miniature: each an experiment with a number to reach, and its committed result."""

from seqlib.claims.claim import Claim
from seqlib.claims.results import Result, SeedResult, result

__all__ = ["Claim", "Result", "SeedResult", "result"]
