"""Arrays for the browser: one binary buffer and a JSON map of where each array lies in it."""

from collections.abc import Mapping
from typing import Any

import torch

from seqlib.shapes import Tensor

__all__ = ["pack", "unpack"]

ALIGNMENT_BYTES = 4
TYPES = {torch.float32: "f4", torch.uint8: "u1"}


def pack(arrays: Mapping[str, Tensor]) -> tuple[dict[str, Any], bytes]:
    """Lay arrays one after the other: truth values as bytes, every other number as little-endian float32.

    >>> meta, frames = pack({"h": torch.tensor([[1.0, 2.0]]), "differs": torch.tensor([True])})
    >>> meta["differs"], len(frames)
    ({'dtype': 'u1', 'shape': [1], 'offset': 8}, 12)
    """
    meta: dict[str, Any] = {}
    chunks = bytearray()
    for name, array in arrays.items():
        plain = array.detach().cpu().to(torch.uint8 if array.dtype == torch.bool else torch.float32).contiguous()
        meta[name] = {"dtype": TYPES[plain.dtype], "shape": list(plain.shape), "offset": len(chunks)}
        chunks += plain.numpy().astype(f"<{TYPES[plain.dtype]}", copy=False).tobytes()
        chunks += bytes(-len(chunks) % ALIGNMENT_BYTES)
    return meta, bytes(chunks)


def unpack(meta: Mapping[str, Any], frames: bytes) -> dict[str, Tensor]:
    """Read `pack`'s buffer back: what the browser sees, for tests and for saved notebooks."""
    kinds = {code: kind for kind, code in TYPES.items()}
    return {
        name: torch.frombuffer(
            bytearray(frames), dtype=kinds[at["dtype"]], count=_count(at["shape"]), offset=at["offset"]
        ).reshape(at["shape"])
        for name, at in meta.items()
    }


def _count(shape: list[int]) -> int:
    return int(torch.Size(shape).numel())
