"""A recording: named, ordered frames with their gradients, and its file (safetensors with a JSON header)."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from seqlib.errors import TraceError
from seqlib.files import write_whole

__all__ = ["Frame", "Recording"]

_VERSION = "1"


@dataclass
class Frame:
    """One value under one name.

    Attributes:
        name: What the value is called where it is made, such as `h`.
        index: How many frames of this name came before.
        value: The value, detached and on the CPU.
        grad: The gradient of the loss with respect to the value, once `backward` has run; otherwise None.
    """

    name: str
    index: int
    value: Tensor
    grad: Tensor | None = None


@dataclass
class Recording:
    """Frames in the order in which they were tapped.

    Attributes:
        frames: All frames, oldest first.
        labels: Free JSON data about the recording, such as the tokens that were read.

    >>> rec = Recording.from_arrays({"h": torch.tensor([[0.0, 0.5], [1.0, 1.5]])})
    >>> rec["h"].shape, rec.frames[1].index
    (torch.Size([2, 2]), 1)
    """

    frames: list[Frame] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Tensor], labels: Mapping[str, Any] | None = None) -> "Recording":
        """Make a recording from values that are already stacked, one frame for each entry of the first axis."""
        made = cls(labels=dict(labels or {}))
        for name, stacked in arrays.items():
            for value in stacked:
                made.append(name, value)
        return made

    def append(self, name: str, value: Tensor) -> Frame:
        """Keep a detached copy of a value under a name, and return its frame."""
        index = self._counts.get(name, 0)
        self._counts[name] = index + 1
        frame = Frame(name, index, value.detach().to("cpu", copy=True))
        self.frames.append(frame)
        return frame

    @property
    def names(self) -> list[str]:
        """The names that were tapped, in the order of their first frame."""
        return list(dict.fromkeys(frame.name for frame in self.frames))

    def __contains__(self, name: object) -> bool:
        return any(frame.name == name for frame in self.frames)

    def __getitem__(self, name: str) -> Tensor:
        return self._stack(name, self.values(name))

    def of(self, name: str) -> list[Frame]:
        """All frames of one name, oldest first.

        Raises:
            TraceError: Nothing was tapped under this name.
        """
        found = [frame for frame in self.frames if frame.name == name]
        if not found:
            raise TraceError(
                f"the recording has no frame called {name!r}; it has {', '.join(self.names) or 'none at all'}.",
                f"tap the value where it is made, tap({name!r}, value), inside `with recording()`.",
            )
        return found

    def values(self, name: str) -> list[Tensor]:
        """The values under one name, which may differ in shape from step to step."""
        return [frame.value for frame in self.of(name)]

    def gradients(self, name: str) -> Tensor:
        """The gradients of the loss with respect to the values under one name, stacked.

        Raises:
            TraceError: No gradient reached some frame of this name.
        """
        grads = [frame.grad for frame in self.of(name)]
        missing = [index for index, grad in enumerate(grads) if grad is None]
        if missing:
            raise TraceError(
                f"no gradient reached frame {missing[0]} of {name!r} ({len(missing)} of {len(grads)} are without).",
                "record with recording(backward=True) and call backward() on a loss that depends on the value.",
            )
        return self._stack(name, [grad for grad in grads if grad is not None])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to one safetensors file whose header says the order; a crash leaves the old file.

        Raises:
            TraceError: The file can't be written.
        """
        tensors = {f"{n}.value": frame.value.contiguous() for n, frame in enumerate(self.frames)}
        tensors |= {
            f"{n}.grad": frame.grad.contiguous() for n, frame in enumerate(self.frames) if frame.grad is not None
        }
        header = {"seqlib_recording": _VERSION, "names": json.dumps([frame.name for frame in self.frames])}
        header["labels"] = json.dumps(self.labels)
        write_whole(path, save(tensors, metadata=header), error=TraceError)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Recording":
        """Read a recording that `save` wrote.

        Raises:
            TraceError: The file is absent, is no safetensors file, or is one of something else.
        """
        hint = "pass a file that Recording.save wrote."
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("seqlib_recording") != _VERSION:
                    raise TraceError(f"{os.fspath(path)} holds tensors but no recording.", hint)
                made = cls(labels=json.loads(header["labels"]))
                stored = set(file.keys())
                for n, name in enumerate(json.loads(header["names"])):
                    frame = made.append(name, file.get_tensor(f"{n}.value"))
                    frame.grad = file.get_tensor(f"{n}.grad") if f"{n}.grad" in stored else None
                return made
        except (OSError, SafetensorError) as error:
            raise TraceError(f"{os.fspath(path)} can't be read as a recording ({error}).", hint) from error

    def _stack(self, name: str, values: list[Tensor]) -> Tensor:
        shapes = sorted({tuple(value.shape) for value in values})
        if len(shapes) > 1:
            raise TraceError(
                f"the frames of {name!r} differ in shape: {', '.join(map(str, shapes))}.",
                f"read them one by one with .values({name!r}).",
            )
        return torch.stack(values)
