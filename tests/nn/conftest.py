"""What tests of models share: numbers in float64, and a way past the shape checker to the errors behind it."""

from collections.abc import Callable, Iterator

import jaxtyping
import pytest
import torch

Draw = Callable[..., torch.Tensor]


@pytest.fixture
def draw(rng: torch.Generator) -> Draw:
    """Normal numbers in float64, of any shape."""
    return lambda *shape: torch.randn(*shape, generator=rng, dtype=torch.float64)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Switch the runtime shape checker off, as it is for users, who then meet our own errors."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
