"""The results file: what was measured, seed by seed; lectures and the site read it, and no experiment runs for them."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from seqlib.claims.claim import Claim, Measured
from seqlib.errors import ClaimError
from seqlib.files import write_whole

__all__ = ["RESULTS", "Result", "SeedResult", "load", "record", "result"]

RESULTS = Path(__file__).with_name("results.json")
_DIGITS = 6
_WRITTEN_OUT = 1e6


@dataclass(frozen=True)
class SeedResult:
    """What one seed measured, and in how many seconds of CPU time."""

    measured: dict[str, float]
    held: bool
    seconds: float


@dataclass(frozen=True)
class Result:
    """A claim's result: its words, the digest of what was run, and each seed."""

    name: str
    source: str
    statement: str
    criterion: str
    digest: str
    seeds: dict[int, SeedResult]

    @property
    def held(self) -> bool:
        """Whether every seed that was run satisfied the criterion."""
        return bool(self.seeds) and all(seed.held for seed in self.seeds.values())

    @property
    def seconds(self) -> float:
        """CPU time of all seeds together."""
        return sum(seed.seconds for seed in self.seeds.values())

    def values(self, key: str) -> list[float]:
        """Give one measured number, a value for each seed."""
        return [float(seed.measured[key]) for seed in self.seeds.values()]

    def ranges(self) -> str:
        """Say each measured number with its range over the seeds.

        >>> one, two = SeedResult({"mse": 0.25}, True, 1.0), SeedResult({"mse": 0.5}, True, 1.0)
        >>> Result("name", "source", "statement", "criterion", "digest", {0: one, 1: two}).ranges()
        'mse 0.25 to 0.5'
        """
        keys = next(iter(self.seeds.values())).measured if self.seeds else ()
        return ", ".join(f"{key.replace('_', ' ')} {_span(self.values(key))}" for key in keys)

    def __str__(self) -> str:
        verdict = "held" if self.held else "not held"
        return f"{self.statement} {verdict.capitalize()} over {len(self.seeds)} seeds: {self.ranges()}."


def result(name: str, path: Path = RESULTS) -> Result:
    """Read one claim's committed result.

    Raises:
        ClaimError: The claim was never run.
    """
    results = load(path)
    if name not in results:
        raise ClaimError(f"no result is stored for a claim called {name}.", "see them with: seqlib claims --list.")
    return results[name]


def load(path: Path = RESULTS) -> dict[str, Result]:
    """Read all stored results; none where the file is not there yet."""
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {name: _result(name, fields) for name, fields in stored.items()}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ClaimError(
            f"{path} is damaged: {type(error).__name__}: {error}.", "restore it, or delete it and run: seqlib claims."
        ) from error


def record(path: Path, claim: Claim, digest: str, seed: int, measured: Measured, seconds: float) -> Result:
    """Add one seed to the file at once, so that an interrupted run keeps it.

    Seeds of another digest are dropped: they measured something else.

    Raises:
        ClaimError: The file can't be written.
    """
    results = load(path)
    old = results.get(claim.name)
    seeds = dict(old.seeds) if old is not None and old.digest == digest else {}
    numbers = rounded(claim, measured)
    seeds[seed] = SeedResult(numbers, claim.holds(numbers), round(seconds, 2))
    new = Result(
        claim.name, claim.source, claim.statement, claim.criterion, digest, {s: seeds[s] for s in sorted(seeds)}
    )
    results[claim.name] = new
    text = {name: {k: v for k, v in asdict(one).items() if k != "name"} for name, one in sorted(results.items())}
    write_whole(path, json.dumps(text, indent=2, ensure_ascii=False, allow_nan=False) + "\n", error=ClaimError)
    return new


def rounded(claim: Claim, measured: Measured) -> dict[str, float]:
    """Keep as many digits as anyone reads; the criterion is judged on these."""
    for key, value in measured.items():
        if not math.isfinite(value):
            raise ClaimError(f"claim {claim.name} measured {key} = {value}.", "measure a number that is finite.")
    return {key: float(f"{value:.{_DIGITS}g}") for key, value in measured.items()}


def _result(name: str, fields: Mapping) -> Result:
    seeds = {int(seed): SeedResult(**values) for seed, values in fields["seeds"].items()}
    return Result(**{**fields, "name": name, "seeds": seeds})


def _span(values: list[float]) -> str:
    low, high = _short(min(values)), _short(max(values))
    return low if low == high else f"{low} to {high}"


def _short(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _WRITTEN_OUT else f"{value:.3g}"
