"""The four shapes are one layer, entered and left at different steps."""

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ModelError, ShapeError
from seqlib.nn.recurrent import Parameters, many_to_many, many_to_one, one_to_many, one_to_one
from seqlib.nn.recurrent.parameters import uniform_parameters
from seqlib.trace import Recording, recording


@pytest.fixture
def parameters(rng):
    """3 inputs, 4 hidden units, 5 outputs."""
    return uniform_parameters(3, 4, 5, rng, torch.float64)


def test_many_to_many_is_torch_rnn_and_linear(draw, parameters):
    """Scores equal those of torch.nn.RNN followed by torch.nn.Linear with the same weights."""
    W, U, b, V, c = parameters
    theirs = torch.nn.RNN(3, 4, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict({"weight_ih_l0": U, "weight_hh_l0": W, "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)})
    x = draw(2, 6, 3)

    scores = many_to_many(parameters, x)

    assert_close(scores, torch.nn.functional.linear(theirs(x)[0], V, c), rtol=0, atol=1e-12)


def test_many_to_one_reads_the_last_real_step(draw, parameters):
    """The answer is the one that many to many gives at the last real step of each sequence."""
    x, lengths = draw(3, 6, 3), torch.tensor([1, 6, 4])

    assert_close(many_to_one(parameters, x), many_to_many(parameters, x)[:, -1], rtol=0, atol=1e-14)
    assert_close(
        many_to_one(parameters, x, lengths=lengths),
        many_to_many(parameters, x)[torch.arange(3), lengths - 1],
        rtol=0,
        atol=1e-14,
    )


def test_one_to_many_reads_once(draw, parameters):
    """After the first step the input is silent; the first output is the one to one answer."""
    x = draw(2, 3)

    scores = one_to_many(parameters, x, steps=4)

    silent = torch.cat([x[:, None], torch.zeros(2, 3, 3, dtype=torch.float64)], dim=1)
    assert_close(scores, many_to_many(parameters, silent), rtol=0, atol=0)
    assert_close(scores[:, 0], one_to_one(parameters, x), rtol=0, atol=1e-14)


def test_every_shape_goes_on_from_a_state(draw, parameters):
    """Reading in two parts, the state handed over, is reading in one."""
    x = draw(2, 6, 3)
    with recording() as frames:
        whole = many_to_many(parameters, x)
    h = frames["h"][2]

    assert_close(many_to_many(parameters, x[:, 3:], h), whole[:, 3:], rtol=0, atol=1e-14)
    assert_close(many_to_one(parameters, x[:, 3:], h), whole[:, -1], rtol=0, atol=1e-14)
    assert_close(one_to_one(parameters, x[:, 3], h), whole[:, 3], rtol=0, atol=1e-14)
    assert_close(one_to_many(parameters, x[:, 3], 1, h), whole[:, 3:4], rtol=0, atol=1e-14)


def test_a_recording_holds_all_that_a_stepper_draws(draw, parameters, tmp_path):
    """x, a, h and o have a frame a step, with gradients, and the labels hold the five tensors through a file."""
    trained = Parameters(*(tensor.requires_grad_() for tensor in parameters))
    with recording(backward=True) as frames:
        many_to_many(trained, draw(1, 6, 3)).sum().backward()
    frames.labels.update(trained.labels())
    frames.save(tmp_path / "run.safetensors")

    loaded = Recording.load(tmp_path / "run.safetensors")

    assert {name: len(loaded.values(name)) for name in loaded.names} == {"x": 6, "a": 6, "h": 6, "o": 6}
    assert loaded.gradients("h").shape == (6, 1, 4)
    assert_close(torch.tensor(loaded.labels["V"], dtype=torch.float64), parameters.V.detach(), rtol=0, atol=0)
    assert sorted(loaded.labels) == ["U", "V", "W", "b", "c"]


@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_named(parameters):
    """No steps, and a readout of another size."""
    with pytest.raises(ModelError) as caught:
        one_to_many(parameters, torch.zeros(2, 3, dtype=torch.float64), steps=0)
    assert str(caught.value) == "steps is 0, but an output needs a step.\nHint: ask for one step or more."

    with pytest.raises(ShapeError) as caught:
        many_to_many(parameters._replace(V=torch.zeros(5, 3)), torch.zeros(2, 6, 3, dtype=torch.float64))
    assert str(caught.value) == (
        "V has shape (5, 3), which is not [o h]: h is 4 in h.\nHint: pass V with shape (5, 4)."
    )
