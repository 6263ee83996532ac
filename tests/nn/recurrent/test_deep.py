"""Deep and bidirectional networks, against torch.nn.RNN."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from seqlib.errors import ModelError, ShapeError
from seqlib.nn.recurrent import RNN
from seqlib.trace import recording

small = st.integers(1, 5)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    sizes=st.tuples(small, small, small, st.integers(1, 9)),
    layers=st.integers(1, 3),
    both=st.booleans(),
    first=st.booleans(),
    bias=st.booleans(),
    packed=st.booleans(),
    start=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_equal_to_torch(data, sizes, layers, both, first, bias, packed, start, seed):
    """Outputs, final states and all gradients are torch's to 1e-12 in float64, any size, depth or direction."""
    inputs, hidden, batch, steps = sizes
    generator = torch.Generator().manual_seed(seed)
    theirs = torch.nn.RNN(inputs, hidden, layers, bias=bias, bidirectional=both, batch_first=first, dtype=torch.float64)
    with torch.no_grad():
        for weight in theirs.parameters():
            weight.normal_(generator=generator)
    ours = RNN.from_torch(theirs)
    shape = (batch, steps) if first else (steps, batch)
    x = torch.randn(*shape, inputs, generator=generator, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(len(ours.layers), batch, hidden, generator=generator, dtype=torch.float64) if start else None
    lengths = (
        torch.tensor(data.draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch))) if packed else None
    )

    outputs, final = ours(x, h0, lengths)
    expected, expected_final = _run_torch(theirs, x, h0, lengths, steps)

    assert_close(outputs, expected, rtol=0, atol=1e-12)
    assert_close(final, expected_final, rtol=0, atol=1e-12)
    probe = torch.randn(outputs.shape, generator=generator, dtype=torch.float64)
    (grad,) = torch.autograd.grad((outputs * probe).sum() + final.sum(), x)
    (expected_grad,) = torch.autograd.grad((expected * probe).sum() + expected_final.sum(), x)
    assert_close(grad, expected_grad, rtol=1e-12, atol=1e-11)


def _run_torch(module, x, h0, lengths, steps):
    if lengths is None:
        return module(x, h0)
    packed = pack_padded_sequence(x, lengths, batch_first=module.batch_first, enforce_sorted=False)
    outputs, final = module(packed, h0)
    return pad_packed_sequence(outputs, batch_first=module.batch_first, total_length=steps)[0], final


def test_starts_as_torch_starts():
    """First weights lie within one over the root of the hidden size, differ, and repeat with the seed."""
    first, again = (RNN(3, 100, 2, generator=torch.Generator().manual_seed(1)) for _ in range(2))

    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.abs().max() <= 0.1
        assert one.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.15)


def test_each_layer_and_direction_is_recorded(draw):
    """A plain network taps h; a deep one in both directions taps each by its place."""
    with recording() as plain:
        RNN(3, 2).double()(draw(1, 4, 3))
    with recording() as deep:
        RNN(3, 2, num_layers=2, bidirectional=True).double()(draw(1, 4, 3))

    assert plain.names == ["x", "a", "h"]
    assert [name for name in deep.names if name.endswith("h")] == [
        "layer0.h",
        "layer0.reverse.h",
        "layer1.h",
        "layer1.reverse.h",
    ]
    assert deep["layer1.x"].shape == (4, 1, 4)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            torch.nn.RNN(2, 3, nonlinearity="relu"),
            "the module's nonlinearity is relu, not tanh.\nHint: make it with nonlinearity='tanh'.",
        ),
        (torch.nn.RNN(2, 3, 2, dropout=0.5), "the module drops units (dropout=0.5).\nHint: make it with dropout=0."),
    ],
)
def test_other_modules_are_refused(module, message):
    """What our equation does not say is not copied."""
    with pytest.raises(ModelError) as caught:
        RNN.from_torch(module)

    assert str(caught.value) == message


@pytest.mark.usefixtures("unchecked")
def test_wrong_shapes_are_named():
    """Inputs of another size, and too few first states."""
    model = RNN(3, 4, num_layers=2)

    with pytest.raises(ShapeError) as caught:
        model(torch.zeros(2, 5, 7))
    assert str(caught.value) == (
        "x has shape (2, 5, 7), which is not [b t i]: i is 3 in U.\nHint: pass x with shape (2, 5, 3)."
    )

    with pytest.raises(ShapeError) as caught:
        model(torch.zeros(2, 5, 3), torch.zeros(1, 2, 4))
    assert str(caught.value) == (
        "h0 has shape (1, 2, 4), which is not [l b h]: l is 2 in layers.\nHint: pass h0 with shape (2, 2, 4)."
    )
