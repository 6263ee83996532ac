"""The outcome of one check, and its form in JSON."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from seqlib.errors import GradingError

__all__ = ["STATUSES", "Verdict"]

STATUSES = ("passed", "failed", "error", "over_limit", "tampered", "infrastructure", "missing")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one check says.

    Attributes:
        check: Name of the check.
        points: Points that it is worth.
        earned: Points that were earned.
        status: One of `STATUSES`; only `passed` earns points.
        message: What the student reads.
        mistake: Name of the mistake that explains the failure, or None.
        seed_digest: Digest of the seeds of its cases.
        seconds: Wall time of the run.
        rows: Label and text pairs that say where the values part; empty on secret cases.
        smoke: Only the short form of a slow check ran.
        digest: What the check was made of when it ran; empty where nobody asks.

    >>> v = Verdict(check="step", points=4, earned=4, status="passed", message="")
    >>> Verdict.from_json(v.to_json()) == v
    True
    """

    check: str
    points: float | int
    earned: float | int
    status: str
    message: str
    mistake: str | None = None
    seed_digest: str = ""
    seconds: float | int = 0.0
    rows: tuple[tuple[str, str], ...] = ()
    smoke: bool = False
    digest: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise GradingError(f"a verdict has the unknown status {self.status!r}.", f"use one of {STATUSES}.")
        allowed = self.points if self.status == "passed" else 0
        if not (math.isfinite(self.points) and 0 <= self.earned <= allowed):
            what = f"the verdict on {self.check} earns {self.earned} of {self.points} points as {self.status}."
            raise GradingError(what, "only a passed check earns points, and no more than its own.")

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """Read what `to_json` wrote.

        Raises:
            GradingError: The text is no verdict.
        """
        try:
            data: Any = json.loads(text)
            if type(data) is dict:
                data.setdefault("digest", "")  # what was written before it was kept
            if type(data) is not dict or set(data) != {f.name for f in fields(cls)}:
                raise ValueError("other names than a verdict's")
            _require_types(data)
            data["rows"] = tuple((label, value) for label, value in data["rows"])
        except (ValueError, TypeError, RecursionError) as error:
            raise GradingError(f"this is no verdict: {error}.", "read it from the store again.") from error
        return cls(**data)


def _require_types(data: dict[str, Any]) -> None:
    for name in ("check", "status", "message", "seed_digest", "digest"):
        if type(data[name]) is not str:
            raise TypeError(f"{name} is no text")
    for name in ("points", "earned", "seconds"):
        if type(data[name]) not in (int, float):
            raise TypeError(f"{name} is no number")
    if data["mistake"] is not None and type(data["mistake"]) is not str:
        raise TypeError("mistake is no text")
    if type(data["smoke"]) is not bool:
        raise TypeError("smoke is no truth value")
    for row in data["rows"]:
        if len(row) != 2 or not all(type(cell) is str for cell in row):
            raise TypeError("a row is no pair of texts")
