"""The thread guard."""

import os

import torch

from seqlib.threads import limit_threads


def test_guard_sets_the_old_number_back(monkeypatch):
    """After the block, torch's threads and the environment are what they were."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()

    with limit_threads(2):
        inside = torch.get_num_threads(), os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]

    assert inside == (2, "2", "2")
    assert torch.get_num_threads() == before
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ
