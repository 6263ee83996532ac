"""Forging: points for answers that are wrong, by what student code returns, patches or says."""

from tests.attacks.forge_patched import PATCHED
from tests.attacks.forge_returned import RETURNED
from tests.attacks.forge_wire import FORGED_FILES, WIRE

FORGE = [*RETURNED, *PATCHED, *WIRE, *FORGED_FILES]
