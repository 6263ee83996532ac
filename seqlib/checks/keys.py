"""Seeds of cases: public ones anybody can compute, secret ones need the course key."""

import hashlib
import hmac

import torch

__all__ = ["generator_from", "public_seed", "secret_seed", "seed_digest"]


def public_seed(assignment: str, check: str, case: int) -> bytes:
    """The seed of a case that students see.

    >>> public_seed("a1_recurrent", "rnn_step", 0).hex()[:8]
    '188de0e2'
    """
    return hashlib.sha256(f"public|{assignment}|{check}|{case}".encode()).digest()


def secret_seed(key: bytes, assignment: str, check: str, case: int) -> bytes:
    """The seed of a case that only the holder of the course key can compute.

    >>> secret_seed(b"k" * 32, "a1", "step", 0) == secret_seed(b"K" * 32, "a1", "step", 0)
    False
    """
    return hmac.new(key, f"{assignment}|{check}|{case}".encode(), hashlib.sha256).digest()


def generator_from(seed: bytes) -> torch.Generator:
    """A torch generator on the CPU that starts from the first 63 bits of `seed`."""
    number = int.from_bytes(seed[:8], "little") >> 1
    return torch.Generator(device="cpu").manual_seed(number)


def seed_digest(seeds: list[bytes]) -> str:
    """A short name for a list of seeds that does not give them away."""
    return hashlib.sha256(b"digest|" + b"".join(seeds)).hexdigest()[:16]
