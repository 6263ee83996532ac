"""The steppers of an executed notebook, packed for a page without a kernel: each module once, frames compressed."""

import base64
import gzip
import hashlib
import html
import json
from typing import Any

from nbformat import NotebookNode

__all__ = ["Steppers"]

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# What Jupyter's own hosts use, and the page's does not.
_HOST_KEYS = {"layout", "tabbable", "tooltip"}
_WORTH_COMPRESSING = 0.9


class Steppers:
    """Collects what the page's steppers need while its outputs are written.

    Args:
        notebook: The executed notebook, with the state of its widgets.
    """

    def __init__(self, notebook: NotebookNode) -> None:
        self._state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        self._modules: dict[str, str] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self.styles: list[str] = []

    def place(self, data: dict[str, Any]) -> str | None:
        """Return the element that the stepper of an output moves into, or None if it shows no stepper."""
        model_id = data.get(VIEW, {}).get("model_id", "")
        model = self._state.get(model_id)
        if model is None or "_esm" not in model["state"]:
            return None
        self._models.setdefault(model_id, self._packed(model))
        title = html.escape(model["state"].get("title") or "A stepper")
        text = html.escape(data.get("text/plain", ""))
        return (
            f'<div class="stepper" data-model="{model_id}">'
            f"<details><summary>{title}, as text</summary><pre>{text}</pre></details></div>"
        )

    def payload(self) -> str:
        """Everything that the shim reads, as JSON that may stand inside a script element."""
        return json.dumps({"modules": self._modules, "models": self._models}).replace("</", "<\\/")

    def __bool__(self) -> bool:
        return bool(self._models)

    def _packed(self, model: dict[str, Any]) -> dict[str, Any]:
        state = model["state"]
        key = hashlib.sha256(state["_esm"].encode()).hexdigest()[:12]
        self._modules[key] = state["_esm"]
        if state.get("_css") and state["_css"] not in self.styles:
            self.styles.append(state["_css"])
        return {
            "module": key,
            "state": {name: value for name, value in state.items() if name[0] != "_" and name not in _HOST_KEYS},
            "buffers": {
                buffer["path"][0]: _compressed(base64.b64decode(buffer["data"])) for buffer in model.get("buffers", [])
            },
        }


def _compressed(raw: bytes) -> dict[str, Any]:
    small = gzip.compress(raw, 9, mtime=0)
    worth = len(small) < _WORTH_COMPRESSING * len(raw)
    return {"gzip": worth, "base64": base64.b64encode(small if worth else raw).decode()}
