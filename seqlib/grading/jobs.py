"""A job: everything that a verdict depends on, so that equal jobs are graded once."""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from seqlib.errors import GradingError

__all__ = ["DEVICES", "Facts", "Job"]

DEVICES = ("cpu", "cuda")
_LONGEST_NAME = 255
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what no database takes: a null, or half a character
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One submission to be graded under given checks, in a given environment.

    Attributes:
        assignment: Its name.
        student: Whose work it is.
        submission: SHA-256 of the notebook that was handed in.
        checks: Digest of the checks, the release and the key.
        environment: Digest of the versions that a verdict may depend on; empty where it was not recorded.
        limits: Name and size of every limit that it runs under, in the order of the names.
        device: `cpu` or `cuda`.

    >>> job = Job(assignment="a1", student="ada", submission="5" * 64, checks="c" * 64, limits=(("cell_s", 30),))
    >>> Job.from_json(job.to_json()) == job, len(job.digest)
    (True, 64)
    """

    assignment: str
    student: str
    submission: str
    checks: str
    environment: str = ""
    limits: tuple[tuple[str, int | float], ...] = ()
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("assignment", "student"):
            value = getattr(self, name)
            if not 0 < len(value) <= _LONGEST_NAME or _NO_TEXT.search(value):
                raise _refusal(f"its {name} is {value[:40]!r}", f"name it in 1 to {_LONGEST_NAME} characters of text.")
        for name in ("submission", "checks", "environment"):
            value = getattr(self, name)
            if not _DIGEST.fullmatch(value) and (value or name != "environment"):
                raise _refusal(f"its {name} is {value[:70]!r}", "give a SHA-256 in 64 small hexadecimal digits.")
        if self.device not in DEVICES:
            raise _refusal(f"its device is {self.device!r}", f"use one of {DEVICES}.")
        if not all(math.isfinite(size) and size >= 0 for _, size in self.limits):
            raise _refusal(f"a limit of {self.limits} is no size", "give finite numbers of 0 and more.")
        if len({name for name, _ in self.limits}) < len(self.limits):
            raise _refusal(f"a limit stands twice in {self.limits}", "name each limit once.")
        # 30 and 30.0 are one limit, so they have one form.
        limits = ((name, int(size) if size == int(size) else size) for name, size in self.limits)
        object.__setattr__(self, "limits", tuple(sorted(limits)))

    def to_json(self) -> str:
        """The canonical form: one line, sorted names, ASCII; equal jobs give equal bytes."""
        data = asdict(self) | {"limits": dict(self.limits)}
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form: the name under which the store knows this job."""
        return hashlib.sha256(self.to_json().encode("ascii")).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read what `to_json` wrote.

        Raises:
            GradingError: The text is no job.
        """
        return cls(**_read(cls, text, "job"))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a finished run took; none of it decides a verdict.

    Attributes:
        seconds: Wall time.
        device: What it ran on, such as `cpu` or `cuda:0`.
        cpu_s: Processor time, where it is known.
        peak_bytes: The most memory that it held, where it is known.

    >>> Facts.from_json(Facts(seconds=0.5, device="cpu").to_json())
    Facts(seconds=0.5, device='cpu', cpu_s=None, peak_bytes=None)
    """

    seconds: float | int = 0.0
    device: str = ""
    cpu_s: float | int | None = None
    peak_bytes: int | None = None

    def to_json(self) -> str:
        """One line of JSON with sorted names."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Facts":
        """Read what `to_json` wrote.

        Raises:
            GradingError: The text holds no facts.
        """
        return cls(**_read(cls, text, "run"))


def _read(kind: Any, text: str, what: str) -> dict[str, Any]:
    """The fields of a dataclass of ours, each of its own type exactly."""
    try:
        data = json.loads(text)
        names = {f.name for f in fields(kind)}
        if type(data) is not dict or data.keys() != names:
            raise ValueError(f"its names are not {', '.join(sorted(names))}")
        for name, value in data.items():
            allowed = _TYPES.get(name, (str,))
            if type(value) not in allowed:
                raise ValueError(f"{name} is of type {type(value).__name__}")
        if "limits" in data:
            data["limits"] = _limits(data["limits"])
    except (ValueError, RecursionError) as error:
        raise _refusal(str(error), "read it from the store again.", what) from error
    return data


_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "limits": (dict,),
    "seconds": _NUMBER,
    "cpu_s": (*_NUMBER, type(None)),
    "peak_bytes": (int, type(None)),
}


def _limits(found: dict[str, Any]) -> tuple[tuple[str, int | float], ...]:
    for name, size in found.items():
        if type(size) not in _NUMBER:
            raise ValueError(f"the limit {name} is of type {type(size).__name__}")
    return tuple(found.items())


def _refusal(reason: str, hint: str, what: str = "job") -> GradingError:
    return GradingError(f"this is no {what}: {reason}.", hint)
