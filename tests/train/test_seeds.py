"""Seeds: independent streams, and a global generator that is given back."""

import torch

from seqlib.train import seeded, stream


def test_streams_of_one_seed_do_not_share_numbers():
    """Weights and batches of one seed are drawn from different streams."""
    with seeded(0, "weights"):
        weights = torch.rand(100)
    batches = torch.rand(100, generator=stream(0, "batches"))

    assert not torch.isin(weights, batches).any()


def test_streams_are_the_same_everywhere():
    """The first number of a stream is frozen: torch's CPU generator gives it on every machine."""
    assert torch.randint(1_000_000, (1,), generator=stream(0, "batches")).item() == 898293


def test_seeded_gives_the_generator_back():
    """What is drawn after the block does not depend on the block."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(9):
        torch.rand(5)

    assert torch.equal(torch.rand(3), expected)
