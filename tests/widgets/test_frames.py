"""The buffer that the browser reads."""

import torch

from seqlib.widgets.frames import pack, unpack


def test_what_is_packed_comes_back(rng):
    """Values, truth values, NaN and infinities survive; each array starts at a multiple of four bytes."""
    h = torch.randn(3, 5, generator=rng)
    h[0, 0], h[1, 1] = torch.nan, -torch.inf
    apart = torch.rand(3, 5, generator=rng) > 0.5

    meta, frames = pack({"apart": apart, "h": h})
    back = unpack(meta, frames)

    assert torch.equal(back["h"].nan_to_num(7), h.nan_to_num(7))
    assert torch.equal(back["apart"].bool(), apart)
    assert all(at["offset"] % 4 == 0 for at in meta.values())


def test_nothing_to_pack_is_empty():
    """No array, no byte."""
    assert pack({}) == ({}, b"")


def test_other_number_types_become_float32():
    """Double precision, half precision and integers are drawn as float32; a view is packed as what it shows."""
    arrays = {
        str(kind): torch.arange(6).reshape(2, 3).to(kind).T for kind in (torch.float64, torch.float16, torch.int64)
    }

    meta, frames = pack(arrays)

    for name, array in arrays.items():
        assert meta[name]["dtype"] == "f4"
        assert torch.equal(unpack(meta, frames)[name], array.float())
