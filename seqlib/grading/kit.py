"""What grading one assignment needs: its release, its checks, its key."""

import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seqlib.catalogue import CASES, CHECKS, RELEASE
from seqlib.checks.registry import Suite, load_suite
from seqlib.errors import GradingError
from seqlib.grading.check_digests import check_digests
from seqlib.grading.source import find_source

__all__ = ["Kit", "course_folder", "course_key", "load_kit"]

KEY_FILE = "course.key"
_SHORTEST_KEY = 16
_MADE_OF_CHECKS = (RELEASE, CASES, CHECKS)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """One released assignment with its live checks; only who asks for those pays for loading them.

    Attributes:
        name: Its name.
        title: What students read.
        notebook: The released notebook, as JSON.
        points: What each check is worth, in the notebook's order.
        checks: The file of the checks.
        public: The files that lie beside the student's notebook, by name.
        forbidden: Names that a from-scratch answer should not call.
        digest: Changes with the checks, the references and the release.
    """

    name: str
    title: str
    notebook: dict[str, Any]
    points: dict[str, float | int]
    checks: Path
    public: dict[str, bytes]
    forbidden: tuple[str, ...]
    digest: str

    @cached_property
    def suite(self) -> Suite:
        """The checks, with their references.

        Raises:
            GradingError: They are not those of the release.
        """
        suite = load_suite(self.checks, self.name)
        if self.points != {check.name: check.points for check in suite.checks.values()}:
            raise GradingError(f"{self.checks} has other points than its release.", f"run: seqlib release {self.name}")
        return suite

    def digest_by_check(self, key: bytes) -> dict[str, str]:
        """The same for each check by itself: what has not changed there need not be asked again.

        Raises:
            GradingError: The checks can't be read.
        """
        given = {name: data for name, data in self.public.items() if name not in _MADE_OF_CHECKS}
        found = check_digests(self.checks, self.points, given)
        return {
            name: hmac.new(key, f"{digest} {self.points[name]}".encode(), hashlib.sha256).hexdigest()
            for name, digest in found.items()
        }

    def checks_digest(self, key: bytes) -> str:
        """What a verdict depends on besides the submission: everything in `digest`, and the key."""
        return hmac.new(key, self.digest.encode(), hashlib.sha256).hexdigest()


def load_kit(name: str, root: Path) -> Kit:
    """Read an assignment's release, and where its checks are.

    Raises:
        GradingError: It is not released.
    """
    source = find_source(name, root)
    if not (source.released / RELEASE).is_file():
        raise GradingError(f"{name} is not released: {source.released} is missing.", f"run: seqlib release {name}")
    public = {path.name: path.read_bytes() for path in sorted(source.released.iterdir()) if path.is_file()}
    try:
        notebook = json.loads(public.pop(f"{name}.ipynb"))
        points = json.loads(public[RELEASE])["checks"]
        order = [cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
    except (KeyError, ValueError) as error:
        raise GradingError(f"{source.released} is no whole release: {error}.", f"run: seqlib release {name}") from error
    digest = hashlib.sha256(public[RELEASE])
    for path in sorted(source.folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return Kit(
        name=name,
        title=source.title,
        notebook=notebook,
        points=dict(sorted(points.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))),
        checks=source.checks,
        public=public,
        forbidden=source.forbidden,
        digest=digest.hexdigest(),
    )


def course_folder(course: Path) -> Path:
    """The class folder, which must be there."""
    if course.is_dir():
        return course.resolve()
    raise GradingError(f"there is no class folder {course}.", "name it: --course DIR, which holds submitted/.")


def course_key(course: Path, path: Path | None = None, *, create: bool = True) -> bytes:
    """The key that secret cases are drawn from; made when the class has none.

    Args:
        course: The class folder.
        path: Another place of the key. None: `course.key` in the class folder.
        create: Whether to make a key where none is.

    Raises:
        GradingError: It can't be read or written, or others may read it.
    """
    place = path or course / KEY_FILE
    try:
        if not place.exists() and create and path is None:
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        open_to_others = stat.S_IMODE(place.stat().st_mode) & 0o077
        key = place.read_text("ascii").strip().encode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise GradingError(
            f"the key {place} can't be used: {reason}.", "give one that you may read: --key FILE."
        ) from error
    if os.name == "posix" and open_to_others:
        raise GradingError(f"the key {place} can be read by others.", f"take their rights away: chmod 600 {place}")
    if len(key) < _SHORTEST_KEY:
        raise GradingError(f"the key {place} has {len(key)} characters.", f"it needs at least {_SHORTEST_KEY}.")
    return key
