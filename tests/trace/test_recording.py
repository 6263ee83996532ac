"""Tapping, recording, and the file of a recording."""

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from seqlib.errors import TraceError
from seqlib.trace import Recording, recording, tap


def chain(x, W, steps=4):
    """A linear recurrence whose state is tapped."""
    for _ in range(steps):
        x = tap("x", W @ x)
    return x


def test_tap_returns_the_very_value():
    """A tap changes nothing: the same object comes back, recording or not."""
    value = torch.ones(3)

    with recording():
        inside = tap("v", value)

    assert inside is value
    assert tap("v", value) is value


def test_nothing_is_kept_outside():
    """After the block, taps leave no frames."""
    with recording() as frames:
        tap("v", torch.ones(1))
    tap("v", torch.ones(1))

    assert len(frames.frames) == 1


def test_values_are_copies():
    """A later change in place does not reach the recording."""
    value = torch.zeros(2)
    with recording() as frames:
        tap("v", value)

    value += 1

    assert_close(frames["v"], torch.zeros(1, 2))


def test_recordings_nest():
    """Two open recordings both hear a tap, and the inner one ends alone."""
    with recording() as outer:
        with recording() as inner:
            tap("v", torch.ones(1))
        tap("v", torch.ones(1))

    assert (len(outer.frames), len(inner.frames)) == (2, 1)


def test_backward_equals_autograd(rng):
    """The gradient of every tap is what autograd gives for that intermediate value."""
    W = torch.randn(3, 3, generator=rng, dtype=torch.float64)
    x = torch.randn(3, generator=rng, dtype=torch.float64, requires_grad=True)

    with recording(backward=True) as frames:
        loss = chain(x, W).pow(2).sum()
        loss.backward()

    states = [x]
    for _ in range(4):
        states.append(W @ states[-1])
    expected = torch.autograd.grad(states[-1].pow(2).sum(), states[1:])
    assert_close(frames.gradients("x"), torch.stack(expected), rtol=0, atol=0)


def test_gradients_add_over_uses():
    """A value that is used twice gets the sum of both gradients, once."""
    x = torch.tensor([2.0], requires_grad=True)
    with recording(backward=True) as frames:
        y = tap("y", 1 * x)
        (y * 3 + y * 4).backward()

    assert_close(frames.gradients("y"), torch.tensor([[7.0]]))


def test_missing_gradient_says_so():
    """Asking for gradients that were never made names the frame and the remedy."""
    with recording() as frames:
        tap("h", torch.ones(1))

    with pytest.raises(TraceError) as caught:
        frames.gradients("h")

    assert str(caught.value) == (
        "no gradient reached frame 0 of 'h' (1 of 1 are without).\n"
        "Hint: record with recording(backward=True) and call backward() on a loss that depends on the value."
    )


def test_unknown_name_lists_the_known():
    """A name that was never tapped is answered with those that were."""
    rec = Recording.from_arrays({"h": torch.ones(2, 1)})

    with pytest.raises(TraceError) as caught:
        rec["g"]

    assert str(caught.value) == (
        "the recording has no frame called 'g'; it has h.\n"
        "Hint: tap the value where it is made, tap('g', value), inside `with recording()`."
    )


def test_shapes_that_change_are_read_one_by_one():
    """Frames of different shapes do not stack, and the message says how to read them."""
    with recording() as frames:
        tap("v", torch.ones(1))
        tap("v", torch.ones(2))

    with pytest.raises(TraceError, match=r"differ in shape: \(1,\), \(2,\)"):
        frames["v"]

    assert [len(value) for value in frames.values("v")] == [1, 2]


def test_file_round_trip(tmp_path, rng):
    """Saved and loaded: the same names, order, bits, gradients and labels."""
    x = torch.randn(3, generator=rng, requires_grad=True)
    with recording(backward=True) as frames:
        chain(x, torch.eye(3)).sum().backward()
        tap("n", torch.tensor(3))
    frames.labels["tokens"] = ["a", "ä", "—"]

    frames.save(tmp_path / "run.safetensors")
    loaded = Recording.load(tmp_path / "run.safetensors")

    assert [(f.name, f.index) for f in loaded.frames] == [(f.name, f.index) for f in frames.frames]
    assert_close(loaded["x"], frames["x"], rtol=0, atol=0)
    assert_close(loaded.gradients("x"), frames.gradients("x"), rtol=0, atol=0)
    assert loaded.labels == frames.labels
    assert loaded["n"].dtype == torch.int64


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\x80\x04\x95pickle"])
def test_foreign_bytes_are_refused(tmp_path, content):
    """A file that is no recording is refused without being run."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)

    with pytest.raises(TraceError, match="can't be read as a recording"):
        Recording.load(path)


def test_tensors_without_a_recording_are_refused(tmp_path):
    """A safetensors file of something else is named as that."""
    save_file({"w": torch.ones(1)}, tmp_path / "w.safetensors")

    with pytest.raises(TraceError, match="holds tensors but no recording"):
        Recording.load(tmp_path / "w.safetensors")


def test_absent_file(tmp_path):
    """An absent file is a TraceError too."""
    with pytest.raises(TraceError, match="can't be read"):
        Recording.load(tmp_path / "none.safetensors")


def test_steps_aside_when_compiling(monkeypatch):
    """Under torch.compile a tap records nothing, so that the graph is not broken."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)

    with recording() as frames:
        tap("v", torch.ones(1))

    assert frames.frames == []
