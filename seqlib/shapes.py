"""The shape alphabet: one letter, one meaning, so that a signature reads as a sentence."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["ALPHABET", "Bool", "Float", "Int", "Tensor"]

ALPHABET = {
    "b": "sequences in a batch",
    "t": "time steps",
    "s": "time steps of the source sequence",
    "q": "query positions",
    "k": "key positions",
    "d": "features of the model",
    "i": "input features",
    "h": "hidden units",
    "o": "output features",
    "v": "value features",
    "n": "classes, or entries of a vocabulary",
    "l": "layers, counted once for each direction",
    "m": "any other size",
}
