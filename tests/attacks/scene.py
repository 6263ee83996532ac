"""What an attack is told about the machine it is graded on: true places, true ports, and words nobody may read.

An attack names them between at signs, and they are put in before it is handed in: it has nothing left to guess.
Only the standard library is imported here, as peers' environments use this too.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

__all__ = ["Scene"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where an attack finds everything.

    Attributes:
        mark: A word of this attack's own: on whatever it leaves behind, outside can see whose it is.
        course: The class folder, with the gradebook and the store.
        root: The instructors' repository or what the engine has in its place.
        checks: The file with the checks and references.
        key: The course key.
        sibling: Another student's notebook.
        secret_file: A file of the host's that nobody gave to the student.
        outside: A folder of the host's that a student has no business in.
        tcp: A port on which the host listens.
        udp: The same for datagrams.
        abstract: The name of a listening abstract unix socket, without its leading zero byte.
        canaries: What must not come out, by what it is.
    """

    mark: str
    course: str = ""
    root: str = ""
    checks: str = ""
    key: str = ""
    sibling: str = ""
    secret_file: str = ""
    outside: str = ""
    tcp: int = 0
    udp: int = 0
    abstract: str = ""
    canaries: dict[str, str] = field(default_factory=dict)

    def tell(self, text: str) -> str:
        """Put the true places into the text of an attack."""
        for name, value in asdict(self).items():
            if name != "canaries":
                text = text.replace(f"@{name.upper()}@", str(value))
        return text

    def of(self, name: str) -> "Scene":
        """The same scene for one attack, with its own mark."""
        return replace(self, mark=f"{self.mark}-{name}-{secrets.token_hex(4)}")

    def save(self, path: Path) -> None:
        """Write it for another process."""
        path.write_text(json.dumps(asdict(self)))

    @staticmethod
    def load(path: Path) -> "Scene":
        """Read it in another process."""
        return Scene(**json.loads(path.read_text()))


def fresh_canaries(*names: str) -> dict[str, str]:
    """A word for each name that comes nowhere else in the world."""
    return {name: f"canary-{name}-{secrets.token_hex(8)}" for name in names}
