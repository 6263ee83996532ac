"""Messages between the host and a student's process: a bounded JSON header and raw tensor bytes, nothing executable.

A frame is a header length (u32), a body length (u64), the header in JSON and the tensors' bytes in order, all little
endian. The header has exactly the keys seq, nonce, value and tensors; every claim in it is checked before it is used.
"""

import json
import math
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from seqlib.checks.codec import decode, encode, malformed, whole_number
from seqlib.checks.values import DTYPES, LIMITS, Limits, Value
from seqlib.errors import WireError

__all__ = ["Message", "receive", "send"]

LENGTHS = struct.Struct("<IQ")
CODES = {dtype: code for code, dtype in DTYPES.items()}
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Message:
    """One message; `seq` and `nonce` tie an answer to its question."""

    seq: int
    nonce: str
    value: Value


def send(sock: socket.socket, message: Message, deadline: float | None = None, limits: Limits = LIMITS) -> None:
    """Send one message.

    Args:
        sock: A connected stream socket.
        message: Its value is normalised.
        deadline: Time by `time.monotonic` after which sending stops; None waits for ever.
        limits: The largest message.

    Raises:
        WireError: The message is too large for the other side.
        TimeoutError: The other side did not take it in time.
        OSError: The connection is gone.
    """
    description, tensors = encode(message.value)
    table = [[CODES[tensor.dtype], list(tensor.shape)] for tensor in tensors]
    header = {"seq": message.seq, "nonce": message.nonce, "value": description, "tensors": table}
    text = _TO_JSON.encode(header).encode()
    bodies = [_bytes_of(tensor) for tensor in tensors]
    size = sum(body.nbytes for body in bodies)
    if len(text) > limits.header_bytes or size > limits.body_bytes:
        raise WireError(f"a message of {len(text)} + {size} bytes is too large.", "return less.")
    for part in (memoryview(LENGTHS.pack(len(text), size) + text), *bodies):
        if part.nbytes:
            sock.settimeout(_left(deadline))
            sock.sendall(part)


def receive(
    sock: socket.socket, limits: Limits = LIMITS, deadline: float | None = None, *, arguments: bool = False
) -> Message:
    """Receive one message, reading no byte more than the limits and the header allow.

    Raises:
        WireError: The message breaks the format or a limit.
        TimeoutError: It was not complete in time.
        EOFError: The connection ended.
        OSError: The connection is gone.
    """
    header_size, body_size = LENGTHS.unpack(_read(sock, LENGTHS.size, deadline))
    if header_size > limits.header_bytes or body_size > limits.body_bytes:
        raise malformed(f"{header_size} + {body_size} bytes")
    header = _parse(_read(sock, header_size, deadline))
    table = _table(header["tensors"], body_size, limits)
    tensors = [_tensor_from(_read(sock, size, deadline), dtype, shape) for dtype, shape, size in table]
    return Message(
        header["seq"], header["nonce"], decode(header["value"], tensors, _slack(limits), arguments=arguments)
    )


@lru_cache
def _slack(limits: Limits) -> Limits:
    """An answer wraps its value once more and a fault has texts of its own."""
    return replace(limits, depth=limits.depth + 1, items=limits.items + 16, text_chars=limits.text_chars + 4000)


def _parse(raw: bytearray) -> dict[str, Any]:
    try:
        header = _FROM_JSON.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise malformed("a header that is not our JSON") from error
    if type(header) is not dict or set(header) != {"seq", "nonce", "value", "tensors"}:
        raise malformed("other keys than a message's")
    whole_number(header["seq"], 0)
    if type(header["nonce"]) is not str or len(header["nonce"]) > 128:
        raise malformed("no nonce")
    return header


def _table(table: Any, body_size: int, limits: Limits) -> list[tuple[torch.dtype, list[int], int]]:
    """Check the declared tensors before one byte of them is read."""
    if type(table) is not list or len(table) > limits.items:
        raise malformed("no table of tensors")
    rows = list(_table_rows(table, limits))
    if sum(size for _, _, size in rows) != body_size:
        raise malformed("tensors that do not fill the body")
    return rows


def _table_rows(table: list[Any], limits: Limits) -> Iterator[tuple[torch.dtype, list[int], int]]:
    for row in table:
        if type(row) is not list or len(row) != 2 or type(row[0]) is not str or row[0] not in DTYPES:
            raise malformed("a tensor of an unknown type")
        shape = row[1]
        if type(shape) is not list or len(shape) > limits.dimensions:
            raise malformed("a tensor without a proper shape")
        for size in shape:
            if whole_number(size, 0) > limits.body_bytes:
                raise malformed("a tensor without a proper shape")
        yield DTYPES[row[0]], shape, math.prod(shape) * DTYPES[row[0]].itemsize


def _tensor_from(raw: bytearray, dtype: torch.dtype, shape: list[int]) -> Tensor:
    try:
        flat = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        if dtype is torch.bool and raw and max(raw) > 1:
            raise malformed("a truth value that is neither 0 nor 1")
        return flat.reshape(shape)
    except (RuntimeError, OverflowError, TypeError) as error:
        raise malformed("a tensor without a proper shape") from error


def _bytes_of(tensor: Tensor) -> memoryview:
    raw: Any = tensor.reshape(-1).view(torch.uint8).numpy()
    return memoryview(raw)


def _read(sock: socket.socket, size: int, deadline: float | None) -> bytearray:
    """Exactly `size` bytes; memory grows with what has come, never with what was announced."""
    data = bytearray()
    while len(data) < size:
        sock.settimeout(_left(deadline))
        chunk = sock.recv(min(size - len(data), CHUNK_BYTES))
        if not chunk:
            raise EOFError("the connection ended")
        data += chunk
    return data


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number beyond float64")
    return value


_TO_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
_FROM_JSON = json.JSONDecoder(object_pairs_hook=_no_twins, parse_constant=_no_constant, parse_float=_finite_float)
