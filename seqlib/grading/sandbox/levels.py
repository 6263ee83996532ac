"""How far this machine can keep a submission from itself and from others: tried, not believed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from seqlib.errors import GradingError
from seqlib.grading.limits import Proof, open_limits, probe
from seqlib.grading.sandbox.bubblewrap import (
    INSTALL,
    NOBODY,
    SANDBOX_PATH,
    Mounts,
    command_line,
    find_bubblewrap,
    python_inside,
)
from seqlib.grading.sandbox.filter import compiled_filter

__all__ = ["LEVELS", "Isolation", "Lack", "choose_isolation", "find_isolation"]

LEVELS = ("none", "sandbox without proven limits", "cold sandbox", "warm sandbox")
"""Weakest first. Work that nobody has read is graded from the third on."""

_KINDS = {"cold sandbox": ("cold",), "warm sandbox": ("warm", "cold")}
_TRIAL_S = 20.0
_NO_LINUX = "grade on Linux: in WSL 2, in a virtual machine, or on a server."
_NO_NAMESPACES = (
    "allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000; "
    "on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap; "
    "a container must be started with --security-opt seccomp=unconfined and apparmor=unconfined."
)
_NO_LIMITS = (
    "grade in a group of your own: systemd-run --user --scope -p Delegate=yes seqlib grade ...; "
    "as root, mount cgroups with memory and pids."
)


@dataclass(frozen=True, kw_only=True)
class Lack:
    """What this machine does not give.

    Args:
        what: The thing, and what was seen when it was tried.
        hint: What mends it.
    """

    what: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What this machine gives.

    Args:
        level: One of `LEVELS`.
        proven: What was seen to work, in words.
        lacks: What was seen not to work, the most important first.
    """

    level: str
    proven: tuple[str, ...]
    lacks: tuple[Lack, ...]


@dataclass(frozen=True)
class _Trial:
    """What worked inside bubblewrap; `said` is what did not, in its own words."""

    sandbox: bool = False
    filter: bool = False
    namespaces: bool = False
    said: str = ""


def find_isolation() -> Isolation:
    """Try everything; takes about a second."""
    if not sys.platform.startswith("linux"):
        return _none(f"sandboxes need Linux, and this is {sys.platform}.", _NO_LINUX)
    with ThreadPoolExecutor(1) as pool:
        limits = pool.submit(_try_limits)
        try:
            place = find_bubblewrap()
        except GradingError as error:
            return _none(error.what, f"install it: {INSTALL}.")
        try:
            program = compiled_filter()
        except GradingError as error:
            return _none(error.what, error.hint)
        return _judge(place, _try_sandbox(program), *limits.result())


def choose_isolation(trusted: bool, wanted: str | None = None) -> str:
    """Which way to grade here: `warm`, `cold` or `none`.

    Args:
        trusted: Somebody has read every submission, and no sandbox is asked for.
        wanted: A certain one. None: the best.

    Raises:
        GradingError: This machine does not give what untrusted work, or the wish, needs.
    """
    if trusted:
        return wanted or "none"
    if wanted == "none":
        raise GradingError(
            "work that nobody has read needs a sandbox.",
            "leave the sandbox on, or add --trusted to say that you read it.",
        )
    found = find_isolation()
    kinds = _KINDS.get(found.level, ())
    if wanted is None and kinds:
        return kinds[0]
    if wanted in kinds:
        return str(wanted)
    lack = found.lacks[0]
    way_out = "add --trusted to grade without a sandbox what you have read" if not kinds else "grade cold"
    raise GradingError(f"this machine gives {_named(found.level)}: {lack.what}.", f"{lack.hint} Or {way_out}.")


def _none(what: str, hint: str) -> Isolation:
    return Isolation(level=LEVELS[0], proven=(), lacks=(Lack(what=what.rstrip("."), hint=hint),))


def _named(level: str) -> str:
    return "no isolation" if level == LEVELS[0] else f"only a {level}"


def _try_limits() -> tuple[str, Proof]:
    with open_limits() as limits:
        return limits.name, probe(limits)


def _try_sandbox(program: bytes) -> _Trial:
    """Start bubblewrap as a warm parent does, and in it what a warm parent does for a submission."""
    own = f"{SANDBOX_PATH}/own"
    mounts = Mounts(read_only={f"{own}/inside": Path(__file__).with_name("inside")})
    python = [python_inside(), "-P", "-s", "-S", "-m", "inside.trial", str(NOBODY), program.hex()]
    line = command_line(python, mounts, {"PYTHONPATH": own, "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        ran = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TRIAL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Trial(said=str(error))
    seen, said = ran.stdout.split(), ran.stderr.strip().splitlines()
    return _Trial(
        ran.returncode == 0, "filter" in seen, "namespaces" in seen, said[-1] if said else "it did not say why"
    )


def _judge(place: str, trial: _Trial, limits: str, proof: Proof) -> Isolation:
    held = proof.memory and proof.processes
    tried = {
        f"bubblewrap ({place}) makes a sandbox": (trial.sandbox, f"bubblewrap fails ({trial.said})", _NO_NAMESPACES),
        "the system-call filter refuses": (
            trial.filter,
            f"the system-call filter does not hold ({trial.said})",
            "use a kernel with CONFIG_SECCOMP_FILTER, and a container without a filter of its own that forbids prctl.",
        ),
        f"{limits} limits memory and processes ({proof.detail.rstrip('.')})": (
            held,
            f"memory and processes are not limited by {limits}: {proof.detail.rstrip('.')}",
            _NO_LIMITS,
        ),
        "a warm sandbox makes namespaces for each submission": (
            trial.namespaces,
            f"user namespaces inside a sandbox are refused ({trial.said}), so every submission starts a Python",
            _NO_NAMESPACES,
        ),
    }
    if not trial.sandbox:  # then nothing could be tried inside of it
        tried = {what: row for what, row in tried.items() if row[0] or row[2] == _NO_LIMITS or "bubblewrap" in what}
    proven = tuple(what for what, (works, _, _) in tried.items() if works)
    lacks = tuple(Lack(what=what, hint=hint) for works, what, hint in tried.values() if not works)
    return Isolation(level=_level(trial, held), proven=proven, lacks=lacks)


def _level(trial: _Trial, held: bool) -> str:
    if not (trial.sandbox and trial.filter):
        return LEVELS[0]
    if not held:
        return LEVELS[1]
    return LEVELS[3] if trial.namespaces else LEVELS[2]
