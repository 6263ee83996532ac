"""Checkpoints: a run that was interrupted ends exactly where it would have ended."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from seqlib.errors import TrainError
from seqlib.train import Settings, fit, load_weights, seeded

SETTINGS = Settings(steps=30, learning_rate=0.01, checkpoint_every=7, evaluate_every=4)


class PowerCutError(Exception):
    """Stands in for a machine that goes down."""


class Tied(nn.Module):
    """One weight used twice, as tied embeddings are."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).tanh())


def network():
    with seeded(0):
        return nn.Sequential(Tied(), nn.Dropout(0.5), nn.Linear(3, 1))


def squares(model, x, y):
    return (model(x) - y).square().mean()


def sums(generator):
    x = torch.randn(4, 3, generator=generator)
    return x, x.sum(1, keepdim=True)


def evaluate(model):
    return {"bias": model[2].bias.item()}


def interrupted_after(steps):
    drawn = 0

    def batches(generator):
        nonlocal drawn
        drawn += 1
        if drawn > steps:
            raise PowerCutError
        return sums(generator)

    return batches


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("stop", [7, 17, 29])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, optimiser, stop):
    """Weights, losses, norms and evaluations agree bit for bit, with dropout, momentum and tied weights."""
    settings = replace(SETTINGS, optimiser=optimiser, momentum=0.9)
    whole, resumed = network(), network()
    expected = fit(whole, squares, sums, settings, evaluate=evaluate, progress=False)

    options = {"evaluate": evaluate, "checkpoint": tmp_path / "run.safetensors", "progress": False}
    with pytest.raises(PowerCutError):
        fit(network(), squares, interrupted_after(stop), settings, **options)
    history = fit(resumed, squares, sums, settings, **options)

    assert history.loss == expected.loss
    assert history.gradient_norm == expected.gradient_norm
    assert history.evaluations == expected.evaluations
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_finished_run_is_not_trained_again(tmp_path):
    """Fitting once more from a finished checkpoint draws no batch and brings the weights back."""
    file, model, again = tmp_path / "run.safetensors", network(), network()
    expected = fit(model, squares, sums, SETTINGS, checkpoint=file, progress=False)
    history = fit(again, squares, interrupted_after(0), SETTINGS, checkpoint=file, progress=False)

    assert history.loss == expected.loss
    assert torch.equal(again[2].weight, model[2].weight)


def test_more_steps_continue_a_finished_run(tmp_path):
    """Only the number of steps may grow: the longer run goes on where the shorter one ended."""
    file, whole, model = tmp_path / "run.safetensors", network(), network()
    expected = fit(whole, squares, sums, replace(SETTINGS, steps=40), progress=False)
    fit(model, squares, sums, SETTINGS, checkpoint=file, progress=False)
    history = fit(network(), squares, sums, replace(SETTINGS, steps=40), checkpoint=file, progress=False)

    assert history.loss == expected.loss


def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    """Where the rename fails, the old file is whole and no part of the new one lies about."""
    file = tmp_path / "run.safetensors"
    fit(network(), squares, sums, SETTINGS, checkpoint=file, progress=False)
    before = file.read_bytes()

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(TrainError, match="No space left"):
        fit(network(), squares, sums, replace(SETTINGS, steps=40), checkpoint=file, progress=False)

    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_other_settings_are_refused(tmp_path):
    """A checkpoint of another learning rate is another run, and the error names both values."""
    file = tmp_path / "run.safetensors"
    fit(network(), squares, sums, SETTINGS, checkpoint=file, progress=False)

    with pytest.raises(TrainError) as caught:
        fit(network(), squares, sums, replace(SETTINGS, learning_rate=0.1), checkpoint=file, progress=False)

    assert caught.value.what == f"{file} was trained with learning_rate=0.01, and this run has 0.1."
    assert caught.value.hint == "use the same settings to resume (steps may grow), or another checkpoint file."


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\xff" * 64])
def test_a_damaged_file_is_refused(tmp_path, content):
    """A file that is no checkpoint is an error that says what to do, and it is not touched."""
    file = tmp_path / "run.safetensors"
    file.write_bytes(content)

    with pytest.raises(TrainError, match="delete it and train again"):
        fit(network(), squares, sums, SETTINGS, checkpoint=file, progress=False)

    assert file.read_bytes() == content


def test_weights_load_into_the_model_that_was_trained(tmp_path):
    """The weights come back equal; another model, or a missing file, is refused by name."""
    file, model, other = tmp_path / "run.safetensors", network(), network()
    fit(model, squares, sums, SETTINGS, checkpoint=file, progress=False)
    load_weights(file, other)

    assert torch.equal(other[2].weight, model[2].weight)
    with pytest.raises(TrainError, match="holds the weights of another model"):
        load_weights(file, nn.Linear(2, 2))
    with pytest.raises(TrainError, match="is not there"):
        load_weights(tmp_path / "absent.safetensors", other)
