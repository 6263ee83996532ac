"""A claim needs more than one lucky seed."""

from dataclasses import replace

import pytest

from seqlib.errors import ClaimError


@pytest.mark.parametrize("seeds", [(), (0, 1), (4, 4, 4)])
def test_a_claim_has_at_least_three_seeds(small, seeds):
    """Fewer than three different seeds are refused when the claim is made."""
    with pytest.raises(ClaimError, match="give it at least 3: one that holds once may hold by luck"):
        replace(small, seeds=seeds)
