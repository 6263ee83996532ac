"""Leaking: secret cases, references, keys, other people's work, and what the host knows."""

from tests.attacks.leak_kept import KEPT, SAID
from tests.attacks.leak_read import READ

LEAK = [*KEPT, *SAID, *READ]
