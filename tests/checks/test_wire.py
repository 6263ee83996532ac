"""The wire carries plain values exactly, and refuses every frame that it does not write itself."""

import contextlib
import json
import math
import random
import socket
import struct
import time
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlib.checks.codec import decode, encode
from seqlib.checks.values import DTYPES, Handle, Limits, Trusted, normalise
from seqlib.checks.wire import Message, receive, send
from seqlib.errors import WireError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def frame(header, body=b"", *, raw=None):
    """The bytes of a frame with any header."""
    text = raw if raw is not None else json.dumps(header).encode()
    return struct.pack("<IQ", len(text), len(body)) + text + body


def header(value=None, tensors=None, seq=1, nonce="n"):
    return {"seq": seq, "nonce": nonce, "value": value, "tensors": [] if tensors is None else tensors}


def received(data, *, close=True):
    """What `receive` makes of some bytes, after which the connection ends or stays silent."""
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(0.2)
        with contextlib.suppress(TimeoutError, BrokenPipeError):
            left.sendall(data)
        if close:
            left.shutdown(socket.SHUT_WR)
        return receive(right, Limits(), time.monotonic() + 0.5)


def travelled(value):
    """A value after a trip over a socket."""
    left, right = socket.socketpair()
    with left, right:
        send(left, Message(7, "n", normalise(value)))
        return receive(right).value


@settings(max_examples=60, deadline=None)
@given(PLAIN)
def test_plain_values_arrive_as_they_left(value):
    """Every plain value comes back with its types; NaN is NaN and -0.0 keeps its sign."""
    assert repr(travelled(value)) == repr(value)


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_arrive_bit_for_bit(code, shape, rng):
    """Every dtype and shape comes back equal, the empty and the single included."""
    tensor = (torch.rand(shape, generator=rng) * 2).to(DTYPES[code])

    back = travelled([tensor])[0]

    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_what_needs_a_gradient_or_a_stride_arrives_plain(rng):
    """A transposed view that requires a gradient, a parameter and an expanded tensor arrive as plain tensors."""
    view = torch.randn(2, 3, generator=rng, requires_grad=True).T
    parameter = torch.nn.Parameter(torch.ones(2))

    back = travelled((view, parameter, torch.ones(1).expand(3)))

    assert [type(t) for t in back] == [torch.Tensor] * 3
    assert not any(t.requires_grad for t in back)
    assert torch.equal(back[0], view.detach())


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (struct.pack("<IQ", (1 << 20) + 1, 0), "1048577 + 0 bytes"),
        (struct.pack("<IQ", 2, (1 << 26) + 1), "2 + 67108865 bytes"),
        (frame(None, raw=b"\xff\xfe"), "a header that is not our JSON"),
        (frame(None, raw=b"[" * 100_000), "a header that is not our JSON"),
        (frame(None, raw=b'{"a": 1, "a": 1}'), "a header that is not our JSON"),
        (frame(header(math.nan)), "a header that is not our JSON"),
        (frame(None, raw=b'{"seq":1,"nonce":"n","value":1e999,"tensors":[]}'), "a header that is not our JSON"),
        (frame(None, raw=b'{"seq":' + b"9" * 5000 + b',"nonce":"n","value":1,"tensors":[]}'), "not our JSON"),
        (frame([1]), "other keys"),
        (frame({**header(), "extra": 1}), "other keys"),
        (frame(header(seq=True)), "a number out of range"),
        (frame(header(seq=-1)), "a number out of range"),
        (frame(header(nonce=3)), "no nonce"),
        (frame(header(2**63)), "a number out of range"),
        (frame(header({"q": 1})), "an unknown form of value"),
        (frame(header({"l": [], "t": []})), "an unknown form of value"),
        (frame(header([1])), "an unknown form of value"),
        (frame(header({"f": "1.0"})), "an unknown form of value"),
        (frame(header({"n": "tanh"})), "an unknown form of value"),
        (frame(header({"g": 0}, [["u1", [1]]]), b"\0"), "an unknown form of value"),
        (frame(header({"h": -1})), "a number out of range"),
        (frame(header({"l": [0] * 20_000})), "too many or too deeply nested parts"),
        (frame(header("x" * 60_000)), "a text that is too long"),
        (frame(header("\ud800")), "a text with half a character"),
        (frame(header({"x": 0})), "a tensor out of order"),
        (frame(header({"x": True}, [["f8", []]]), b"\0" * 8), "a tensor out of order"),
        (frame(header({"l": [{"x": 0}, {"x": 0}]}, [["f8", []]]), b"\0" * 8), "a tensor out of order"),
        (frame(header(1, [["f8", []]]), b"\0" * 8), "tensors that nothing refers to"),
        (frame(header({"x": 0}, [["f8", [2]]]), b"\0" * 8), "tensors that do not fill the body"),
        (frame(header({"x": 0}, [["f8", [-1]]])), "a number out of range"),
        (frame(header({"x": 0}, [["f8", [2**40, 0]]])), "a tensor without a proper shape"),
        (frame(header({"x": 0}, [["f8", [1] * 17]]), b"\0" * 8), "a tensor without a proper shape"),
        (frame(header({"x": 0}, [["O8", [1]]]), b"\0" * 8), "a tensor of an unknown type"),
        (frame(header({"x": 0}, [[["f8"], [1]]]), b"\0" * 8), "a tensor of an unknown type"),
        (frame(header({"x": 0}, {"f8": []})), "no table of tensors"),
        (frame(header({"x": 0}, [["b1", [1]]]), b"\2"), "a truth value that is neither 0 nor 1"),
    ],
)
def test_a_malformed_frame_is_refused(data, cause):
    """Each claim of a frame is checked before it is used, and the error says which was wrong."""
    with pytest.raises(WireError) as error:
        received(data)

    assert cause in error.value.what


