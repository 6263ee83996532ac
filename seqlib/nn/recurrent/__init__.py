"""Recurrent networks: the same weights at every step, and a state that carries what was read.

Symbols, throughout: a_t = W h_{t-1} + U x_t + b, h_t = tanh a_t, o_t = V h_t + c, y_t = softmax o_t.
A name is imported from its module when it is first used, so one module may be absent without breaking the others.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "CharModel": "characters",
    "Parameters": "parameters",
    "RNN": "deep",
    "clip_by_norm": "clipping",
    "gradient_norms": "jacobian",
    "jacobian_products": "jacobian",
    "linear_recurrence": "linear",
    "many_to_many": "heads",
    "many_to_one": "heads",
    "one_to_many": "heads",
    "one_to_one": "heads",
    "readout": "cell",
    "rnn": "layer",
    "rnn_step": "cell",
    "sample": "characters",
    "singular_values": "jacobian",
    "spectral_radius": "jacobian",
    "step_jacobians": "jacobian",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOME[name]}"
    try:
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name != home:
            raise
        raise AttributeError(f"{name} lives in {home}, which this edition of the course leaves out") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
