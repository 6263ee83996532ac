"""The training loop: it learns, it clips, it says when it diverges, and it leaves no trace outside."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from seqlib.errors import TrainError
from seqlib.train import Settings, fit, seeded

SETTINGS = Settings(steps=40, learning_rate=0.1, optimiser="sgd")


def squares(model, x, y):
    return (model(x) - y).square().mean()


def line(generator):
    x = torch.rand(8, 1, generator=generator)
    return x, 3 * x


def linear():
    with seeded(0):
        return nn.Linear(1, 1)


def test_the_loss_falls():
    """Gradient descent on a line makes its loss small, and one number is kept a step."""
    history = fit(linear(), squares, line, replace(SETTINGS, steps=300), progress=False)

    assert len(history) == len(history.gradient_norm) == 300
    assert history.loss[-1] < history.loss[0] / 100
    assert history.diverged_at is None


def test_the_same_seed_gives_the_same_run():
    """Two runs from one seed agree bit for bit, and another seed draws other batches."""
    first = fit(linear(), squares, line, SETTINGS, progress=False)
    second = fit(linear(), squares, line, SETTINGS, progress=False)
    other = fit(linear(), squares, line, replace(SETTINGS, seed=1), progress=False)

    assert first.loss == second.loss
    assert first.loss != other.loss


def test_a_step_is_no_longer_than_the_clipped_gradient():
    """With clipping, a step of plain gradient descent moves the weights by the learning rate times the norm."""
    model, before = linear(), linear()
    history = fit(model, squares, line, replace(SETTINGS, steps=1, max_norm=0.01), progress=False)

    moved = torch.cat([(a - b).flatten() for a, b in zip(model.parameters(), before.parameters(), strict=True)])
    assert history.gradient_norm[0] > 0.01
    assert math.isclose(moved.norm().item(), 0.1 * 0.01, rel_tol=1e-3)  # clipping divides by norm + 1e-6


def test_divergence_is_an_error_that_says_where():
    """A loss that grows without bound ends in an error with the step, the loss and what to change."""
    with pytest.raises(TrainError) as caught:
        fit(linear(), lambda model, x, y: squares(model, x, y) / 0.0, line, SETTINGS, progress=False)

    assert caught.value.what == "training diverged at step 0: loss inf, gradient norm nan."
    assert caught.value.hint == "lower learning_rate, or set max_norm so that a large gradient is clipped."


def test_divergence_can_end_the_run_instead():
    """Asked to stop, a diverging run returns its curves, and the last usable weights stay finite."""
    model = linear()
    settings = replace(SETTINGS, learning_rate=10.0, steps=1000, divergence_loss=1e6)
    history = fit(model, squares, line, settings, on_divergence="stop", progress=False)

    assert history.diverged_at == len(history) - 1 < 999
    assert history.loss[-1] > 1e6
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_training_leaves_the_global_generator_alone():
    """What is drawn after a run does not depend on the run."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(nn.Sequential(linear(), nn.Dropout(0.5)), squares, line, SETTINGS, progress=False)

    assert torch.equal(torch.rand(3), expected)


def test_evaluating_does_not_change_the_run():
    """An evaluation that draws numbers sees evaluation mode, and the losses are those of a run without it."""
    modes = []

    def evaluate(model):
        modes.append(model.training)
        return {"noise": torch.rand(()).item()}

    model = nn.Sequential(linear(), nn.Dropout(0.5))
    plain = fit(model, squares, line, SETTINGS, progress=False)
    model = nn.Sequential(linear(), nn.Dropout(0.5))
    history = fit(model, squares, line, replace(SETTINGS, evaluate_every=15), evaluate=evaluate, progress=False)

    assert history.loss == plain.loss
    assert [step for step, _ in history.evaluations] == [15, 30, 40]
    assert modes == [False, False, False]


def test_the_bar_shows_the_label(capsys):
    """The progress bar goes to standard error under its label."""
    fit(linear(), squares, line, SETTINGS, label="a line")

    assert "a line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 0), ("learning_rate", 0.0), ("max_norm", -1.0), ("checkpoint_every", 0)]
)
def test_settings_refuse_what_no_run_can_use(name, value):
    """A number that must be above zero is refused when the settings are made."""
    with pytest.raises(TrainError) as caught:
        replace(SETTINGS, **{name: value})

    assert str(caught.value) == f"{name} is {value}.\nHint: give {name} a number above 0."


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_the_model_and_its_batches_go_to_the_device():
    """On a GPU the same loop learns the same line from the same batches."""
    model = linear()
    history = fit(model, squares, line, replace(SETTINGS, steps=300, device="cuda"), progress=False)

    assert next(model.parameters()).is_cuda
    assert history.loss[-1] < history.loss[0] / 100
