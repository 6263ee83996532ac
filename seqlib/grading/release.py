"""Make `assignments/NAME/` from `solutions/NAME/`: the same bytes each time, all of them or none."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqlib.catalogue import CASES, CHECKS, RELEASE
from seqlib.errors import GradingError, ReleaseError
from seqlib.grading.leaks import refuse_leaks, secret_lines
from seqlib.grading.skeleton import build_notebook
from seqlib.grading.source import Source, find_source
from seqlib.grading.staging import swap_in
from seqlib.grading.strip import public_checks

__all__ = ["TOTAL_POINTS", "Released", "place_in_course", "release"]

TOTAL_POINTS = 100


@dataclass(frozen=True)
class Released:
    """What a release wrote: its folder, its digest, and the points of each check."""

    folder: Path
    digest: str
    points: dict[str, int | float]


def release(name: str, root: Path, *, report: Callable[[str], None] = lambda step: None) -> Released:
    """Build one assignment and put it in the place of the old one.

    Args:
        name: The assignment.
        root: The instructors' repository.
        report: Is told each step, for a progress line.

    Raises:
        ReleaseError: The source is not fit to be handed out; the old release is untouched then.
    """
    source = find_source(name, root)
    report("reading the checks")
    suite = _load(source)
    points = _points(suite, source)
    report("building the notebook")
    files = {f"{name}.ipynb": _notebook_bytes(build_notebook(source, points))}
    files[CHECKS] = public_checks(source.checks, source.answers).encode()
    report("recording the expected values")
    files[CASES] = _cases(suite, files)
    report("trying the public checks on the reference")
    _prove(suite, files, source)
    report("searching for leaks")
    refuse_leaks(files.items(), secret_lines(source))
    table = _table(source, points, files)
    files[RELEASE] = (json.dumps(table, indent=1, sort_keys=True) + "\n").encode()
    report("writing")
    swap_in(files, source.released)
    return Released(source.released, table["digest"], points)


def place_in_course(name: str, root: Path, course: Path) -> None:
    """Put the instructors' notebook and the released one where nbgrader looks for them in a class folder."""
    source = find_source(name, root)
    answers = build_notebook(source, _points(_load(source), source), answers=True)
    swap_in({f"{name}.ipynb": _notebook_bytes(answers)}, course / "source" / name)
    released = {path.name: path.read_bytes() for path in sorted(source.released.iterdir()) if path.is_file()}
    swap_in(released, course / "release" / name)


def _load(source: Source) -> Any:
    from seqlib.checks.registry import load_suite

    try:
        return load_suite(source.checks, source.name)
    except GradingError as error:
        raise ReleaseError(error.what, error.hint) from error


def _points(suite: Any, source: Source) -> dict[str, int | float]:
    points = {check.name: check.points for check in suite.checks.values()}
    total = sum(points.values())
    if total != TOTAL_POINTS:
        listed = ", ".join(f"{name} {value:g}" for name, value in points.items())
        raise ReleaseError(
            f"the points in {source.checks} add up to {total:g}, not {TOTAL_POINTS}.", f"they are: {listed}."
        )
    return points


def _notebook_bytes(notebook: Any) -> bytes:
    import nbformat

    nbformat.validate(notebook)
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _cases(suite: Any, files: dict[str, bytes]) -> bytes:
    from seqlib.checks.recorded import record_cases

    try:
        return record_cases(suite).to_bytes(
            {name: _digest(data) for name, data in files.items() if name.endswith(".py")}
        )
    except GradingError as error:
        raise ReleaseError(error.what, error.hint) from error


def _prove(suite: Any, files: dict[str, bytes], source: Source) -> None:
    """See that the stripped checks, with recorded values only, pass the reference."""
    from seqlib.checks.recorded import Recorded, RecordedCases
    from seqlib.checks.registry import load_suite
    from seqlib.checks.runner import run_suite
    from seqlib.checks.sources import reference_student

    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        public = load_suite(Path(folder) / CHECKS, source.name)
        recorded = Recorded(public, RecordedCases.load(Path(folder) / CASES))
        for verdict in run_suite(reference_student(suite), recorded):
            if verdict.status != "passed":
                raise ReleaseError(
                    f"stripped of its answers, the check {verdict.check!r} fails the reference: {verdict.message}",
                    "an expected value comes from a lambda in case.close; see what else the check computes from one.",
                )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _table(source: Source, points: dict[str, int | float], files: dict[str, bytes]) -> dict[str, Any]:
    digests = {name: _digest(data) for name, data in files.items()}
    return {
        "assignment": source.name,
        "title": source.title,
        "minutes": source.minutes,
        "answers": list(source.answers),
        "checks": points,
        "source": source.digest,
        "files": digests,
        "digest": hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest(),
    }
