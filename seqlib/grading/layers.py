"""Every text inside a file: its own lines, and what lies in JSON, base64, hexadecimal, archives and tensors."""

import ast
import base64
import binascii
import bz2
import contextlib
import gzip
import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

__all__ = ["text_layers"]

_DEPTH = 6
_BYTES = 64 << 20  # what one layer may unpack to: a release is far smaller
_FORMATS = {"I64": "q", "U64": "Q", "I32": "i", "U32": "I", "I16": "h", "U16": "H", "F64": "d", "F32": "f", "F16": "e"}
_PRINTABLE = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]{20,}")
_WIDE = re.compile(rb"(?:[\x09\x0a\x0d\x20-\x7e]\x00){20,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4}(?:[A-Za-z0-9+/_-]|\s(?=[A-Za-z0-9+/_=-])){20,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){20,}")


def text_layers(place: str, data: bytes, depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    """Yield (place, text) for a file and, recursively, for all that is packed in it.

    Args:
        place: The name of the file, which opens the name of each place inside it.
        data: Its bytes.
        depth: How many layers to unpack.

    >>> list(text_layers("a.json", b'{"k": "v"}'))
    [('a.json', '{"k": "v"}'), ('a.json $.k', 'v')]
    """
    if depth == 0 or not data:
        return
    try:
        texts = [data.decode("utf-8")]
    except UnicodeDecodeError:
        texts = [run.group().decode("ascii") for run in _PRINTABLE.finditer(data)]
        texts += [run.group().decode("utf-16-le") for run in _WIDE.finditer(data)]
    for text in texts:
        yield place, text
        yield from _within_text(place, text, depth)
    for name, inner in _unpacked(data):
        yield from text_layers(f"{place} > {name}", inner, depth - 1)


def _within_text(place: str, text: str, depth: int) -> Iterator[tuple[str, str]]:
    """Look into the strings of JSON or Python, and into runs of base64 and hexadecimal digits."""
    for name, inner in _strings(place, text):
        yield from text_layers(f"{place} {name}", inner, depth - 1)
    for name, pattern, decode in (("base64", _BASE64, _from_base64), ("hexadecimal", _HEX, binascii.unhexlify)):
        for run in pattern.finditer(text):
            try:
                inner = decode(run.group())
            except (ValueError, binascii.Error):
                continue
            yield from text_layers(f"{place} > {name}", inner, depth - 1)


def _from_base64(run: str) -> bytes:
    digits = "".join(run.split()).rstrip("=").replace("-", "+").replace("_", "/")
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _strings(place: str, text: str) -> list[tuple[str, bytes]]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return list(_leaves("$", json.loads(text)))
        except (ValueError, RecursionError):
            return []
    if place.endswith(".py"):
        try:
            constants = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        except (SyntaxError, ValueError, RecursionError):
            return []
        strings = [(node.lineno, node.value) for node in constants if isinstance(node.value, str | bytes)]
        return [
            (f"string in line {line}", v.encode("utf-8", "replace") if isinstance(v, str) else v) for line, v in strings
        ]
    return []


def _leaves(path: str, value: Any) -> Iterator[tuple[str, bytes]]:
    """Walk JSON; a list of strings is one text, as notebooks store their cells."""
    if isinstance(value, str):
        yield path, value.encode("utf-8", "replace")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(f"{path}.{key}", part)
            if len(key) >= 20:
                yield f"{path} key", key.encode("utf-8", "replace")
    elif isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        yield path, "".join(value).encode("utf-8", "replace")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(f"{path}[{index}]", part)


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Open archives and tensor files by what their bytes say, whatever their name is."""
    for name, start, opened in (
        ("gzip", b"\x1f\x8b", gzip.open),
        ("bz2", b"BZh", bz2.open),
        ("xz", b"\xfd7zXZ", lzma.open),
    ):
        if data.startswith(start):
            try:
                with opened(io.BytesIO(data)) as file:
                    yield name, file.read(_BYTES)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                pass
    if data[:1] == b"\x78":
        with contextlib.suppress(zlib.error):
            yield "zlib", zlib.decompressobj().decompress(data, _BYTES)
    if b"PK\x05\x06" in data[-70_000:]:
        yield from _zipped(data)
    if data[257:262] == b"ustar":
        yield from _tarred(data)
    yield from _tensors(data)


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "comment", archive.comment
            for item in archive.infolist():
                yield f"{item.filename} extra", item.comment + item.extra + item.filename.encode()
                with archive.open(item) as file:
                    yield item.filename, file.read(_BYTES)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError):
        return


def _tarred(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for item in archive:
                file = archive.extractfile(item) if item.isfile() else None
                yield item.name, file.read(_BYTES) if file else item.linkname.encode()
    except tarfile.TarError:
        return


def _tensors(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Read integer and float tensors whose entries are character codes; the header is text like any other."""
    header = _tensor_header(data)
    if header is None:
        return
    length, entries = header
    yield "header", data[8 : 8 + length]
    for name, entry in entries.items():
        code = _FORMATS.get(entry.get("dtype", "")) if isinstance(entry, dict) else None
        offsets = entry.get("data_offsets")
        if code is None or not offsets:
            continue
        raw = data[8 + length + offsets[0] : 8 + length + offsets[1]]
        values = struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw)
        codes = [int(value) if value == value and 9 <= value < 127 and value == int(value) else 0 for value in values]
        yield f"tensor {name}", bytes(codes)


def _tensor_header(data: bytes) -> tuple[int, dict[str, Any]] | None:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8 or data[8:9] != b"{":
        return None
    try:
        entries = json.loads(data[8 : 8 + length])
    except ValueError:
        return None
    return (length, entries) if isinstance(entries, dict) else None
