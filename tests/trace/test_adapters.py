"""Recording modules through hooks and functions at their call boundaries."""

import operator

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from seqlib.errors import TraceError
from seqlib.trace import record_calls, recording, watch


def test_watch_names_every_submodule(rng):
    """Each submodule's output is kept under its dotted name, in the order in which they ran."""
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh()))
    x = torch.randn(5, 2, generator=rng)

    with recording() as frames, watch(net):
        y = net(x)

    assert frames.names == ["0", "1.0", "1", "output"]
    assert_close(frames["output"][0], y.detach())
    assert_close(frames["0"][0].tanh(), y.detach())


def test_watch_takes_its_hooks_away():
    """After the block the module records nothing."""
    net = nn.Linear(1, 1)
    with watch(net):
        pass

    with recording() as frames:
        net(torch.ones(1, 1))

    assert frames.frames == []


def test_watch_opens_tuples():
    """A module that returns a nested tuple, as nn.LSTM does, gives a frame for each part."""
    net = nn.LSTM(2, 3)

    with recording() as frames, watch(net):
        net(torch.ones(4, 1, 2))

    assert frames.names == ["output.0", "output.1.0", "output.1.1"]


def test_calls_are_recorded_by_argument_name(rng):
    """Arguments, given by place or by name, and every part of the result have a frame a call."""

    def step(x, h, *, scale=1.0):
        return x + h, {"scaled": h * scale}

    recorded = record_calls(step)
    with recording() as frames:
        recorded(torch.ones(2), torch.zeros(2), scale=2.0)
        recorded(torch.ones(2), h=torch.ones(2))

    assert frames.names == ["step.x", "step.h", "step.scale", "step.result.0", "step.result.1.scaled"]
    assert_close(frames["step.h"], torch.tensor([[0.0, 0.0], [1.0, 1.0]]))


def test_wrapping_keeps_result_and_name():
    """The wrapped function answers as before and keeps its name."""

    def double(x):
        return 2 * x

    recorded = record_calls(double)

    assert recorded(21) == 42
    assert recorded.__name__ == "double"


def test_builtin_without_signature():
    """A function that tells no signature is recorded by place."""
    recorded = record_calls(max, "largest")

    with recording() as frames:
        recorded(1, 2)

    assert frames.names == ["largest.0", "largest.1", "largest.result"]


def test_operator_has_a_signature():
    """A function from the standard library is recorded by its argument names."""
    with recording() as frames:
        record_calls(operator.add)(1, 2)

    assert frames.names == ["add.a", "add.b", "add.result"]


def test_not_callable():
    """Passing a result where a function is meant says so."""
    with pytest.raises(TraceError) as caught:
        record_calls(3)

    assert str(caught.value) == "3 is not a function.\nHint: pass the function itself, without calling it."
