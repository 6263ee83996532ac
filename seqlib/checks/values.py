"""What may pass between a check and a student: plain values, copied, of exact types, within limits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqlib.errors import WireError

__all__ = ["DTYPES", "LIMITS", "TRUSTED", "Handle", "Limits", "Trusted", "Value", "normalise", "type_name"]

Value = Any
"""None, bool, int, float, str, list, tuple, dict with text keys, Tensor, Handle; arguments also Trusted, Generator."""

DTYPES: dict[str, torch.dtype] = {
    "b1": torch.bool,
    "bf": torch.bfloat16,
    "c16": torch.complex128,
    "c8": torch.complex64,
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
}

_EXCHANGED = frozenset(DTYPES.values())

TRUSTED: dict[str, Any] = {
    "abs": torch.abs,
    "exp": torch.exp,
    "identity": lambda x: x,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "sin": torch.sin,
    "tanh": torch.tanh,
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest message that is read; everything beyond is refused before it is stored.

    A tensor counts as `TENSOR_ITEMS` items, so that whatever keeps to items and text fits the header.
    """

    header_bytes: int = 1 << 20
    body_bytes: int = 1 << 26
    depth: int = 8
    items: int = 10_000
    text_chars: int = 50_000
    dimensions: int = 16


LIMITS = Limits()
TENSOR_ITEMS = 8


@dataclass(frozen=True)
class Handle:
    """An object that stays on the student's side, known by a number."""

    number: int


@dataclass(frozen=True)
class Trusted:
    """A function of the public bundle, passed by its name in `TRUSTED`."""

    name: str


def normalise(value: object, limits: Limits = LIMITS, *, arguments: bool = False) -> Value:
    """Copy a value into plain types, or refuse it.

    Subclasses are refused (a `float` with its own `==` is no float), named tuples become tuples,
    tensors become detached contiguous copies on the CPU, and NaN stays NaN.

    Args:
        value: What a student returned, or what a check passes.
        limits: The largest value that is accepted.
        arguments: Also accept what only goes towards the student: generators and trusted functions.

    Raises:
        WireError: The value has another type, or is too large or too deep.

    >>> normalise([1, 2.0, (True, None)])
    [1, 2.0, (True, None)]
    """
    return _Copy(limits, arguments).of(value, 0)


class _Copy:
    """One copying run with what is left of its allowance."""

    def __init__(self, limits: Limits, arguments: bool) -> None:
        self.limits = limits
        self.arguments = arguments
        self.items = limits.items
        self.chars = limits.text_chars
        self.bytes = limits.body_bytes

    def of(self, value: Any, depth: int) -> Value:
        self.items -= 1
        if self.items < 0:
            raise _refusal(f"the value has more than {self.limits.items} parts")
        if depth > self.limits.depth:
            raise _refusal(f"the value is nested more than {self.limits.depth} deep")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return _small_integer(value)
        if kind is str:
            return self.text(value)
        if kind is list:
            return [self.of(part, depth + 1) for part in list(value)]
        if kind is tuple or _is_named_tuple(kind):
            return tuple(self.of(part, depth + 1) for part in tuple.__iter__(value))
        if kind is dict:
            return self.mapping(value, depth)
        if kind is Tensor or kind is torch.nn.Parameter:
            return self.tensor(value)
        if kind is Handle:
            return Handle(_small_integer(value.number))
        if self.arguments and kind is torch.Generator:
            return _copy_of_generator(value)
        if self.arguments and kind is Trusted and value.name in TRUSTED:
            return value
        raise _refusal(_type_sentence(kind))

    def text(self, value: str) -> str:
        self.chars -= len(value)
        if self.chars < 0:
            raise _refusal(f"its texts have more than {self.limits.text_chars} characters")
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _refusal("a text has characters that cannot be encoded") from error
        return value

    def mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Value]:
        pairs = list(value.items())
        if any(type(key) is not str for key, _ in pairs):
            raise _refusal("a dict has a key that is not a str")
        return {self.text(key): self.of(part, depth + 1) for key, part in pairs}

    def tensor(self, value: Tensor) -> Tensor:
        # Methods are taken from the class: an instance may carry attributes of the same names.
        try:
            plain = Tensor.detach(value)
            layout, dtype, size = plain.layout, plain.dtype, Tensor.numel(plain) * Tensor.element_size(plain)
        except (RuntimeError, TypeError, NotImplementedError) as error:
            raise _refusal("the tensor has no plain values") from error
        if layout is not torch.strided or plain.is_meta:
            raise _refusal("the tensor is not a plain (strided) tensor")
        if dtype not in _EXCHANGED:
            raise _refusal(f"tensors of {dtype} are not exchanged")
        if Tensor.dim(plain) > self.limits.dimensions:
            raise _refusal(f"the tensor has more than {self.limits.dimensions} dimensions")
        self.items -= TENSOR_ITEMS
        self.bytes -= size
        if self.bytes < 0:
            raise _refusal(f"the tensors take more than {self.limits.body_bytes} bytes")
        return plain.cpu().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)


def _small_integer(value: int) -> int:
    if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
        raise _refusal("an int does not fit in 64 bits")
    return value


def _is_named_tuple(kind: type) -> bool:
    return kind.__bases__ == (tuple,) and "_fields" in vars(kind)


def _copy_of_generator(value: torch.Generator) -> torch.Generator:
    if value.device.type != "cpu":
        raise _refusal("a generator is not on the CPU")
    copy = torch.Generator(device="cpu")
    copy.set_state(value.get_state())
    return copy


def _type_sentence(kind: type) -> str:
    name = _name_of(kind)
    for base in (float, int, str, list, tuple, dict, Tensor):
        if base in type.mro(kind):
            return f"its type {name} is a subclass of {base.__name__}; a plain {base.__name__} is asked"
    return f"its type is {name}, which is no tensor, number, text, list, tuple or dict"


def type_name(value: object) -> str:
    """The name of a value's type, whatever its metaclass says."""
    return _name_of(type(value))


def _name_of(kind: type) -> str:
    return str(vars(type)["__name__"].__get__(kind))[:60]


def _refusal(what: str) -> WireError:
    return WireError(what, "return plain tensors, numbers, texts, or lists, tuples and dicts of them.")
