"""The table of claims."""

from pathlib import Path

import pytest

from seqlib.claims import registry
from seqlib.errors import ClaimError


def test_every_claim_module_is_in_the_table():
    """No module that makes a claim is forgotten, and no two claims share a name."""
    folder = Path(registry.__file__).parent
    making = {path for path in folder.rglob("*.py") if "\nCLAIM = Claim(" in path.read_text(encoding="utf-8")}

    assert len(registry.claims()) == len(registry._MODULES) == len(making)


def test_a_claim_without_its_model_is_left_out(monkeypatch):
    """In the students' edition, a claim about a module that is not there is passed over."""
    monkeypatch.setattr(registry, "_MODULES", ("seqlib.claims.recurrent.absent", "seqlib.claims.recurrent.slope"))

    assert list(registry.claims()) == ["gradient_slope"]


def test_a_name_that_is_almost_right_is_suggested():
    """An unknown name is refused, with the nearest known one."""
    with pytest.raises(ClaimError) as caught:
        registry.choose(["gradient_slop"])

    assert str(caught.value) == "no claim is called gradient_slop.\nHint: did you mean gradient_slope?"


def test_a_name_that_is_far_off_gets_the_list():
    """Where no name is near, the hint is the command that lists them."""
    with pytest.raises(ClaimError, match="see them with: seqlib claims --list"):
        registry.choose(["zzz"])
