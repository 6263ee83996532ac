"""The tasks' answers, found again without the generator of the task."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqlib.data.tasks import adding, copy, echo, parity
from seqlib.errors import DataError

batches = st.integers(1, 6)
lengths = st.integers(2, 20)
seeds = st.integers(0, 2**31)


@settings(max_examples=30, deadline=None)
@given(batches, lengths, seeds)
def test_adding_is_exact(batch, length, seed):
    """One mark in each half, numbers between 0 and 1, and the answer is the sum of the marked, bit for bit."""
    x, y = adding(batch, length, torch.Generator().manual_seed(seed))

    values, marks = x.unbind(-1)
    assert ((values >= 0) & (values < 1)).all()
    assert marks[:, : length // 2].sum(1).eq(1).all()
    assert marks[:, length // 2 :].sum(1).eq(1).all()
    for row in range(batch):
        first, second = marks[row].nonzero().flatten().tolist()
        assert y[row] == values[row, first] + values[row, second]


def test_adding_has_the_variance_it_is_known_for(rng):
    """Answering 1 costs 1/6 (four standard errors of 20,000 squares, whose own deviation is 0.16)."""
    _, y = adding(20_000, 10, rng)

    assert ((y - 1) ** 2).mean().item() == pytest.approx(1 / 6, abs=4 * 0.16 / 20_000**0.5)


@settings(max_examples=30, deadline=None)
@given(batches, st.integers(1, 8), st.integers(0, 12), st.integers(1, 9), seeds)
def test_copy_is_exact(batch, length, delay, symbols, seed):
    """Word, silence, cue, silence; the answer is silence until the cue has come, then the word."""
    x, y = copy(batch, length, torch.Generator().manual_seed(seed), delay=delay, symbols=symbols)

    assert x.shape == (batch, 2 * length + delay + 1, symbols + 2)
    assert x.sum(-1).eq(1).all()
    for read, said in zip(x.argmax(-1).tolist(), y.tolist(), strict=True):
        word = read[:length]
        assert set(word) <= set(range(1, symbols + 1))
        assert read[length:] == [0] * delay + [symbols + 1] + [0] * length
        assert said == [0] * (length + delay + 1) + word


@settings(max_examples=30, deadline=None)
@given(batches, lengths, st.integers(0, 25), seeds)
def test_echo_is_exact(batch, length, delay, seed):
    """Each answer is the bit that came `delay` steps before, and 0 before there is one."""
    x, y = echo(batch, length, torch.Generator().manual_seed(seed), delay=delay)

    for read, said in zip(x[..., 0].tolist(), y.tolist(), strict=True):
        assert said == [read[t - delay] if t >= delay else 0 for t in range(length)]


@settings(max_examples=30, deadline=None)
@given(batches, lengths, seeds)
def test_parity_is_exact(batch, length, seed):
    """Each answer is the sum of the bits so far, modulo 2."""
    x, y = parity(batch, length, torch.Generator().manual_seed(seed))

    for read, said in zip(x[..., 0].tolist(), y.tolist(), strict=True):
        assert said == [sum(read[: t + 1]) % 2 for t in range(length)]


@pytest.mark.parametrize("task", [adding, copy, echo, parity])
def test_tasks_repeat_with_the_seed(task):
    """Same seed, same data; another seed, other data; and torch's own generator is left alone."""
    state = torch.get_rng_state()
    (x, y), (again, same), (other, _) = (task(16, 8, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))

    assert torch.equal(x, again)
    assert torch.equal(y, same)
    assert not torch.equal(x, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("task", "sizes", "message"),
    [
        (adding, (2, 1), "length is 1, but this task needs at least 2.\nHint: pass length=2 or more."),
        (echo, (0, 5), "batch is 0, but this task needs at least 1.\nHint: pass batch=1 or more."),
        (parity, (2, 0), "length is 0, but this task needs at least 1.\nHint: pass length=1 or more."),
    ],
)
def test_sizes_that_make_no_task_are_named(task, sizes, message):
    """The whole message."""
    with pytest.raises(DataError) as caught:
        task(*sizes, torch.Generator())

    assert str(caught.value) == message


def test_sizes_of_copy_are_named(rng):
    """A negative delay, and no symbols."""
    with pytest.raises(DataError) as caught:
        copy(2, 3, rng, delay=-1)
    assert str(caught.value) == "delay is -1, but this task needs at least 0.\nHint: pass delay=0 or more."

    with pytest.raises(DataError) as caught:
        copy(2, 3, rng, symbols=0)
    assert str(caught.value) == "symbols is 0, but this task needs at least 1.\nHint: pass symbols=1 or more."
