"""The stepper of an unrolled recurrent network: forward in time, then backward where gradients were recorded."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from seqlib.shapes import Tensor
from seqlib.trace import Recording
from seqlib.widgets.modules import inline
from seqlib.widgets.readings import Parting, first_parting, partings, read
from seqlib.widgets.stepper import Stepper

__all__ = ["RecurrentStepper"]

MOST_TIMES_IN_PARTS = 8
MOST_NUMBERS = 6
# What would not be seen, or would be read as a formula.
SIGNS = str.maketrans({"\n": "↵", "\t": "⇥", "_": "＿", "^": "ˆ"})


class RecurrentStepper(Stepper):
    r"""Step through $h_t = \tanh(W h_{t-1} + U x_t + b)$ and, backward, through $\partial L / \partial h_t$.

    Args:
        recording: Frames `h` and, where they were recorded, `x`, `o`, `y`; or one function recorded by `record_calls`.
            Weights W, U, b, V, c and the first state h0 come from frames or labels of these names, for the equations.
        tokens: What was read at each step, to stand below the columns; the label `tokens` of the recording otherwise.
        title: What the stepper shows.
        reference: A recording of the right values: cells that part from it are outlined, and the stepper starts there.
        predict: Questions by step, see `Stepper`.
        names: What the recording calls a symbol, such as `{"h": "layer.h"}`.
        sequence: Which sequence of a batch to draw.
        grain: "part" steps through input, state and output one by one, "step" takes a time step at once.
            None: parts for short sequences.

    Raises:
        WidgetError: The recording holds no state, or its sizes do not fit together or to the reference.
    """

    _esm = inline("recurrent")

    def __init__(
        self,
        recording: Recording,
        *,
        tokens: Sequence[str] | None = None,
        title: str = "A recurrent network, unrolled in time",
        reference: Recording | None = None,
        predict: Mapping[int, str | Mapping[str, Any]] | None = None,
        names: Mapping[str, str] | None = None,
        sequence: int = 0,
        grain: Literal["part", "step"] | None = None,
    ) -> None:
        arrays = read(recording, names, sequence)
        parting = None
        if reference is not None:
            arrays |= partings(arrays, read(reference, None, sequence))
            parting = first_parting(arrays)
        times = len(arrays["h"])
        read_tokens = [_visible(str(token)) for token in tokens or recording.labels.get("tokens", [])]
        plan = _plan(arrays, grain or ("part" if times <= MOST_TIMES_IN_PARTS else "step"))
        start = _step_of(plan, parting)
        texts = [_text(arrays, each, read_tokens) for each in plan]
        if reference is not None:
            texts[start] = f"{_verdict(parting)} {texts[start]}"
        super().__init__(
            arrays,
            texts,
            title=title,
            labels={
                "plan": plan,
                "times": times,
                "tokens": read_tokens or None,
                "parting": parting and {"step": start, "id": f"{parting.name}{parting.time}", "i": parting.unit},
            },
            predict=predict,
            step=start,
        )


def _visible(token: str) -> str:
    return (token if token.strip(" ") else token.replace(" ", "␣")).translate(SIGNS)


def _plan(arrays: Mapping[str, Tensor], grain: str) -> list[dict[str, Any]]:
    times = len(arrays["h"])
    parts = [name for name in ("x", "h", "y" if "y" in arrays else "o") if name in arrays]
    groups = [[part] for part in parts] if grain == "part" else [parts]
    forward = [{"t": t, "parts": group, "pass": "forward"} for t in range(times) for group in groups]
    back = [part for part in parts if f"{part}.grad" in arrays]
    if "h" not in back:
        return forward
    return forward + [{"t": t, "parts": back, "pass": "backward"} for t in reversed(range(times))]


def _step_of(plan: Sequence[Mapping[str, Any]], parting: Parting | None) -> int:
    if parting is None:
        return 0
    return next(i for i, each in enumerate(plan) if each["t"] == parting.time and parting.name in each["parts"])


def _verdict(parting: Parting | None) -> str:
    if parting is None:
        return "Every recorded value agrees with the reference."
    return (
        f"Here the recording first parts from the reference: {parting.name}_{_sub(parting.time + 1)}[{parting.unit}] "
        f"is {_number(parting.value)}, expected {_number(parting.expected)}."
    )


def _text(arrays: Mapping[str, Tensor], step: Mapping[str, Any], tokens: Sequence[str]) -> str:
    t, parts = step["t"], step["parts"]
    if step["pass"] == "backward":
        return _backward_text(arrays["h.grad"], t)
    token = f" “{tokens[t]}”" if t < len(tokens) else ""
    said = {
        "x": f"the input{token} arrives, x_{_sub(t + 1)}",
        "h": f"the state becomes h_{_sub(t + 1)}",
        "o": f"the scores are o_{_sub(t + 1)}",
        "y": f"the output is y_{_sub(t + 1)}",
    }
    return f"t = {t + 1}: " + "; ".join(f"{said[part]}{_vector(arrays[part][t])}" for part in parts) + "."


def _backward_text(grads: Tensor, t: int) -> str:
    size = float(grads[t].norm())
    text = f"Backward, t = {t + 1}: the gradient of the loss by h_{_sub(t + 1)} has length {_number(size)}"
    if t + 1 == len(grads):
        return f"{text}; from here it flows back in time."
    later = float(grads[t + 1].norm())
    ratio = f", {_number(size / later)} times that of h_{_sub(t + 2)}" if later > 0 else ""
    return f"{text}{ratio}."


def _vector(values: Tensor) -> str:
    if len(values) > MOST_NUMBERS:
        return f" (length {_number(float(values.norm()))})"
    return f" = ({', '.join(_number(float(value)) for value in values)})"


def _sub(time: int) -> str:
    return str(time) if time < 10 else f"{{{time}}}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
