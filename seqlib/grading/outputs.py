"""What a notebook shows, collected under limits while it streams, as `nbformat` outputs."""

import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CellOutputs", "CellRun", "CellState", "NotebookOutputs", "OutputLimits"]

_HALF_PAIRS = re.compile("[\ud800-\udfff]")  # no text in UTF-8 can hold them
_DEEPEST = 40
_SHOWN = ("display_data", "error", "execute_result", "stream")


class CellState:
    """How running a cell ended."""

    OK = "ok"
    RAISED = "raised"
    INTERRUPTED = "interrupted"
    STUCK = "stuck"
    DIED = "died"


@dataclass(frozen=True, kw_only=True)
class OutputLimits:
    """How much of what a notebook prints is kept; the rest is dropped as it arrives."""

    cell_bytes: int = 1_000_000
    cell_outputs: int = 100
    notebook_bytes: int = 10_000_000


@dataclass(kw_only=True)
class CellRun:
    """One executed cell: how it ended and what it showed, as `nbformat` outputs."""

    state: str = CellState.OK
    outputs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float | int = 0.0


class NotebookOutputs:
    """The outputs of all cells: what is left of the whole notebook's share, and which may still be replaced."""

    def __init__(self, limits: OutputLimits) -> None:
        self.limits = limits
        self.left = limits.notebook_bytes
        self._named: dict[str, list[dict[str, Any]]] = {}

    def cell(self) -> "CellOutputs":
        """Outputs of the next cell."""
        return CellOutputs(self)

    def name(self, display_id: str, output: dict[str, Any]) -> None:
        """Remember an output that a later message may replace."""
        if len(self._named) < 1000:
            self._named.setdefault(display_id, []).append(output)

    def replace(self, display_id: str, made: dict[str, Any]) -> None:
        """Replace the outputs of that name, in whichever cell they are."""
        for output in self._named.get(display_id, ()):
            extra = _size(made["data"]) - _size(output["data"])
            if extra <= self.left:
                self.left -= extra
                output["data"], output["metadata"] = made["data"], made["metadata"]


class CellOutputs:
    """Outputs of one cell as they arrive, within limits."""

    def __init__(self, notebook: NotebookOutputs) -> None:
        self._notebook = notebook
        self._limits = notebook.limits
        self._room = max(0, min(notebook.limits.cell_bytes, notebook.left))
        self._outputs: list[dict[str, Any]] = []
        self._clear = self._cut = False
        self._used = 0

    def cut(self) -> None:
        """Note that something was dropped."""
        self._cut = True

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Take a kernel's message; whatever it holds, what is kept is well formed and small enough."""
        if _deeper(content, _DEEPEST):
            self._cut = True
            return
        if kind == "clear_output":
            self._clear = bool(content.get("wait"))
            if not self._clear:
                self._outputs.clear()
            return
        if kind == "update_display_data":
            name = _display_id(content)
            if name is not None and _size(content.get("data")) <= self._limits.cell_bytes:
                self._notebook.replace(name, _as_output("display_data", content))
            return
        if kind not in _SHOWN:
            return
        if self._clear:
            self._clear = False
            self._outputs.clear()
        if kind == "stream":
            self._stream("stderr" if content.get("name") == "stderr" else "stdout", _text(content.get("text")))
            return
        output = _as_output(kind, content)
        size = _size(output)
        if size > self._room - self._used or len(self._outputs) >= self._limits.cell_outputs:
            self._cut = True
            return
        self._used += size
        self._outputs.append(output)
        name = _display_id(content)
        if name is not None and kind != "error":
            self._notebook.name(name, output)

    def _stream(self, name: str, text: str) -> None:
        room = self._room - self._used
        if len(text) > room:
            self._cut = True
            text = text[:room]
        if not text:
            return
        self._used += len(text)
        last = self._outputs[-1] if self._outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["parts"].append(text)
        elif len(self._outputs) < self._limits.cell_outputs:
            self._outputs.append({"output_type": "stream", "name": name, "parts": [text]})
        else:
            self._cut = True

    def finished(self) -> list[dict[str, Any]]:
        """The outputs of the cell, which has ended."""
        self._notebook.left -= self._used
        for output in self._outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        if self._cut:
            note = "[more was printed; it is over the limit and not kept]\n"
            self._outputs.append({"output_type": "stream", "name": "stdout", "text": note})
        return self._outputs


def _as_output(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    if kind == "error":
        trace = content.get("traceback")
        lines = [_text(line) for line in trace] if isinstance(trace, list) else []
        return {
            "output_type": kind,
            "ename": _text(content.get("ename")),
            "evalue": _text(content.get("evalue")),
            "traceback": lines,
        }
    data, metadata = content.get("data"), content.get("metadata")
    made: dict[str, Any] = {
        "output_type": kind,
        "data": _mime_bundle(data) if isinstance(data, dict) else {},
        "metadata": metadata if isinstance(metadata, dict) else {},
    }
    if kind == "execute_result":
        count = content.get("execution_count")
        made["execution_count"] = count if type(count) is int and 0 <= count < 1_000_000 else None
    return made


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects lie in each other deeper than that: our own code that walks through them would fail."""
    layer = [value]
    for _ in range(levels):
        layer = [
            part for one in layer if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one) if isinstance(part, dict | list)
        ]  # fmt: skip
        if not layer:
            return False
    return True


def _mime_bundle(data: dict[str, Any]) -> dict[str, Any]:
    """Of what is said to be shown, what a notebook may hold: texts, and JSON under a name that says so."""
    return {name: value for name, value in data.items() if isinstance(value, str) or name.endswith("json")}


def _display_id(content: dict[str, Any]) -> str | None:
    transient = content.get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name if isinstance(name, str) and len(name) <= 200 else None


def _text(value: Any) -> str:
    return _HALF_PAIRS.sub("\ufffd", value) if isinstance(value, str) else ""


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return len(str(value))
