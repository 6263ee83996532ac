"""What a `checks.py` is made of: checks, known mistakes and input makers, and loading them as a suite."""

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from seqlib.errors import GradingError

if TYPE_CHECKING:
    from seqlib.checks.case import Case
    from seqlib.checks.proxy import Student

__all__ = ["Check", "Inputs", "Mistake", "Suite", "check", "inputs", "load_suite", "mistake", "named", "suite_of"]


@dataclass(frozen=True)
class Mistake:
    """A known mistake: the sentence that names it, and a function that gives what the mistaken code would.

    Attributes:
        name: The function's name, unique in its suite.
        sentence: What a student reads.
        replaces: The student's function (or class) that it stands for.
        function: The mistaken code; None in the students' edition.
    """

    name: str
    sentence: str
    replaces: str
    function: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is None:
            raise GradingError(
                f"the mistake {self.name} is only named here.", "its code is in the instructors' checks."
            )
        return self.function(*args, **kwargs)


@dataclass(frozen=True)
class Check:
    """One check and its points.

    Attributes:
        name: Name of the body function and of the cell.
        body: Called with the student and a case.
        points: Points that the check is worth, all or none.
        mistakes: Mistakes that it can name.
        cases: How many cases it runs.
        slow: It trains: a smoke test runs locally unless the full run is asked for.
        uses: Names that the student must define.
        limit_s: Time that one run of all cases may take on the host.
        progress: The student's function of which each call is a step of training, for the bar in a notebook.
    """

    name: str
    body: Callable[["Student", "Case"], None]
    points: float | int
    mistakes: tuple[Mistake, ...] = ()
    cases: int = 3
    slow: bool = False
    uses: tuple[str, ...] = ()
    limit_s: float | int = 20.0
    progress: str = ""

    @property
    def title(self) -> str:
        """The first line of the body's docstring."""
        return (self.body.__doc__ or self.name).strip().splitlines()[0]

    def __call__(self, student: "Student", case: "Case") -> None:
        self.body(student, case)


class Inputs:
    """A maker of inputs: called with a case, or as a method of the case by its own name."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__
        update_wrapper(self, function)

    def __call__(self, case: "Case", *args: Any, **kwargs: Any) -> Any:
        return self.function(case, *args, **kwargs)


@dataclass(frozen=True)
class Suite:
    """All checks of one assignment, in the order of their file."""

    name: str
    checks: Mapping[str, Check]
    inputs: Mapping[str, Inputs] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def points(self) -> float | int:
        """Points of all checks together."""
        return sum(check.points for check in self.checks.values())

    def __getitem__(self, name: str) -> Check:
        if name not in self.checks:
            known = ", ".join(self.checks)
            raise GradingError(f"{self.name} has no check called {name!r}.", f"the checks are: {known}.")
        return self.checks[name]


def check(
    *,
    points: float | int,
    mistakes: list[Mistake] | tuple[Mistake, ...] = (),
    cases: int = 3,
    slow: bool = False,
    uses: list[str] | tuple[str, ...] = (),
    limit_s: float | int | None = None,
    progress: str = "",
) -> Callable[[Callable[["Student", "Case"], None]], Check]:
    """Make a function `(student, case)` a check.

    >>> @check(points=4, cases=2)
    ... def doubles(student, case):
    ...     "Twice the input."
    ...     x = case.randn(3)
    ...     case.close(student.double(x), lambda: 2 * x)
    >>> doubles.name, doubles.points, doubles.title
    ('doubles', 4, 'Twice the input.')
    """
    if points < 0 or cases < 1:
        raise GradingError(f"a check has {points} points and {cases} cases.", "give points >= 0 and at least one case.")
    if progress and not slow:
        raise GradingError(f"a quick check shows no progress of {progress}.", "mark it with slow=True.")
    limit = limit_s if limit_s is not None else (600.0 if slow else 20.0)

    def wrap(body: Callable[["Student", "Case"], None]) -> Check:
        return Check(body.__name__, body, points, tuple(mistakes), cases, slow, tuple(uses), limit, progress)

    return wrap


def mistake(sentence: str, *, replaces: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a function with the student's signature a known mistake.

    >>> @mistake("The factor is added, not multiplied.", replaces="double")
    ... def adds_two(x):
    ...     return x + 2
    >>> adds_two.name, adds_two(3)
    ('adds_two', 5)
    """
    return lambda function: Mistake(function.__name__, sentence, replaces, function)


def named(name: str, sentence: str) -> Mistake:
    """A mistake without its code, as the students' edition has it."""
    return Mistake(name, sentence, "")


def inputs(function: Callable[..., Any]) -> Inputs:
    """Make a function `(case, ...)` an input maker, reachable as `case.<its name>(...)`."""
    return Inputs(function)


def load_suite(path: Path | str, name: str | None = None) -> Suite:
    """Run a `checks.py` (or `checks_public.py`) and collect what it defines.

    Args:
        path: The file.
        name: Name of the assignment; by default that of the file's folder.

    Raises:
        GradingError: The file is missing, does not run, or defines a name twice or no check.
    """
    path = Path(path)
    if not path.is_file():
        raise GradingError(f"there are no checks at {path}.", "give the checks.py of an assignment.")
    source = path.read_bytes()
    module = ModuleType(f"seqlib_checks_{path.resolve().parent.name}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickling of what the file defines look it up there
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except GradingError:
        raise
    except Exception as error:
        hint = "run the file by itself to see the whole error."
        raise GradingError(f"{path} does not run: {type(error).__name__}: {error}", hint) from error
    digest = hashlib.sha256(source).hexdigest()
    return suite_of(vars(module), name or path.resolve().parent.name, digest)


def suite_of(names: Mapping[str, Any], assignment: str, digest: str = "") -> Suite:
    """The suite that a namespace defines."""
    checks = {value.name: value for value in names.values() if isinstance(value, Check)}
    if not checks:
        raise GradingError(f"{assignment} defines no check.", "decorate a function with @check(points=...).")
    for found in checks.values():
        mistake_names = [m.name for m in found.mistakes]
        if len(set(mistake_names)) < len(mistake_names):
            raise GradingError(f"the check {found.name} lists a mistake twice.", "give each mistake its own name.")
    makers = {value.name: value for value in names.values() if isinstance(value, Inputs)}
    return Suite(assignment, checks, makers, dict(names.get("REFERENCE", {})), digest)
