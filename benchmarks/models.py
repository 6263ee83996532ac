"""What the recurrent layer costs: its taps, its openness, and beside torch.nn.RNN; `python -m benchmarks.models`."""

import ast
import inspect
import statistics
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.testing import assert_close

from benchmarks._timing import Race, race
from seqlib.nn.recurrent import RNN, layer, steps
from seqlib.threads import limit_threads
from seqlib.trace import tap

# What it is like, sequences in a batch, steps, inputs, hidden units: short, so that a turn takes milliseconds.
SIZES = (("small", 32, 50, 2, 32), ("adding", 32, 100, 2, 32), ("characters", 32, 50, 70, 128))
LIMITS = {"taps": 1.02, "direct": 1.02, "open": 1.05}

Layer = Callable[[Tensor], Tensor]


def main(
    rounds: Annotated[int, typer.Option(help="Turns that each contestant gets.")] = 400,
    seed: Annotated[int, typer.Option(help="Where weights and inputs come from.")] = 0,
) -> None:
    """Compare the outputs, then race each pair of contestants on one thread, and print one row a race."""
    limit_threads(1)
    print(f"torch {torch.__version__}, one thread, {rounds} turns each, float32; milliseconds of processor time a run")
    print(f"{'race':<26}{'size':<12}{'way':<10}{'min':>14}{'median':>16}{'of minima':>11}{'ratio':>8}  limit")
    for size, batch, length, inputs, hidden in SIZES:
        generator = torch.Generator().manual_seed(seed)
        ours = RNN(inputs, hidden, generator=generator)
        x = torch.randn(batch, length, inputs, generator=generator)
        for key, (title, left, right) in contests(ours).items():
            assert_close(left(x), right(x), rtol=1e-5, atol=1e-6)
            for run in (read, learn):
                result = race(partial(run, left, x), partial(run, right, x), rounds)
                report(f"{title:<26}{size:<12}{run.__name__:<10}", result, LIMITS.get(key))


def contests(ours: RNN) -> dict[str, tuple[str, Layer, Layer]]:
    """Name the races, and the two layers of each, all with the same weights."""
    weights = dict(zip("WUb", ours.parameters(), strict=True))
    layer_of_ours = partial(layer.rnn, **weights)
    theirs = peer(**weights)
    return {
        "taps": ("rnn / without its taps", layer_of_ours, partial(without_taps(), **weights)),
        "direct": ("two taps a step / none", partial(tapped, **weights), partial(bare, **weights)),
        "open": ("rnn / bare torch", layer_of_ours, partial(bare, **weights)),
        "torch": ("RNN / torch.nn.RNN", lambda x: ours(x)[0], lambda x: theirs(x)[0]),
    }


def bare(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """The same equation as one would write it in torch for speed: no taps, no checks, no options."""
    drive = (x @ U.mT + b).unbind(1)
    transposed = W.mT
    h = x.new_zeros(len(x), len(W))
    states = []
    for drive_t in drive:
        h = torch.addmm(drive_t, h, transposed).tanh_()
        states.append(h)
    return torch.stack(states, dim=1)


def tapped(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """The bare equation with a tap around each value of a step, called whether anything records or not."""
    drive = (x @ U.mT + b).unbind(1)
    transposed = W.mT
    h = x.new_zeros(len(x), len(W))
    states = []
    for drive_t in drive:
        h = tap("h", tap("a", torch.addmm(drive_t, h, transposed)).tanh_())
        states.append(h)
    return torch.stack(states, dim=1)


def without_taps() -> Callable[..., Tensor]:
    """Our layer from its own source, each `tap(name, value)` replaced by `value`."""
    tap_steps = _strip(steps, {})["tap_steps"]
    return _strip(layer, {"tap_steps": tap_steps})["rnn"]


def peer(W: Tensor, U: Tensor, b: Tensor) -> torch.nn.RNN:
    """A torch.nn.RNN with given weights, and nothing in its second bias."""
    made = torch.nn.RNN(U.shape[1], len(W), batch_first=True)
    made.load_state_dict({"weight_ih_l0": U, "weight_hh_l0": W, "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)})
    return made


def read(function: Layer, x: Tensor) -> None:
    """Run the layer and keep nothing for a way back."""
    with torch.no_grad():
        function(x)


def learn(function: Layer, x: Tensor) -> None:
    """Run the layer and carry a gradient back to its weights."""
    function(x).sum().backward()


def report(title: str, result: Race, limit: float | None) -> None:
    """Print one row."""
    minima, medians = (
        f"{of(result.ours) * 1e3:.2f} / {of(result.theirs) * 1e3:.2f}" for of in (min, statistics.median)
    )
    held = "" if limit is None else f"{limit} {'held' if result.ratio <= limit else 'NOT HELD'}"
    print(f"{title}{minima:>14}{medians:>16}{result.ratio_of_minima:>11.3f}{result.ratio:>8.3f}  {held}", flush=True)


class _Untap(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node.args[1] if isinstance(node.func, ast.Name) and node.func.id == "tap" else node


def _strip(module: ModuleType, replaced: dict[str, Any]) -> dict[str, Any]:
    tree = ast.fix_missing_locations(_Untap().visit(ast.parse(inspect.getsource(module))))
    namespace: dict[str, Any] = {"__name__": f"{module.__name__}_untapped"}
    exec(compile(tree, f"{module.__file__} without taps", "exec"), namespace)
    namespace.update(replaced)
    return namespace


if __name__ == "__main__":
    try:
        typer.run(main)
    except SystemExit as end:  # typer always ends the process, and would end the benchmarks that follow too
        if end.code:
            raise
