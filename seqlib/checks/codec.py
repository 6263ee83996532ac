"""Plain values as JSON with the tensors apart, and back with nothing taken on trust."""

import math
from typing import Any

import torch
from torch import Tensor

from seqlib.checks.values import LIMITS, TENSOR_ITEMS, TRUSTED, Handle, Limits, Trusted, Value
from seqlib.errors import WireError

__all__ = ["decode", "encode", "malformed", "whole_number"]


def encode(value: Value) -> tuple[Any, list[Tensor]]:
    """Describe a normalised value in JSON, its tensors apart and in order.

    >>> encode((1, 2.5, [float("inf")]))
    ({'t': [1, 2.5, {'l': [{'f': 'inf'}]}]}, [])
    """
    tensors: list[Tensor] = []
    return _describe(value, tensors), tensors


def decode(description: Any, tensors: list[Tensor], limits: Limits = LIMITS, *, arguments: bool = False) -> Value:
    """Rebuild a value from its description.

    Args:
        description: What came out of the JSON.
        tensors: The tensors, already checked against their own table.
        limits: The largest value that is accepted.
        arguments: Accept generators and trusted functions; never for what comes from a student.

    Raises:
        WireError: The description is not one that `encode` makes.
    """
    reader = _Reader(tensors, limits, arguments)
    value = reader.of(description, 0)
    if reader.used != len(tensors):
        raise malformed("tensors that nothing refers to")
    return value


def _describe(value: Value, tensors: list[Tensor]) -> Any:
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, Tensor):
        tensors.append(value)
        return {"x": len(tensors) - 1}
    if isinstance(value, float) and not math.isfinite(value):
        return {"f": repr(value)}
    if isinstance(value, list):
        return {"l": [_describe(part, tensors) for part in value]}
    if isinstance(value, tuple):
        return {"t": [_describe(part, tensors) for part in value]}
    if isinstance(value, dict):
        return {"d": {key: _describe(part, tensors) for key, part in value.items()}}
    if isinstance(value, Handle):
        return {"h": value.number}
    if isinstance(value, Trusted):
        return {"n": value.name}
    if isinstance(value, torch.Generator):
        tensors.append(value.get_state())
        return {"g": len(tensors) - 1}
    return value


class _Reader:
    """One decoding run with what is left of its allowance."""

    def __init__(self, tensors: list[Tensor], limits: Limits, arguments: bool) -> None:
        self.tensors = tensors
        self.limits = limits
        self.arguments = arguments
        self.items = limits.items
        self.chars = limits.text_chars
        self.used = 0

    def of(self, node: Any, depth: int) -> Value:
        self.items -= 1
        if self.items < 0 or depth > self.limits.depth:
            raise malformed("too many or too deeply nested parts")
        if node is None or type(node) is bool or type(node) is float:
            return node
        if type(node) is int:
            return whole_number(node, -(1 << 63))
        if type(node) is str:
            return self.text(node)
        if type(node) is not dict or len(node) != 1:
            raise malformed("an unknown form of value")
        ((tag, content),) = node.items()
        return self.tagged(tag, content, depth)

    def tagged(self, tag: str, content: Any, depth: int) -> Value:
        if tag == "x":
            return self.next_tensor(content)
        if tag in ("l", "t") and type(content) is list:
            parts = (self.of(part, depth + 1) for part in content)
            return list(parts) if tag == "l" else tuple(parts)
        if tag == "d" and type(content) is dict:
            return {self.text(key): self.of(part, depth + 1) for key, part in content.items()}
        if tag == "f" and content in ("nan", "inf", "-inf"):
            return float(content)
        if tag == "h":
            return Handle(whole_number(content, 0))
        if self.arguments and tag == "n" and type(content) is str and content in TRUSTED:
            return Trusted(content)
        if self.arguments and tag == "g":
            generator = torch.Generator(device="cpu")
            generator.set_state(self.next_tensor(content))
            return generator
        raise malformed("an unknown form of value")

    def text(self, value: str) -> str:
        self.chars -= len(value)
        if self.chars < 0:
            raise malformed("a text that is too long")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise malformed("a text with half a character")
        return value

    def next_tensor(self, index: Any) -> Tensor:
        if type(index) is not int or index != self.used or index >= len(self.tensors):
            raise malformed("a tensor out of order")
        self.used += 1
        self.items -= TENSOR_ITEMS
        return self.tensors[index]


def whole_number(value: Any, least: int) -> int:
    """An int of at least `least` that fits in 64 bits, or an error."""
    if type(value) is not int or not least <= value < 1 << 63:
        raise malformed("a number out of range")
    return value


def malformed(what: str) -> WireError:
    """The error for a message that breaks the format."""
    return WireError(f"a message has {what}.", "only seqlib.checks.agent speaks on this socket.")
