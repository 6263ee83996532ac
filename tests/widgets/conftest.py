"""Steppers that several tests draw, and a page in Chromium to draw them on."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from seqlib.trace import Recording, recording, tap
from seqlib.widgets import CtcTrellisStepper, RecurrentStepper, Stepper

HARNESS = runpy.run_path(str(Path(__file__).with_name("harness.py")))


@pytest.fixture(scope="session")
def harness() -> dict[str, Any]:
    """The names of harness.py."""
    return HARNESS


@pytest.fixture(scope="session")
def record() -> Callable[..., Recording]:
    """Record a small recurrent network, with the gradients of a loss at its last output."""

    def run(times: int = 6, inputs: int = 3, hidden: int = 4, outputs: int = 3, backward: bool = True) -> Recording:
        rng = torch.Generator().manual_seed(3)
        W = (torch.randn(hidden, hidden, generator=rng) * 1.3 / hidden**0.5).requires_grad_()
        U, b = torch.randn(hidden, inputs, generator=rng), 0.1 * torch.randn(hidden, generator=rng)
        V, c = torch.randn(outputs, hidden, generator=rng) / hidden**0.5, torch.zeros(outputs)
        x = torch.eye(inputs)[torch.randint(inputs, (times,), generator=rng)]
        h = torch.zeros(hidden)
        with recording(backward=backward) as frames:
            for t in range(times):
                h = tap("h", torch.tanh(W @ h + U @ tap("x", x[t]) + b))
                o = tap("o", V @ h + c)
            if backward:
                cross_entropy(o[None], torch.tensor([1])).backward()
        weights = {"W": W, "U": U, "b": b, "V": V, "c": c}
        frames.labels = {name: value.tolist() for name, value in weights.items()}
        return frames

    return run


@pytest.fixture(scope="session")
def small(record: Callable[..., Recording]) -> RecurrentStepper:
    """Six steps of four units, forward and backward."""
    return RecurrentStepper(record(), tokens="stream", title="A small network")


@pytest.fixture(scope="session")
def parting(record: Callable[..., Recording]) -> RecurrentStepper:
    """A run whose third state has one wrong unit, beside the right one."""
    wrong = record()
    wrong.of("h")[2].value[1] += 0.5
    return RecurrentStepper(wrong, reference=record(), title="Beside the reference")


@pytest.fixture(scope="session")
def long(record: Callable[..., Recording]) -> RecurrentStepper:
    """Two hundred steps of 64 units."""
    return RecurrentStepper(record(200, 28, 64, 28), title="A long run")


@pytest.fixture(scope="session")
def trellis() -> CtcTrellisStepper:
    """Eight frames that spell "caa"."""
    rng = torch.Generator().manual_seed(0)
    log_probs = (1.5 * torch.randn(8, 4, generator=rng)).log_softmax(-1)
    return CtcTrellisStepper(log_probs, [1, 2, 2], ["–", "c", "a", "t"])


@pytest.fixture
def show(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page with steppers on it; an error in the page's own code fails the test."""
    contexts, errors = [], []

    def opened(*steppers: Stepper, width: int = 1280, height: int = 720, dark: bool = False, style: str = "") -> Any:
        scheme = "dark" if dark else "light"
        viewport = {"width": width, "height": height}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        file = tmp_path / "page.html"
        file.write_text(HARNESS["page_of"](steppers, style), encoding="utf-8")
        page.goto(file.as_uri())
        page.wait_for_function("window.ready", timeout=20_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
