"""A worker: it holds one assignment's checks, the key and a warm sandbox, and grades one submission after the other."""

import gc
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from seqlib.grading.graded import Graded, TimeLimits
from seqlib.grading.kit import load_kit
from seqlib.grading.limits import ProcessLimits, open_limits
from seqlib.grading.outputs import OutputLimits
from seqlib.grading.sandbox.box import AbstractBoxes, BoxLimits
from seqlib.grading.sandbox.cold import ColdStart
from seqlib.grading.sandbox.image import Image
from seqlib.grading.sandbox.warm import WarmForks, start_warm
from seqlib.grading.submitted import Submitted

__all__ = ["ISOLATIONS", "Worker", "WorkerSettings"]

ISOLATIONS = ("warm", "cold", "none")
"""How a submission is kept apart: forked from a warm sandbox, in a sandbox of its own, or not at all."""


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know; a value that can be sent to another machine with the same repository.

    Args:
        assignment: Its name.
        root: The instructors' repository.
        key: The course key.
        isolation: One of `ISOLATIONS`.
        time_limits: How long a submission may take.
        process_limits: Memory and processes of one submission.
        box_limits: What else it may use.
        output_limits: How much of what it prints is kept.
        devices: Device nodes of the GPU that this worker was given.
    """

    assignment: str
    root: Path
    key: bytes = field(repr=False)
    isolation: str = "warm"
    time_limits: TimeLimits = field(default_factory=TimeLimits)
    process_limits: ProcessLimits = field(default_factory=ProcessLimits)
    box_limits: BoxLimits = field(default_factory=BoxLimits)
    output_limits: OutputLimits = field(default_factory=OutputLimits)
    devices: Sequence[str] = ()


class Worker:
    """Grades submissions; use as a context manager.

    Args:
        settings: What it needs to know.
        control: A connection to a warm parent that others use too. None: it starts its own.
    """

    def __init__(self, settings: WorkerSettings, control: socket.socket | None = None) -> None:
        self.settings = settings
        self._stack, self._control = ExitStack(), control
        try:
            self.kit = load_kit(settings.assignment, settings.root)
            self.boxes = self._start()
            self._stack.callback(lambda: self.boxes.close())
            # Only now, so that the sandbox and this process import torch at the same time.
            from seqlib.checks.sources import Grader
            from seqlib.threads import limit_threads

            limit_threads(1)
            self._source = Grader(self.kit.suite, settings.key)
            gc.freeze()  # what is loaded by now stays: the collector need not go through it again and again
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def grade(self, submitted: Submitted) -> Graded:
        """Grade one submission.

        Raises:
            SandboxError: Our own side failed; the next submission gets a new sandbox.
        """
        from seqlib.grading.session import grade_submission

        if not self.boxes.alive:
            self.boxes.close()
            self.boxes = self._start()
        settings = self.settings
        graded = grade_submission(
            self.kit, submitted, self._source, self.boxes, settings.time_limits, settings.output_limits
        )
        return replace(graded, device="cuda" if settings.devices else "cpu")

    def close(self) -> None:
        """End the sandbox."""
        self._stack.close()

    @cached_property
    def _image(self) -> Image:
        return self._stack.enter_context(Image(self.settings.root, self.kit.public))

    def _start(self) -> AbstractBoxes:
        settings = self.settings
        if settings.isolation == "none":
            return ColdStart(self._image, settings.box_limits, isolated=False)
        limits = open_limits()
        self._stack.callback(limits.close)
        control, self._control = self._control, None
        if control is not None:  # only the first time: when that parent is gone, we start our own
            return WarmForks(control, settings.box_limits, limits, settings.process_limits)
        start = start_warm if settings.isolation == "warm" else ColdStart
        return start(
            self._image,
            settings.box_limits,
            limits=limits,
            process_limits=settings.process_limits,
            devices=settings.devices,
        )