def test_nesting_is_bounded():
    """A header within its size that nests too deep is refused, and never overflows the stack."""
    value = 1
    for _ in range(400):
        value = {"l": [value]}

    with pytest.raises(WireError, match="too many or too deeply nested parts"):
        received(frame(header(value)))


@pytest.mark.parametrize("cut", [0, 5, 12, 40, -1])
def test_a_truncated_frame_ends(cut):
    """A connection that ends within a frame is an end, at whatever byte."""
    data = frame(header({"x": 0}, [["f8", [4]]]), b"\0" * 32)

    with pytest.raises(EOFError):
        received(data[:cut])


def test_a_slow_frame_is_late():
    """Silence in the middle of a frame runs into the deadline, and bytes that drip in do not extend it."""
    data = frame(header({"x": 0}, [["f8", [4]]]), b"\0" * 32)

    with pytest.raises(TimeoutError):
        received(data[:-1], close=False)


def test_an_announced_body_costs_nothing():
    """A frame that announces all that is allowed and sends none is refused or late before memory is taken."""
    with pytest.raises(EOFError):
        received(frame(header({"x": 0}, [["f8", [1 << 23]]]))[:4] + struct.pack("<Q", 1 << 26) + b"{")


def test_the_largest_value_fits_the_header():
    """Whatever keeps to the limits on parts and text can be sent: no value is right here and too large there."""
    limits = Limits()
    texts = ["\x00" * limits.text_chars]
    numbers = [-(2**62)] * (limits.items // 2)
    tensors = [torch.zeros([1] * limits.dimensions)] * (limits.items // 20)

    assert len(json.dumps(header(encode(normalise([texts, numbers])), []), ensure_ascii=False)) < limits.header_bytes
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(1)
        with contextlib.suppress(TimeoutError):
            send(left, Message(1, "n", normalise([texts, numbers, tensors])), time.monotonic() + 0.2)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (object(), "its type is object"),
        (lambda: 1, "its type is function"),
        (2**63, "an int does not fit in 64 bits"),
        ({1: 2}, "a dict has a key that is not a str"),
        ("\ud800", "cannot be encoded"),
        (b"bytes", "its type is bytes"),
        (1j, "its type is complex"),
        (torch.Generator(), "its type is Generator"),
        (Trusted("tanh"), "its type is Trusted"),
        (torch.zeros(2, device="meta"), "the tensor is not a plain (strided) tensor"),
        (torch.zeros(2, 2).to_sparse(), "the tensor is not a plain (strided) tensor"),
        (torch.zeros(1).expand(1 << 30), "the tensors take more than"),
        (torch.zeros([1] * 17), "the tensor has more than 16 dimensions"),
        ([0] * 20_000, "more than 10000 parts"),
        (type("Lying", (float,), {})(1.0), "its type Lying is a subclass of float"),
        (torch.zeros(2).as_subclass(type("Lying", (torch.Tensor,), {})), "its type Lying is a subclass of Tensor"),
    ],
)
def test_what_is_not_plain_is_refused(value, cause):
    """Only exact plain types pass, each refusal names the type or the limit."""
    with pytest.raises(WireError) as error:
        normalise(value)

    assert cause in error.value.what


def test_a_cycle_is_refused():
    """A list that contains itself is too deep, not endless."""
    cycle = []
    cycle.append(cycle)

    with pytest.raises(WireError, match="nested more than 8 deep"):
        normalise(cycle)


def test_instance_attributes_do_not_stand_in_for_methods():
    """A tensor that carries its own `detach` or `shape` is read by the class's methods."""
    tensor = torch.ones(2)
    tensor.detach = lambda: torch.zeros(2)
    tensor.numel = lambda: 0

    assert torch.equal(normalise(tensor), torch.ones(2))


def test_arguments_may_be_generators_and_trusted_functions():
    """Towards the student a generator arrives with its state, and its copy moves alone."""
    generator = torch.Generator().manual_seed(3)
    description, tensors = encode(normalise([generator, Trusted("tanh"), Handle(2)], arguments=True))

    copy, trusted, handle = decode(description, tensors, arguments=True)

    first = torch.rand(3, generator=copy)
    assert torch.equal(first, torch.rand(3, generator=generator))
    assert (trusted, handle) == (Trusted("tanh"), Handle(2))


def test_random_damage_is_an_error_of_ours():
    """Thousands of damaged frames give a message or a wire error, and nothing else."""
    generator = random.Random(5)
    value = {"ok": [{"t": 1}, (None, -0.5, "text"), torch.ones(2, 3), torch.ones(2, dtype=torch.bool)]}
    description, tensors = encode(normalise(value))
    table = [["f4", [2, 3]], ["b1", [2]]]
    body = tensors[0].numpy().tobytes() + tensors[1].numpy().tobytes()
    whole = frame(header(description, table), body)
    seen = Counter()

    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(generator.randrange(1, 4)):
            place = generator.randrange(len(data))
            if generator.random() < 0.5:
                data[place] = generator.randrange(256)
            else:
                data[place:place] = data[generator.randrange(len(data)) :][: generator.randrange(1, 30)]
        try:
            seen[type(received(bytes(data))).__name__] += 1
        except (WireError, EOFError) as error:
            seen[type(error).__name__] += 1

    assert set(seen) == {"Message", "WireError", "EOFError"}
