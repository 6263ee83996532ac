"""What attacks that leak have in common."""

from tests.attacks.attack import RIGHT, Attack

HUNT = """\
import re
WORD = re.compile(rb"canary-[a-z]+-[0-9a-f]{16}")
def hunt(data):
    for word in set(WORD.findall(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))):
        print(word.decode())
def read(path, most=1 << 28):
    try:
        with open(path, "rb") as file:
            hunt(file.read(most))
    except (OSError, ValueError):
        pass
"""

KEEP = {
    "spell": "def spell(word):\n    keep(word)\n    return word[::-1]",
    "scale": """\
def scale(x):
    keep(repr(x[0].item()))
    return 3 * x - 1""",
}


def leak_attack(
    name: str, tries: str, first: str = "", answers: dict[str, str] | None = None, **more: object
) -> Attack:
    options = {"answers": RIGHT | (answers or {}), "earns": 100} | more
    return Attack(name=f"leak-{name}", category="leak", tries=tries, first=first, **options)  # type: ignore[arg-type]


def through_attack(name: str, tries: str, keep: str, tell: str) -> Attack:
    """Keeps what a check asks, in one way or another, and tells it in the last cell."""
    return leak_attack(name, tries, keep, KEEP, last=tell)
