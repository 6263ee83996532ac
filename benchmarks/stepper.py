"""What a step costs: key press to painted in Chromium, beside ipywidgets.interact with matplotlib; 64 x 64 x 12 cells.

`python -m benchmarks.stepper`
"""

import contextlib
import io
import runpy
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from seqlib.threads import limit_threads
from seqlib.widgets import Stepper, inline

HERE = Path(__file__).parent
HARNESS = HERE.parent / "tests" / "widgets" / "harness.py"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HEADS, SIZE, STEPS = 12, 64, 24
FRAME_MS = 1000 / 60

# A press is followed to the first task after the frame that shows it. In turns with the steps, "idle" presses a key
# without meaning, and "dot" changes the colour of one pixel: the cheapest frame that shows anything at all.
# Presses come at random moments, so that none waits for the display more than another.
MEASURE = """async (count) => {
  const stage = document.querySelector(".sq-stage");
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  }));
  const times = { step: [], idle: [], dot: [], script: [] };
  const dot = document.body.appendChild(document.createElement("div"));
  dot.style.cssText = "position: fixed; right: 0; top: 0; width: 1px; height: 1px";
  for (let i = 0; i < 3 * count; i++) {
    await new Promise((done) => setTimeout(done, 40 + 40 * Math.random()));
    const kind = ["step", "idle", "dot"][i % 3];
    const atEnd = document.querySelector(".seqlib-stepper").dataset.step === String(models[0].get("texts").length - 1);
    const key = kind !== "step" ? "F13" : atEnd ? "Home" : "ArrowRight";
    const start = performance.now();
    if (kind === "dot") dot.style.background = i % 2 ? "red" : "blue";
    stage.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    if (kind === "step") times.script.push(performance.now() - start);
    times[kind].push(await painted() - start);
  }
  return times;
}"""


class HeadsStepper(Stepper):
    """Twelve heads of weights, drawn by heads.js."""

    _esm = inline(HERE / "heads.js")


def main(
    presses: Annotated[int, typer.Option(help="Key presses, and as many idle frames between them.")] = 120,
    browser: Annotated[str, typer.Option(help="The browser to drive.")] = "/usr/bin/chromium",
) -> None:
    """Measure both ways in one run and print them with their ratio."""
    limit_threads(1)
    scores = 3 * torch.randn(STEPS, HEADS * SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    weights = scores.softmax(-1)
    times = in_browser(weights, presses, browser)
    step, idle, dot, script = (statistics.median(times[kind]) for kind in ("step", "idle", "dot", "script"))
    redraw = 1000 * statistics.median(with_matplotlib(weights))
    added = step - idle
    print(f"{HEADS} heads of {SIZE} x {SIZE} cells, {presses} presses, milliseconds, medians")
    print(f"stepper: key press to painted      {step:8.1f}   of which our script {script:.1f}")
    print(f"floor: a frame with nothing new    {idle:8.1f}")
    print(f"floor: a frame with one new pixel  {dot:8.1f}")
    print(f"stepper over the idle floor        {added:8.1f}   limit {FRAME_MS:.1f} (one frame)")
    print(f"interact + matplotlib, Python only {redraw:8.1f}   before its image travels and is decoded")
    print(f"ratio to the stepper               {redraw / step:8.1f}")


def in_browser(weights: Tensor, presses: int, browser: str) -> dict[str, list[float]]:
    """Time presses and idle frames on a page with the stepper and no kernel."""
    from playwright.sync_api import sync_playwright

    stepper = HeadsStepper({"weights": weights}, [f"step {t}" for t in range(STEPS)], title="Twelve heads")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "page.html")
        file.write_text(runpy.run_path(str(HARNESS))["page_of"]([stepper]), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(file.as_uri())
        page.wait_for_function("window.ready")
        page.evaluate(MEASURE, 10)  # the first steps make the tables and warm the compiler
        return page.evaluate(MEASURE, presses)


def with_matplotlib(weights: Tensor) -> Iterator[float]:
    """Time the callback of `interact`, from a new slider value to the finished image."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from ipywidgets import IntSlider, interactive

    def draw(step: int) -> None:
        figure, axes = plt.subplots(2, 6, figsize=(12, 4))
        for axis, head in zip(axes.flat, weights[step].reshape(HEADS, SIZE, SIZE), strict=True):
            axis.imshow(head, vmin=0, vmax=0.2, cmap="cividis")
            axis.set_axis_off()
        figure.savefig(io.BytesIO(), format="png", dpi=100)
        plt.close(figure)

    slider = IntSlider(min=0, max=STEPS - 1)
    widget: Any = interactive(draw, step=slider)
    with contextlib.redirect_stdout(io.StringIO()):
        widget.update()
        for step in range(1, 13):
            start = time.perf_counter()
            slider.value = step
            yield time.perf_counter() - start


if __name__ == "__main__":
    typer.run(main)
