"""Recorded cases: expected values and known mistakes' outputs in one safetensors file, made once at release."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from seqlib.checks.case import Case
from seqlib.checks.codec import decode, encode
from seqlib.checks.faults import CheckFailed
from seqlib.checks.keys import public_seed
from seqlib.checks.messages import tell
from seqlib.checks.proxy import StudentFault
from seqlib.checks.registry import Check, Suite
from seqlib.checks.sources import AbstractSource, Author, MistakeRun, reference_student
from seqlib.checks.values import Value
from seqlib.errors import GradingError, WireError

__all__ = ["Recorded", "RecordedCases", "digest_of", "record_cases"]

FORMAT = "seqlib cases 1"


@dataclass
class RecordedCases:
    """Values by key, such as `rnn_step/0/1/expected` or `rnn_step/0/1/mistake/no_bias`.

    Attributes:
        tensors: All tensors; a value that is one tensor lies under its own key, parts of others under `key/part`.
        forms: How a value that is not one tensor is put together, by key.
        runs: For each `check/case/mistake/name`, whether each point held and what was raised.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    forms: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, key: str, value: Value) -> None:
        """Keep a normalised value."""
        if isinstance(value, Tensor):
            self.tensors[key] = value
            return
        self.forms[key], parts = encode(value)
        self.tensors.update({f"{key}/{number}": part for number, part in enumerate(parts)})

    def get(self, key: str) -> Value:
        """A kept value.

        Raises:
            GradingError: Nothing is kept under this key.
        """
        if key in self.tensors:
            return self.tensors[key].clone()
        if key not in self.forms:
            raise GradingError(f"there is no recorded value {key}.", "get the assignment's folder again, whole.")
        parts: list[Tensor] = []
        while f"{key}/{len(parts)}" in self.tensors:
            parts.append(self.tensors[f"{key}/{len(parts)}"].clone())
        try:
            return decode(self.forms[key], parts)
        except WireError as error:
            raise GradingError(f"the recorded value {key} is damaged.", "get the assignment's folder again.") from error

    def to_bytes(self, digests: Mapping[str, str] | None = None) -> bytes:
        """The file's bytes, equal for equal contents.

        Args:
            digests: Digests of files that belong to these cases, kept in the header.
        """
        # One key only: safetensors writes several in no fixed order.
        # Sorted by hand: sorting every dict would part the names of a recorded dict from the order of its tensors.
        forms, runs = dict(sorted(self.forms.items())), dict(sorted(self.runs.items()))
        about = {"format": FORMAT, "forms": forms, "runs": runs, "digests": dict(sorted((digests or {}).items()))}
        ordered = {key: self.tensors[key] for key in sorted(self.tensors)}
        return save(ordered, {"seqlib": json.dumps(about)})

    @classmethod
    def load(cls, path: Path | str) -> "RecordedCases":
        """Read a file of cases.

        Raises:
            GradingError: The file is missing or not one of ours.
        """
        path = Path(path)
        try:
            raw = path.read_bytes()
            size = int.from_bytes(raw[:8], "little")
            about = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["seqlib"])
            if about["format"] != FORMAT:
                raise ValueError(about["format"])
            return cls(load(raw), about["forms"], about["runs"])
        except FileNotFoundError as error:
            raise GradingError(f"there is no file {path}.", "get the assignment's folder again, whole.") from error
        except (ValueError, KeyError, TypeError, SafetensorError) as error:
            hint = "get the assignment's folder again, whole."
            raise GradingError(f"{path} is no file of recorded cases.", hint) from error


class Recorded(AbstractSource):
    """Public cases whose expected values were recorded at release: what the student's notebook uses.

    Args:
        suite: The suite of `checks_public.py`.
        cases: What was recorded.
        full: Whether slow checks run in full; by default they only show that they run.
        on_steps: Is told how many steps of training are to come.
    """

    def __init__(
        self,
        suite: Suite,
        cases: RecordedCases,
        *,
        full: bool = False,
        on_steps: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(suite, full=full)
        self.cases = cases
        self._on_steps = on_steps

    def seed(self, check: Check, index: int) -> bytes:
        return public_seed(self.suite.name, check.name, index)

    def case(self, check: Check, index: int) -> Case:
        place, smoke = _place(check, index, self.smoke(check)), self.smoke(check)

        def answer(number: int, thunk: Callable[[], Any] | None) -> Value:
            return self.cases.get(f"{place}/{number}/expected")

        seed, makers = self.seed(check, index), self.suite.inputs
        return Case(seed, answer, makers, index=index, smoke=smoke, on_steps=self._on_steps)

    def mistake_runs(self, check: Check, index: int) -> dict[str, MistakeRun]:
        place = _place(check, index, self.smoke(check))
        return {
            m.name: self._run(place, m.name) for m in check.mistakes if f"{place}/mistake/{m.name}" in self.cases.runs
        }

    def expected(self, check: Check, index: int = 0, number: int = 0) -> Value:
        """The recorded right value of one comparison."""
        return self.cases.get(f"{_place(check, index, self.smoke(check))}/{number}/expected")

    def _run(self, place: str, name: str) -> MistakeRun:
        run = self.cases.runs[f"{place}/mistake/{name}"]
        values = [self.cases.get(f"{place}/{number}/mistake/{name}") for number in range(len(run["held"]))]
        return MistakeRun(values, run["held"], run["raised"])


def record_cases(suite: Suite) -> RecordedCases:
    """Run every check against the reference and every mistake, and keep what comes.

    Raises:
        GradingError: The reference fails a check, or a mistake is right in every case and could never be named.
    """
    cases = RecordedCases()
    for full in (True, False):
        source = Author(suite, full=full)
        for check in suite.checks.values():
            if full or check.slow:
                _record_check(check, source, cases)
    return cases


def _record_check(check: Check, source: Author, cases: RecordedCases) -> None:
    differs = dict.fromkeys((mistake.name for mistake in check.mistakes), False)
    for index in range(check.cases):
        place = _place(check, index, source.smoke(check))
        case = source.case(check, index)
        try:
            check(reference_student(source.suite), case)
        except Exception as error:  # also a body that does not run
            what = f"the reference fails the check {check.name} in case {index}: {_sentence(error)}"
            raise GradingError(what, "mend the check or the REFERENCE of its checks.py.") from error
        for number, point in enumerate(case.points):
            cases.put(f"{place}/{number}/expected", point.expected)
        for name, run in source.mistake_runs(check, index).items():
            cases.runs[f"{place}/mistake/{name}"] = {"held": list(run.held), "raised": run.raised}
            for number, value in enumerate(run.values):
                cases.put(f"{place}/{number}/mistake/{name}", value)
            pairs = zip(case.points, run.values, run.held, strict=False)
            differs[name] |= any(not held or (p.expected is not None and not p.is_right(v)) for p, v, held in pairs)
    silent = [name for name, seen in differs.items() if not seen and not source.smoke(check)]
    if silent:
        what = f"the check {check.name} cannot see the mistake {silent[0]}: its values are right in every case."
        raise GradingError(what, "compare a quantity that it changes, or take it off the list.")


def _place(check: Check, index: int, smoke: bool) -> str:
    return f"{check.name}{'~smoke' if smoke else ''}/{index}"


def _sentence(error: Exception) -> str:
    if isinstance(error, StudentFault | CheckFailed):
        return tell(error, None, secret=False)[1]
    return f"{type(error).__name__}: {error}"


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
