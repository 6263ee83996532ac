"""What a stepper of a recurrent network reads from a recording: one vector per step and name, and the weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from seqlib.errors import WidgetError
from seqlib.shapes import Tensor
from seqlib.trace import Recording

__all__ = ["Parting", "first_parting", "partings", "read"]

VECTORS = ("x", "h", "o", "y")
WEIGHTS = ("W", "U", "b", "V", "c", "h0")
# The browser draws float32; what it could not show apart does not count as a difference.
RTOL, ATOL = 1e-5, 1e-7


@dataclass(frozen=True)
class Parting:
    """The first cell where a recording and its reference part."""

    name: str
    time: int
    unit: int
    value: float
    expected: float


def read(recording: Recording, names: Mapping[str, str] | None, sequence: int) -> dict[str, Tensor]:
    """Collect states, inputs, outputs, gradients and weights under the symbols of the lecture.

    Args:
        recording: Frames named x, h, o, y, or those of a function recorded at its call boundaries.
        names: What the recording calls a symbol, where it is not the symbol itself.
        sequence: Which sequence of the batch to read.

    Raises:
        WidgetError: The recording holds no state, or a symbol has another number of steps than the state.
    """
    called = {**_call_names(recording), **(names or {})}
    if called.get("h", "h") not in recording:
        raise WidgetError(
            f"the recording has no state to draw: it has {', '.join(recording.names) or 'no frame at all'}.",
            'tap the state as "h", or say what it is called: names={"h": "my_step.result"}.',
        )
    found: dict[str, Tensor] = {}
    for symbol in VECTORS:
        name = called.get(symbol, symbol)
        if name in recording:
            found[symbol] = _vectors([frame.value for frame in recording.of(name)], name, sequence)
            if (grads := _gradients(recording, name)) is not None:
                found[f"{symbol}.grad"] = _vectors(grads, name, sequence)
    _check_steps(found)
    return found | _weights(recording, called, sequence)


def partings(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mark the cells that differ from the reference, and keep its values, on the steps that both have.

    Raises:
        WidgetError: A vector has another size than in the reference.
    """
    found: dict[str, Tensor] = {}
    for name in VECTORS:
        if name not in ours or name not in theirs:
            continue
        a, b = ours[name].double(), theirs[name].double()
        if a.shape[1] != b.shape[1]:
            raise WidgetError(
                f"{name} has {a.shape[1]} entries a step and the reference has {b.shape[1]}.",
                "compare runs of the same sizes; the shapes alone say what to look for.",
            )
        both = min(len(a), len(b))
        apart = torch.zeros(a.shape, dtype=torch.bool)
        apart[:both] = ~torch.isclose(a[:both], b[:both], rtol=RTOL, atol=ATOL, equal_nan=True)
        apart[both:] = True
        expected = torch.full_like(a, torch.nan)
        expected[:both] = b[:both]
        found |= {f"{name}.differs": apart, f"{name}.reference": expected}
    return found


def first_parting(arrays: Mapping[str, Tensor]) -> Parting | None:
    """The earliest step with a differing cell; within it inputs come before states, states before outputs."""
    times = len(arrays["h"])
    for time in range(times):
        for name in VECTORS:
            apart = arrays.get(f"{name}.differs")
            if apart is not None and apart[time].any():
                unit = int(apart[time].nonzero()[0])
                values = (float(arrays[key][time, unit]) for key in (name, f"{name}.reference"))
                return Parting(name, time, unit, *values)
    return None


def _call_names(recording: Recording) -> dict[str, str]:
    """Symbols of a step function recorded by `record_calls`: its result is the state, its arguments the rest."""
    results = [name for name in recording.names if name.endswith(".result")]
    if "h" in recording or len(results) != 1:
        return {}
    call = results[0].removesuffix(".result")
    symbols = {symbol: f"{call}.{symbol}" for symbol in ("x", *WEIGHTS) if f"{call}.{symbol}" in recording}
    before = {"h0": f"{call}.h"} if f"{call}.h" in recording else {}
    return {"h": results[0], **symbols, **before}


def _gradients(recording: Recording, name: str) -> list[Tensor] | None:
    frames = recording.of(name)
    if all(frame.grad is None for frame in frames):
        return None
    # A value that the loss does not depend on gets no gradient from autograd: it is zero.
    return [torch.zeros_like(frame.value) if frame.grad is None else frame.grad for frame in frames]


def _vectors(values: list[Tensor], name: str, sequence: int) -> Tensor:
    """Stack to "t n", whether the frames hold one step each or a whole batch of sequences at once."""
    if len({value.shape for value in values}) > 1:
        shapes = sorted({tuple(value.shape) for value in values})
        raise WidgetError(f"{name} changes its shape from step to step: {shapes}.", "record one run at a time.")
    if len(values) == 1 and values[0].ndim == 3:
        return values[0][sequence]
    stacked = torch.stack(values)
    if stacked.ndim > 3:
        raise WidgetError(
            f"{name} has frames of shape {tuple(values[0].shape)}.",
            'a frame is one vector, "h" or a batch of them, "b h".',
        )
    if stacked.ndim == 1:
        return stacked[:, None]
    return stacked if stacked.ndim == 2 else stacked[:, sequence]


def _check_steps(found: Mapping[str, Tensor]) -> None:
    times = len(found["h"])
    for name, stacked in found.items():
        if len(stacked) != times:
            raise WidgetError(
                f"{name} has {len(stacked)} steps and h has {times}.",
                "record one run of the network, from its first step.",
            )


def _weights(recording: Recording, called: Mapping[str, str], sequence: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for symbol in WEIGHTS:
        name = called.get(symbol, symbol)
        if name in recording:
            value = recording.of(name)[0].value
        elif symbol in recording.labels:
            value = torch.tensor(recording.labels[symbol], dtype=torch.float64)
        else:
            continue
        found[symbol] = value[sequence] if symbol == "h0" and value.ndim == 2 else value
    return found
