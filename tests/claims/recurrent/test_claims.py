"""Each claim could have failed: numbers on the wrong side of the criterion do not hold."""

import pytest

from seqlib.claims import registry

CLAIMS = registry.claims()
CLIPPED = {"unclipped_steps_until_diverged": 8, "clipped_steps": 1500, "clipped_mse": 0.02}
PRODUCTS = {
    "linear_least_largest_singular_value": 1.4,
    "linear_product": 1e-9,
    "tanh_least_largest_singular_value": 1.4,
    "tanh_product": 1e-9,
}


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("rnn_forgets", {"long_mse": 0.11, "short_mse": 0.01}),
        ("rnn_forgets", {"long_mse": 0.17, "short_mse": 0.17}),
        ("gradient_slope", {"largest_relative_error": 0.021}),
        ("jacobians_can_vanish", PRODUCTS | {"linear_product": 1e-5}),
        ("jacobians_can_vanish", PRODUCTS | {"tanh_product": 1e-5}),
        ("jacobians_can_vanish", PRODUCTS | {"linear_least_largest_singular_value": 1.0}),
        ("jacobians_can_vanish", PRODUCTS | {"tanh_least_largest_singular_value": 0.9}),
        ("clipping_converges", CLIPPED | {"unclipped_steps_until_diverged": 1500}),
        ("clipping_converges", CLIPPED | {"clipped_steps": 900}),
        ("clipping_converges", CLIPPED | {"clipped_mse": 0.17}),
        ("bptt_equals_autograd", {"largest_relative_error": 1e-9}),
        ("characters_beat_bigrams", {"bits_a_character": 1.6, "bigram_bits": 1.68, "grammar_bits": 0.31}),
    ],
)
def test_the_wrong_side_does_not_hold(name, measured):
    """The criterion in code refuses what it must refuse."""
    assert not CLAIMS[name].holds(measured)


@pytest.mark.parametrize("name", ["gradient_slope", "jacobians_can_vanish", "bptt_equals_autograd"])
def test_a_seed_gives_the_same_numbers_twice(name):
    """All randomness of an experiment comes from its seed."""
    claim = CLAIMS[name]

    assert claim.experiment(5, claim.settings) == claim.experiment(5, claim.settings)
