"""Mutated messages of a running cell: what the host keeps of them is small, and a valid notebook's."""

import json
import random
import socket

import nbformat

from seqlib.grading.outputs import NotebookOutputs, OutputLimits
from seqlib.grading.sandbox.box import Box, BoxLimits
from seqlib.grading.sandbox.inside.frames import LENGTH
from tests.fuzz.mutate import mutated

__all__ = ["Outputs"]

_LIMITS = OutputLimits(cell_bytes=2000, cell_outputs=10, notebook_bytes=4000)
_MESSAGES = (
    ("stream", {"name": "stdout", "text": "a line\n" * 30}),
    ("display_data", {"data": {"text/plain": "x", "image/png": "iVBORw0KGgo="}, "metadata": {}, "transient": {}}),
    ("display_data", {"data": {"text/html": "<b>x</b>"}, "metadata": {}, "transient": {"display_id": "d"}}),
    ("update_display_data", {"data": {"text/html": "<i>y</i>"}, "metadata": {}, "transient": {"display_id": "d"}}),
    ("execute_result", {"data": {"text/plain": "[1, 2]"}, "metadata": {}, "execution_count": 3}),
    ("error", {"ename": "ValueError", "evalue": "no", "traceback": ["one", "two"]}),
    ("clear_output", {"wait": True}),
    ("done", {}),
)


class Outputs:
    """Runs one cell whose process sends damaged messages.

    Args:
        generator: Where chance comes from.
    """

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator

    def one(self) -> str:
        """One cell: how it ended. What was kept of it has been looked at."""
        cells, theirs = socket.socketpair()
        leash, their_leash = socket.socketpair()
        with cells, theirs, leash, their_leash:
            box = Box(cells, leash, None, NotebookOutputs(_LIMITS), BoxLimits(grace_s=0.01))
            theirs.sendall(b"".join(self._frame(kind, content) for kind, content in _MESSAGES))
            theirs.shutdown(socket.SHUT_WR)
            run = box.run("1", 0.05)
            box.close()
        cell = {"cell_type": "code", "id": "a", "execution_count": None, "metadata": {}, "source": "1"}
        notebook = {"cells": [cell | {"outputs": run.outputs}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        size = len(json.dumps(run.outputs))
        if size > 10 * _LIMITS.cell_bytes:
            raise AssertionError(f"{size} bytes were kept")
        nbformat.validate(nbformat.from_dict(notebook))
        return run.state

    def _frame(self, kind: str, content: dict[str, object]) -> bytes:
        text = json.dumps({"kind": kind, "seq": 1, "content": content}).encode()
        frame = LENGTH.pack(len(text)) + text
        if self._generator.random() < 0.5:
            return frame
        if self._generator.random() < 0.8:  # the frame holds, and what is in it does not
            text = mutated(text, self._generator)
            return LENGTH.pack(len(text)) + text
        return mutated(frame, self._generator)
