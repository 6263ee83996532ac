"""Recipes: functions that return one complete, frozen value."""

from dataclasses import FrozenInstanceError, replace

import pytest

from seqlib.train import Settings, recipes


@pytest.mark.parametrize("name", recipes.__all__)
def test_a_recipe_is_frozen_settings_of_its_seed(name):
    """Every recipe takes a seed, gives settings with it, and varies only through `replace`."""
    settings = getattr(recipes, name)(seed=7)

    assert isinstance(settings, Settings)
    assert settings.seed == 7
    assert replace(settings, steps=1).steps == 1
    with pytest.raises(FrozenInstanceError):
        settings.steps = 1
