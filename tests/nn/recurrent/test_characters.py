"""The character model and how it writes."""

import pytest
import torch
from torch.testing import assert_close

from seqlib.errors import ModelError
from seqlib.nn.recurrent import CharModel, many_to_many, sample
from seqlib.trace import recording


@pytest.fixture
def model(rng):
    """Six characters, four hidden units."""
    return CharModel(symbols=6, hidden_size=4, generator=rng).double()


def test_a_character_picks_a_column_of_U(model):
    """The model is many to many on one-hot characters: U x_t is a column of U."""
    tokens = torch.tensor([[0, 5, 2], [1, 1, 3]])

    logits, final = model(tokens)

    W, U, b, V, c = model.parameters_of_layer()
    assert_close(logits, many_to_many(model.parameters_of_layer(), torch.eye(6).double()[tokens]), rtol=0, atol=1e-14)
    h = torch.tanh(U[:, 0] + b)
    assert_close(logits[0, 0], V @ h + c, rtol=0, atol=1e-14)
    assert final.shape == (1, 2, len(W))


def test_reading_on_is_reading_in_one_go(model):
    """The last state carries all that the next part needs, in a deep model too."""
    for reader in (model, CharModel(6, 4, num_layers=2, generator=torch.Generator()).double()):
        tokens = torch.tensor([[0, 5, 2, 4, 4]])
        whole, _ = reader(tokens)

        _, state = reader(tokens[:, :2])
        rest, _ = reader(tokens[:, 2:], state)

        assert_close(rest, whole[:, 2:], rtol=0, atol=1e-14)


def test_a_run_is_recorded(model):
    """x, a, h and o have a frame for each character."""
    with recording() as frames:
        model(torch.tensor([[0, 5, 2]]))

    assert frames["x"][:, 0].argmax(-1).tolist() == [0, 5, 2]
    assert {name: len(frames[name]) for name in frames.names} == {"x": 3, "a": 3, "h": 3, "o": 3}


def test_samples_repeat_with_the_seed(model):
    """Same seed, same text; it begins with the prefix, is as long as asked for, and trains nothing."""
    prefix = torch.tensor([3, 1])
    texts = [sample(model, prefix, 20, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]

    assert torch.equal(texts[0], texts[1])
    assert not torch.equal(texts[0], texts[2])
    assert texts[0][:2].tolist() == [3, 1]
    assert len(texts[0]) == 22
    assert not texts[0].requires_grad


@pytest.mark.slow
def test_samples_follow_the_odds(model):
    """Drawn 4,000 times, each character comes as often as the softmax of its score over the temperature says."""
    prefix = torch.tensor([2])
    rng = torch.Generator().manual_seed(0)
    for temperature in (0.5, 2.0):
        odds = (model(prefix[None])[0][0, -1] / temperature).softmax(-1)

        drawn = torch.stack([sample(model, prefix, 1, temperature, rng)[1] for _ in range(4000)])

        # Four standard errors of a share of 4,000 draws.
        assert_close(drawn.bincount(minlength=6) / 4000, odds.float(), rtol=0, atol=4 * 0.5 / 4000**0.5)


def test_cold_takes_the_likeliest(model):
    """At temperature 0 each character is the likeliest, and a tiny temperature agrees without overflow."""
    with torch.no_grad():
        model.V.mul_(1000)
    prefix = torch.tensor([2])

    cold = sample(model, prefix, 10, temperature=0.0)

    logits, _ = model(cold[None, :-1])
    assert torch.equal(cold[1:], logits[0].argmax(-1))
    assert torch.equal(sample(model, prefix, 10, temperature=1e-300), cold)


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_impossible_temperatures_are_refused(model, temperature):
    """Temperature is zero or above, and finite."""
    with pytest.raises(ModelError) as caught:
        sample(model, torch.tensor([2]), 1, temperature)

    assert str(caught.value) == (
        f"temperature is {temperature}, which is not a finite number from 0 up.\n"
        "Hint: pass 0.0 for the likeliest character, or 1.0 for the model's own odds."
    )


def test_bad_tokens_are_named(model):
    """An empty prefix, and a number that is no character's."""
    with pytest.raises(ModelError) as caught:
        sample(model, torch.tensor([], dtype=torch.long), 1)
    assert str(caught.value) == (
        "the prefix is empty, so there is nothing to go on from.\nHint: begin with one character or more."
    )

    with pytest.raises(ModelError) as caught:
        model(torch.tensor([[1, 2], [6, 0]]))
    assert str(caught.value) == (
        "tokens[1, 0] is 6, but the model knows 6 characters.\n"
        "Hint: pass numbers from 0 to 5, as seqlib.data.corpus.encode makes them."
    )
