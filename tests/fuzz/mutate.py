"""Damage to bytes, as a hostile or broken process might do it."""

import random

__all__ = ["mutated"]

_SYNTAX = b'{}[]":,0123456789tfnxldg-.eE\\'


def mutated(data: bytes, generator: random.Random) -> bytes:
    """The data with one to three flips, cuts, insertions, swaps, repetitions or broken pieces of syntax.

    Args:
        data: At least one byte.
        generator: Where chance comes from.
    """
    damaged = bytearray(data)
    for _ in range(generator.randrange(1, 4)):
        at, kind = generator.randrange(len(damaged)), generator.randrange(6)
        if kind == 0:
            damaged[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            del damaged[at : at + generator.randrange(1, 9)]
        elif kind == 2:
            damaged[at:at] = generator.randbytes(generator.randrange(1, 9))
        elif kind == 3:
            other = generator.randrange(len(damaged))
            damaged[at : at + 4], damaged[other : other + 4] = damaged[other : other + 4], damaged[at : at + 4]
        elif kind == 4:
            damaged[at] = generator.choice(_SYNTAX)
        else:
            damaged[at:at] = damaged[generator.randrange(len(damaged)) :][: generator.randrange(1, 40)]
        if not damaged:
            damaged = bytearray(b"x")
    return bytes(damaged)
