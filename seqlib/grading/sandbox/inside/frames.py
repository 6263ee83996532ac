"""Frames between the host and a sandbox: a length (u32, little endian) and a JSON object of at most that many bytes."""

import json
import socket
import struct
import time
from typing import Any

__all__ = ["LARGEST_BYTES", "FrameError", "receive_frame", "send_frame"]

LENGTH = struct.Struct("<I")
LARGEST_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 18


class FrameError(Exception):
    """The other side sent what is no frame."""


def send_frame(sock: socket.socket, message: dict[str, Any]) -> None:
    """Send one frame."""
    text = json.dumps(message, separators=(",", ":")).encode()
    sock.sendall(LENGTH.pack(len(text)) + text)


def receive_frame(sock: socket.socket, deadline: float | None = None) -> dict[str, Any] | None:
    """Receive one frame; None stands for one that was too large and is dropped as it comes.

    Args:
        sock: A connected stream socket.
        deadline: Time by `time.monotonic` after which reading stops. None: wait for ever.

    Raises:
        EOFError: The other side hung up.
        TimeoutError: No whole frame came in time.
        FrameError: The bytes are no JSON object.
    """
    (size,) = LENGTH.unpack(_read(sock, LENGTH.size, deadline))
    raw = _read(sock, size, deadline, keep=size <= LARGEST_BYTES)
    if size > LARGEST_BYTES:
        return None
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame is no JSON") from error
    if type(message) is not dict:
        raise FrameError("a frame is no object")
    return message


def _read(sock: socket.socket, size: int, deadline: float | None, *, keep: bool = True) -> bytearray:
    """Exactly `size` bytes; memory grows with what has come, never with what was announced."""
    data, seen = bytearray(), 0
    while seen < size:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("the time is over")
        sock.settimeout(left)
        chunk = sock.recv(min(size - seen, _CHUNK_BYTES))
        if not chunk:
            raise EOFError("the connection ended")
        seen += len(chunk)
        if keep:
            data += chunk
    return data
