"""Independent random streams from one seed: weights, batches and tests never share their numbers."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["seeded", "stream"]


def stream(seed: int, purpose: str) -> torch.Generator:
    """Give the generator of one purpose: the same seed and purpose give the same numbers on every machine.

    >>> bool(torch.rand(1, generator=stream(0, "batches")) == torch.rand(1, generator=stream(0, "batches")))
    True
    >>> bool(torch.rand(1, generator=stream(0, "batches")) == torch.rand(1, generator=stream(0, "test")))
    False
    """
    return torch.Generator().manual_seed(_number(seed, purpose))


@contextmanager
def seeded(seed: int, purpose: str = "weights", device: str = "cpu") -> Iterator[None]:
    """Seed torch's global generators inside the block, and set them back after it.

    What takes no generator needs this: a layer that draws its own first weights, and dropout.

    >>> with seeded(3):
    ...     first = torch.nn.Linear(2, 2).weight
    >>> with seeded(3):
    ...     second = torch.nn.Linear(2, 2).weight
    >>> bool((first == second).all())
    True
    """
    where = torch.device(device)
    cuda = [torch.cuda.current_device() if where.index is None else where.index] if where.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(_number(seed, purpose))
        yield


def _number(seed: int, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed}|{purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "little")  # fits torch's signed 64 bits
