"""The trellis of CTC against brute force and torch, and what it shows of the core: that it is general."""

import itertools
import math

import pytest
import torch
from torch.nn.functional import ctc_loss

from seqlib.errors import WidgetError
from seqlib.widgets import CtcTrellisStepper
from seqlib.widgets.frames import unpack
from seqlib.widgets.modules import HERE

SYMBOLS = ["–", "a", "b"]


def made(rng, times, target):
    log_probs = torch.randn(times, 3, generator=rng, dtype=torch.float64).log_softmax(-1)
    return log_probs, CtcTrellisStepper(log_probs, target, SYMBOLS)


def collapse(path):
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]


@pytest.mark.parametrize("target", [[1], [1, 2], [1, 1], [2, 1, 2]])
def test_the_total_is_the_sum_over_all_paths(rng, target):
    """The probability of the target equals a sum over every path that collapses to it, and torch's loss."""
    log_probs, stepper = made(rng, 5, target)
    paths = [path for path in itertools.product(range(3), repeat=5) if collapse(path) == target]
    total = sum(math.exp(sum(float(log_probs[t, s]) for t, s in enumerate(path))) for path in paths)

    assert math.isclose(math.exp(stepper.labels["total"]), total, rel_tol=1e-12)
    loss = ctc_loss(log_probs[:, None], torch.tensor([target]), torch.tensor([5]), torch.tensor([len(target)]))
    assert math.isclose(-stepper.labels["total"] / len(target), float(loss), rel_tol=1e-9)


def test_at_each_frame_the_shares_sum_to_one(rng):
    """Every path passes exactly one place at each frame; so forward times backward misses and doubles nothing."""
    _, stepper = made(rng, 7, [1, 1, 2])

    share = unpack(stepper.meta, stepper.frames)["share"]

    assert torch.allclose(share.sum(1), torch.ones(7))


def test_a_place_out_of_reach_weighs_nothing(rng):
    """The first frame can only be the first blank or the first symbol."""
    _, stepper = made(rng, 5, [1, 2])

    alpha = unpack(stepper.meta, stepper.frames)["alpha"]

    assert alpha[0, 2:].eq(-torch.inf).all()


def test_each_step_is_said(rng):
    """Forward, backward, and both together, one sentence each."""
    _, stepper = made(rng, 4, [1])

    assert len(stepper.texts) == 4 + 4 + 1
    assert stepper.texts[4].startswith("Backward, t = 4: the endings weigh ")


def test_targets_that_cannot_be_read_are_refused(rng):
    """A repeat needs a blank between; a blank is not asked for."""
    log_probs = torch.zeros(2, 3).log_softmax(-1)
    with pytest.raises(WidgetError, match="2 frames cannot spell the target: it needs 3"):
        CtcTrellisStepper(log_probs, [1, 1], SYMBOLS)
    with pytest.raises(WidgetError, match=r"target \[1, 0\] is not made of symbols 1 to 2"):
        CtcTrellisStepper(log_probs, [1, 0], SYMBOLS)


def test_a_new_stepper_is_short():
    """Python and drawing of the trellis together need no more than about 150 lines over the shared core."""
    lines = [line for end in ("py", "js") for line in (HERE / f"ctc_trellis.{end}").read_text("utf-8").splitlines()]

    assert len([line for line in lines if line.strip()]) <= 150
