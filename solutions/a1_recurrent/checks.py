"""The checks of assignment 1: inputs, known mistakes and comparisons.

Longer than a module should be: the release needs all mistakes in this one file to keep their sentences and drop
their code. Sections follow the exercises, and each mistake is the shortest code that gives what the slip gives.
"""

import importlib.util
import math
from pathlib import Path

import torch

from seqlib.checks.registry import check, inputs, mistake

PAD = -1
LEVERS, SIGNALS, HIDDEN = 8, 4, 12


def _load(name):
    spec = importlib.util.spec_from_file_location("a1_recurrent_reference", Path(__file__).parent / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


R = _load("reference.py")
REFERENCE = {name: value for name, value in vars(R).items() if getattr(value, "__module__", "") == R.__name__}

# Inputs


@inputs
def five_sizes(case):
    """Sizes t, b, i, h, o, all different, so that a swapped axis shows."""
    return (case.permutation(5) + 3).tolist()


@inputs
def ragged_lengths(case, t, b):
    """One full sequence, one of length 1, one of t - 1, the rest between, in any order."""
    some = [t, 1, t - 1] + [case.randint(1, t) for _ in range(b - 3)]
    return torch.tensor(some)[case.permutation(b)]


@inputs
def padded(case, ids, lengths):
    """Write PAD after the end of each sequence."""
    return torch.where(torch.arange(len(ids))[:, None] < lengths, ids, PAD)


@inputs
def leaky_parameters(case, i, h):
    """W, U, b and alpha of a leaky unit that is neither linear nor saturated."""
    W, U = 1.3 * case.randn(h, h) / math.sqrt(h), 0.8 * case.randn(h, i) / math.sqrt(i)
    return W, U, 0.5 * case.randn(h), case.uniform(0.2, 0.8, h)


@inputs
def whole_network(case):
    """x, targets, lengths, weights and alpha of a ragged batch."""
    t, b, i, h, o = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    weights = [W, U, bias, case.randn(o, h), 0.5 * case.randn(o)]
    lengths = case.ragged_lengths(t, b)
    return case.randn(t, b, i), case.padded(case.tokens(o, t, b), lengths), lengths, weights, alpha


@inputs
def logits_and_targets(case):
    """Logits [t b n] and targets with padding."""
    t, b, n, _, _ = case.five_sizes()
    return 2 * case.randn(t, b, n), case.padded(case.tokens(n, t, b), case.ragged_lengths(t, b))


@inputs
def one_step(case):
    """x, h, W, U, b, alpha of one step."""
    _, b, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return case.randn(b, i), case.randn(b, h), W, U, bias, alpha


@inputs
def ragged_run(case):
    """x, lengths, h0, W, U, b, alpha of a run."""
    t, b, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return case.randn(t, b, i), case.ragged_lengths(t, b), case.randn(b, h), W, U, bias, alpha


@inputs
def one_sequence(case):
    """x [t i], h0, W, U, b, alpha of one sequence."""
    t, _, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return case.randn(t, i), case.randn(h), W, U, bias, alpha


@inputs
def signal_box(case, batches, t, b):
    """Logs of one box: levers and what the signal showed, each [s t b], and a further log nobody trains on."""
    wiring = torch.full((LEVERS,), -1)
    setting = case.permutation(LEVERS)[:SIGNALS]
    wiring[setting] = case.permutation(SIGNALS)
    at_first = case.randint(0, SIGNALS - 1)
    logs = []
    for count, width in ((batches, b), (1, 400)):
        ids = case.tokens(LEVERS, count, t, width)
        signal, shown = torch.full((count, width), at_first), []
        for step in range(t):
            signal = torch.where(wiring[ids[:, step]] >= 0, wiring[ids[:, step]], signal)
            shown.append(signal)
        lengths = case.tokens(t // 2, count, width) + t // 2 + 1
        real = torch.arange(t)[None, :, None] < lengths[:, None]
        logs.append((torch.where(real, ids, PAD), torch.where(real, torch.stack(shown, dim=1), PAD)))
    return logs


@inputs
def singular_values(case):
    """Chains of largest and smallest singular values and a factor, so that each verdict and each misreading shows."""
    chains = []
    ranges = ((0.2, 0.6), (0.5, 1.2), (0.3, 0.95), (0.8, 1.6), (1.1, 1.9), (1.3, 2.5), (0.05, 3.0), (0.9, 1.1))
    outlier = {0.15: 0.9, 0.6: 1.3}
    for low, high in 3 * ((0.05, 0.15), *ranges):
        steps = case.randint(4, 7)
        first, second = case.uniform(low, high, steps), case.uniform(low, high, steps)
        if high in outlier:
            first[1] = outlier[high]  # one step shrinks little or stretches, the chain still shrinks
        chains.append((torch.maximum(first, second), torch.minimum(first, second), float(case.uniform(1.5, 2.5))))
    return [chains[k] for k in case.permutation(len(chains)).tolist()]


# What mistakes of the backward pass share


def _same(h):
    return h


def _stopped(h):
    return h.detach()


def _pieces(x, targets, lengths, weights, alpha, leak=_same, through=_same, loss=R.character_loss):
    """Gradients da [t b h] and do [t b o], old and new states; `leak` and `through` are the two ways back in time."""
    W, U, b, V, c = weights
    nudge = torch.zeros(len(x), x.shape[1], len(b), dtype=x.dtype, requires_grad=True)
    h, old, new = torch.zeros_like(nudge[0]), [], []
    for t in range(len(x)):
        old.append(h)
        a = through(h) @ W.mT + x[t] @ U.mT + b + nudge[t]
        h = torch.where((t < lengths)[:, None], (1 - alpha) * leak(h) + alpha * torch.tanh(a), h)
        new.append(h)
    logits = torch.stack(new) @ V.mT + c
    do, da = torch.autograd.grad(loss(logits, targets), (logits, nudge))
    return da, do, torch.stack(old).detach(), torch.stack(new).detach()


def _gradients(x, weights, da, do, old, new):
    dW = torch.einsum("tbh,tbg->hg", da, old)
    dU = torch.einsum("tbh,tbi->hi", da, x)
    dV = torch.einsum("tbo,tbh->oh", do, new)
    return [dW, dU, da.sum((0, 1)), dV, do.sum((0, 1)), da @ weights[1]]


def _back(dh, x, h, W, U, b, slope, carried):
    """One step back with a given derivative of tanh and a given share of dh that skips it."""
    da = dh * slope
    return [da @ U, carried + da @ W, da.mT @ h, da.mT @ x, da.sum(0)]


def _slope(x, h, W, U, b):
    return 1 - torch.tanh(h @ W.mT + x @ U.mT + b) ** 2


def _states(x, h0, W, U, b, alpha):
    states = [h0]
    for x_t in x:
        states.append(R.leaky_step(x_t[None], states[-1][None], W, U, b, alpha)[0])
    return states


def _jacobians(x, h0, W, U, b, alpha):
    states = _states(x, h0, W, U, b, alpha)
    return [R.step_jacobian(x_t, h, W, U, b, alpha) for x_t, h in zip(x, states, strict=False)]


# 1. Characters and their loss


@mistake("Padding got the last row of E: an index of -1 counts from the end.", replaces="embed")
def embed_pad_is_last_row(ids, E):
    return E[ids]


@mistake("Padding got row 0 of E, which belongs to a real character.", replaces="embed")
def embed_pad_is_first_row(ids, E):
    return E[ids.clamp(min=0)]


@mistake("The axes are [b t i]; time comes first here.", replaces="embed")
def embed_batch_first(ids, E):
    return R.embed(ids, E).transpose(0, 1)


@mistake("These are one-hot vectors; the table E was not used.", replaces="embed")
def embed_one_hot(ids, E):
    return torch.eye(len(E), dtype=E.dtype)[ids.clamp(min=0)] * (ids != PAD)[..., None]


@mistake("Every character got its neighbour's row; ids count from 0.", replaces="embed")
def embed_off_by_one(ids, E):
    return E[ids.clamp(min=0) - 1] * (ids != PAD)[..., None]


@mistake("The rows are scaled by the square root of their size; here they stay as they are.", replaces="embed")
def embed_scaled(ids, E):
    return R.embed(ids, E) * math.sqrt(E.shape[1])


@check(
    points=4,
    mistakes=[
        embed_pad_is_last_row,
        embed_pad_is_first_row,
        embed_batch_first,
        embed_one_hot,
        embed_off_by_one,
        embed_scaled,
    ],
    uses=["embed"],
)
def embed(student, case):
    """Characters become rows of a table, padding becomes zeros."""
    t, b, i, _, n = case.five_sizes()
    ids = case.padded(case.tokens(n, t, b), case.ragged_lengths(t, b))
    E = case.randn(n, i)
    case.close(student.embed(ids, E), lambda: R.embed(ids, E), what="embed(ids, E)")


@mistake("The sum is divided by all t * b places; padding is no character.", replaces="character_loss")
def loss_counts_padding(logits, targets):
    return R.character_loss(logits, targets) * (targets != PAD).sum() / targets.numel()


@mistake("The loss is in bits; expected nats. Which logarithm did you take?", replaces="character_loss")
def loss_in_bits(logits, targets):
    return R.character_loss(logits, targets) / math.log(2)


@mistake("softmax over axis 1, the sequences; expected the class axis.", replaces="character_loss")
def loss_softmax_over_batch(logits, targets):
    p = logits.softmax(dim=1).log()
    return torch.nn.functional.nll_loss(p.flatten(0, 1), targets.flatten(), ignore_index=PAD)


@mistake("softmax over axis 0, the steps; expected the class axis.", replaces="character_loss")
def loss_softmax_over_time(logits, targets):
    p = logits.softmax(dim=0).log()
    return torch.nn.functional.nll_loss(p.flatten(0, 1), targets.flatten(), ignore_index=PAD)


@mistake("This is the sum over characters; expected their mean.", replaces="character_loss")
def loss_is_a_sum(logits, targets):
    return R.character_loss(logits, targets) * (targets != PAD).sum()


@mistake(
    "Each sequence was averaged first, so short ones count too much; average over all valid characters at once.",
    replaces="character_loss",
)
def loss_mean_of_means(logits, targets):
    columns = [R.character_loss(logits[:, [b]], targets[:, [b]]) for b in range(targets.shape[1])]
    return torch.stack(columns).mean()


@mistake(
    "exp overflows for large logits; subtract something from all logits that the softmax does not notice.",
    replaces="character_loss",
)
def loss_overflows(logits, targets):
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return torch.nn.functional.nll_loss(p.log().flatten(0, 1), targets.flatten(), ignore_index=PAD)


@mistake(
    "Padding was scored as if it were the last character; leave it out of the sum as well.", replaces="character_loss"
)
def loss_pad_is_a_class(logits, targets):
    log_p = logits.log_softmax(-1)
    return -log_p.gather(-1, (targets % logits.shape[-1])[..., None]).mean()


@mistake("This averages probabilities; surprise is a logarithm.", replaces="character_loss")
def loss_without_log(logits, targets):
    p = logits.softmax(-1)
    return torch.nn.functional.nll_loss(p.flatten(0, 1), targets.flatten(), ignore_index=PAD)


@mistake("The sign is turned: log probabilities are negative, a loss is not.", replaces="character_loss")
def loss_positive(logits, targets):
    return -R.character_loss(logits, targets)


@mistake("The logits were taken for log probabilities; normalise them first.", replaces="character_loss")
def loss_without_softmax(logits, targets):
    return torch.nn.functional.nll_loss(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)


@check(
    points=6,
    mistakes=[
        loss_counts_padding,
        loss_in_bits,
        loss_softmax_over_batch,
        loss_softmax_over_time,
        loss_is_a_sum,
        loss_mean_of_means,
        loss_overflows,
        loss_pad_is_a_class,
        loss_without_log,
        loss_positive,
        loss_without_softmax,
    ],
    uses=["character_loss"],
)
def character_loss(student, case):
    """Mean surprise in nats of the valid characters, also for large logits."""
    logits, targets = case.logits_and_targets()
    case.close(student.character_loss(logits, targets), lambda: R.character_loss(logits, targets), what="loss")
    high = logits + 1000.0
    case.close(
        student.character_loss(high, targets), lambda: R.character_loss(high, targets), what="loss of logits + 1000"
    )


# 2. The leaky unit, forward


@mistake("This is the lecture's unit: nothing of the old state leaks through.", replaces="leaky_step")
def step_without_leak(x, h, W, U, b, alpha):
    return torch.tanh(h @ W.mT + x @ U.mT + b)


@mistake("The two shares are swapped: alpha weighs the wrong one.", replaces="leaky_step")
def step_shares_swapped(x, h, W, U, b, alpha):
    return alpha * h + (1 - alpha) * torch.tanh(h @ W.mT + x @ U.mT + b)


@mistake(
    "W was used transposed: its rows are where values go, its columns where they come from.", replaces="leaky_step"
)
def step_w_transposed(x, h, W, U, b, alpha):
    return R.leaky_step(x, h, W.mT, U, b, alpha)


@mistake("The leak went through tanh as well; it stays outside.", replaces="leaky_step")
def step_leak_inside_tanh(x, h, W, U, b, alpha):
    return torch.tanh((1 - alpha) * h + alpha * (h @ W.mT + x @ U.mT + b))


@mistake("The bias b is missing.", replaces="leaky_step")
def step_without_bias(x, h, W, U, b, alpha):
    return R.leaky_step(x, h, W, U, 0 * b, alpha)


@mistake("The bias was added after tanh; it belongs to a.", replaces="leaky_step")
def step_bias_outside(x, h, W, U, b, alpha):
    return (1 - alpha) * h + alpha * (torch.tanh(h @ W.mT + x @ U.mT) + b)


@mistake("The new value did not go through tanh.", replaces="leaky_step")
def step_without_tanh(x, h, W, U, b, alpha):
    return (1 - alpha) * h + alpha * (h @ W.mT + x @ U.mT + b)


@mistake("The new value enters whole; only a share of it should.", replaces="leaky_step")
def step_new_value_not_shared(x, h, W, U, b, alpha):
    return (1 - alpha) * h + torch.tanh(h @ W.mT + x @ U.mT + b)


@mistake("The old state stays whole; a share of it should leak away.", replaces="leaky_step")
def step_old_state_kept_whole(x, h, W, U, b, alpha):
    return h + alpha * torch.tanh(h @ W.mT + x @ U.mT + b)


@mistake("A sigmoid squashes to (0, 1); this unit squashes to (-1, 1).", replaces="leaky_step")
def step_sigmoid(x, h, W, U, b, alpha):
    return (1 - alpha) * h + alpha * torch.sigmoid(h @ W.mT + x @ U.mT + b)


@mistake("W reads the state after the leak; it should read the old state itself.", replaces="leaky_step")
def step_leaked_state_in_w(x, h, W, U, b, alpha):
    return (1 - alpha) * h + alpha * torch.tanh(((1 - alpha) * h) @ W.mT + x @ U.mT + b)


@mistake("All units share one alpha; each unit has its own.", replaces="leaky_step")
def step_one_alpha_for_all(x, h, W, U, b, alpha):
    return R.leaky_step(x, h, W, U, b, alpha.mean())


@check(
    points=5,
    mistakes=[
        step_without_leak,
        step_shares_swapped,
        step_w_transposed,
        step_leak_inside_tanh,
        step_without_bias,
        step_bias_outside,
        step_without_tanh,
        step_new_value_not_shared,
        step_old_state_kept_whole,
        step_sigmoid,
        step_leaked_state_in_w,
        step_one_alpha_for_all,
    ],
    uses=["leaky_step"],
)
def leaky_step(student, case):
    """One step of the leaky unit."""
    x, h, W, U, b, alpha = case.one_step()
    case.close(student.leaky_step(x, h, W, U, b, alpha), lambda: R.leaky_step(x, h, W, U, b, alpha), what="new state")


@mistake("Sequences that have ended keep moving; they should freeze.", replaces="leaky_run")
def run_past_the_end(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, torch.full_like(lengths, len(x)), h0, W, U, b, alpha)


@mistake("Rows after the end are zeros; a frozen state repeats instead.", replaces="leaky_run")
def run_zero_past_the_end(x, lengths, h0, W, U, b, alpha):
    valid = torch.arange(len(x))[:, None, None] < lengths[:, None]
    return R.leaky_run(x, lengths, h0, W, U, b, alpha) * valid


@mistake("h0 was ignored: the run started from zeros.", replaces="leaky_run")
def run_forgets_h0(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, lengths, 0 * h0, W, U, b, alpha)


@mistake("Each row is the state before its step; expected the state after it.", replaces="leaky_run")
def run_starts_with_h0(x, lengths, h0, W, U, b, alpha):
    states = R.leaky_run(x, lengths, h0, W, U, b, alpha)
    return torch.cat([h0[None], states[:-1]])


@mistake("There is one row too many: h0 is no state of the run.", replaces="leaky_run")
def run_includes_h0(x, lengths, h0, W, U, b, alpha):
    return torch.cat([h0[None], R.leaky_run(x, lengths, h0, W, U, b, alpha)])


@mistake("The axes are [b t h]; time comes first here.", replaces="leaky_run")
def run_batch_first(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, lengths, h0, W, U, b, alpha).transpose(0, 1)


@mistake("Every step starts from h0 again; the state should be handed on.", replaces="leaky_run")
def run_always_from_h0(x, lengths, h0, W, U, b, alpha):
    return torch.stack([R.leaky_run(x_t[None], lengths - t, h0, W, U, b, alpha)[0] for t, x_t in enumerate(x)])


@mistake("Sequences freeze one step too early; how many steps does a length of 1 take?", replaces="leaky_run")
def run_freezes_early(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, lengths - 1, h0, W, U, b, alpha)


@mistake("Sequences freeze one step too late; steps count from 0.", replaces="leaky_run")
def run_freezes_late(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, lengths + 1, h0, W, U, b, alpha)


@mistake("Only the final state came back; expected all of them.", replaces="leaky_run")
def run_only_last(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x, lengths, h0, W, U, b, alpha)[-1]


@mistake("The sequence was read from its end.", replaces="leaky_run")
def run_backwards(x, lengths, h0, W, U, b, alpha):
    return R.leaky_run(x.flip(0), lengths, h0, W, U, b, alpha)


@check(
    points=7,
    mistakes=[
        run_past_the_end,
        run_zero_past_the_end,
        run_forgets_h0,
        run_starts_with_h0,
        run_includes_h0,
        run_batch_first,
        run_always_from_h0,
        run_freezes_early,
        run_freezes_late,
        run_only_last,
        run_backwards,
    ],
    uses=["leaky_run"],
)
def leaky_run(student, case):
    """All states of a ragged batch, frozen after the end."""
    run = case.ragged_run()
    case.close(student.leaky_run(*run), lambda: R.leaky_run(*run), what="states")


@mistake("x went straight to the readout; it should pass the unit first.", replaces="one_to_one")
def one_without_step(x, weights, alpha):
    _, U, b, V, c = weights
    return (x @ U.mT + b) @ V.mT + c


@mistake("These are probabilities; expected logits.", replaces="one_to_one")
def one_softmaxed(x, weights, alpha):
    return R.one_to_one(x, weights, alpha).softmax(-1)


@mistake("The readout lost its bias c.", replaces="one_to_one")
def one_without_c(x, weights, alpha):
    return R.one_to_one(x, [*weights[:4], 0 * weights[4]], alpha)


@mistake("After the end of a sequence stand logits of the frozen state; expected zeros.", replaces="many_to_many")
def many_padding_not_zero(x, lengths, weights, alpha):
    return _frozen_logits(x, lengths, weights, alpha)


@mistake("The states were zeroed after the end, so the logits there are c; expected zeros.", replaces="many_to_many")
def many_padding_is_c(x, lengths, weights, alpha):
    valid = torch.arange(len(x))[:, None, None] < lengths[:, None]
    return R.many_to_many(x, lengths, weights, alpha) + ~valid * weights[4]


@mistake("Short sequences ran on into the padding before they were read.", replaces="many_to_one")
def last_of_the_padding(x, lengths, weights, alpha):
    return R.many_to_one(x, torch.full_like(lengths, len(x)), weights, alpha)


@mistake("The logits are averaged over time; expected those of the last valid state.", replaces="many_to_one")
def mean_of_states(x, lengths, weights, alpha):
    return R.many_to_many(x, lengths, weights, alpha).sum(0) / lengths[:, None]


@mistake("The state before the last valid one was read.", replaces="many_to_one")
def one_before_last(x, lengths, weights, alpha):
    return R.many_to_one(x, lengths - 1, weights, alpha)


@mistake("The last row of logits is zero for short sequences; read each at its own end.", replaces="many_to_one")
def last_is_zero(x, lengths, weights, alpha):
    return R.many_to_many(x, lengths, weights, alpha)[-1]


@mistake("x enters at every step; expected the first one only.", replaces="one_to_many")
def input_at_every_step(x, steps, weights, alpha):
    return R.many_to_many(x.expand(steps, *x.shape), torch.full((len(x),), steps), weights, alpha)


@mistake("The first logits are repeated; the unit should run on.", replaces="one_to_many")
def same_logits_repeated(x, steps, weights, alpha):
    return R.one_to_one(x, weights, alpha).expand(steps, -1, -1).clone()


@mistake("Later steps lost the bias b; only the input is zero there.", replaces="one_to_many")
def later_steps_without_bias(x, steps, weights, alpha):
    W, U, b, V, c = weights
    h, logits = torch.zeros(len(x), len(b), dtype=x.dtype), []
    for t in range(steps):
        h = R.leaky_step(x * (t == 0), h, W, U, b * (t == 0), alpha)
        logits.append(h @ V.mT + c)
    return torch.stack(logits)


@mistake("There is one step too many: the first logits follow the first step.", replaces="one_to_many")
def one_step_too_many(x, steps, weights, alpha):
    return R.one_to_many(x, steps + 1, weights, alpha)


def _frozen_logits(x, lengths, weights, alpha):
    return R._from_rest(x, lengths, weights, alpha) @ weights[3].mT + weights[4]


@check(
    points=8,
    mistakes=[
        one_without_step,
        one_softmaxed,
        one_without_c,
        many_padding_not_zero,
        many_padding_is_c,
        last_of_the_padding,
        mean_of_states,
        one_before_last,
        last_is_zero,
        input_at_every_step,
        same_logits_repeated,
        later_steps_without_bias,
        one_step_too_many,
    ],
    uses=["one_to_one", "many_to_many", "many_to_one", "one_to_many"],
)
def sequence_shapes(student, case):
    """Four ways to read and write with one unit."""
    x, _, lengths, weights, alpha = case.whole_network()
    steps = len(x)
    case.close(student.one_to_one(x[0], weights, alpha), lambda: R.one_to_one(x[0], weights, alpha), what="one_to_one")
    actual = student.many_to_many(x, lengths, weights, alpha)
    case.close(actual, lambda: R.many_to_many(x, lengths, weights, alpha), what="many_to_many")
    actual = student.many_to_one(x, lengths, weights, alpha)
    case.close(actual, lambda: R.many_to_one(x, lengths, weights, alpha), what="many_to_one")
    actual = student.one_to_many(x[0], steps, weights, alpha)
    case.close(actual, lambda: R.one_to_many(x[0], steps, weights, alpha), what="one_to_many")


# 3. Backpropagation through time, by hand


@mistake("The loss is a mean: something divides its gradient.", replaces="logit_gradient")
def logit_gradient_of_the_sum(logits, targets):
    return R.logit_gradient(logits, targets) * (targets != PAD).sum()


@mistake("Divided by all t * b places; padding is no character.", replaces="logit_gradient")
def logit_gradient_over_all_places(logits, targets):
    return R.logit_gradient(logits, targets) * (targets != PAD).sum() / targets.numel()


@mistake("Padding has a gradient; it takes no part in the loss.", replaces="logit_gradient")
def logit_gradient_on_padding(logits, targets):
    return (logits.softmax(-1) - _one_hot(targets, logits)) / (targets != PAD).sum()


@mistake("The sign is turned: this points where the loss falls.", replaces="logit_gradient")
def logit_gradient_turned(logits, targets):
    return -R.logit_gradient(logits, targets)


@mistake("The target's own logit is treated like all others.", replaces="logit_gradient")
def logit_gradient_without_target(logits, targets):
    return logits.softmax(-1) * (targets != PAD)[..., None] / (targets != PAD).sum()


@mistake("Only the target's logit has a gradient; the softmax ties all logits together.", replaces="logit_gradient")
def logit_gradient_target_only(logits, targets):
    return R.logit_gradient(logits, targets) * _one_hot(targets, logits)


@mistake("The logits stand where probabilities belong.", replaces="logit_gradient")
def logit_gradient_logits_for_p(logits, targets):
    return (logits - _one_hot(targets, logits)) * (targets != PAD)[..., None] / (targets != PAD).sum()


@mistake("Divided by the number of steps; the mean is over all valid characters.", replaces="logit_gradient")
def logit_gradient_over_steps(logits, targets):
    return R.logit_gradient(logits, targets) * (targets != PAD).sum() / len(targets)


def _one_hot(targets, logits):
    return torch.eye(logits.shape[-1], dtype=logits.dtype)[targets.clamp(min=0)] * (targets != PAD)[..., None]


@check(
    points=6,
    mistakes=[
        logit_gradient_of_the_sum,
        logit_gradient_over_all_places,
        logit_gradient_on_padding,
        logit_gradient_turned,
        logit_gradient_without_target,
        logit_gradient_target_only,
        logit_gradient_logits_for_p,
        logit_gradient_over_steps,
    ],
    uses=["logit_gradient"],
)
def logit_gradient(student, case):
    """The gradient of the loss with respect to the logits."""
    logits, targets = case.logits_and_targets()
    case.close(student.logit_gradient(logits, targets), lambda: R.logit_gradient(logits, targets), what="gradient")


@mistake("dh_old misses the leak: part of dh reaches the old state without passing W.", replaces="step_backward")
def back_without_leak(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, alpha * _slope(x, h, W, U, b), 0 * dh)


@mistake("The share alpha is missing on the way back through tanh.", replaces="step_backward")
def back_without_share(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, _slope(x, h, W, U, b), (1 - alpha) * dh)


@mistake("The slope was taken at the new state h; in this unit h is not the tanh.", replaces="step_backward")
def back_slope_of_state(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, alpha * (1 - R.leaky_step(x, h, W, U, b, alpha) ** 2), (1 - alpha) * dh)


@mistake("Going back through W uses it the other way round than you did.", replaces="step_backward")
def back_w_transposed(dh, x, h, W, U, b, alpha):
    dx, _, *rest = R.step_backward(dh, x, h, W, U, b, alpha)
    da = dh * alpha * _slope(x, h, W, U, b)
    return [dx, (1 - alpha) * dh + da @ W.mT, *rest]


@mistake("dW is transposed: its rows are where values go, as in W.", replaces="step_backward")
def back_dw_transposed(dh, x, h, W, U, b, alpha):
    dx, dh_old, dW, dU, db = R.step_backward(dh, x, h, W, U, b, alpha)
    return [dx, dh_old, dW.mT, dU, db]


@mistake("dW pairs with the new state; W multiplied the old one.", replaces="step_backward")
def back_dw_from_new_state(dh, x, h, W, U, b, alpha):
    dx, dh_old, _, dU, db = R.step_backward(dh, x, h, W, U, b, alpha)
    da = dh * alpha * _slope(x, h, W, U, b)
    return [dx, dh_old, da.mT @ R.leaky_step(x, h, W, U, b, alpha), dU, db]


@mistake("The slope of tanh is 1 - tanh^2; a square is missing.", replaces="step_backward")
def back_slope_without_square(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, alpha * (1 - torch.tanh(h @ W.mT + x @ U.mT + b)), (1 - alpha) * dh)


@mistake("The slope of tanh is missing.", replaces="step_backward")
def back_without_slope(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, alpha.expand_as(dh), (1 - alpha) * dh)


@mistake("db has one row for each sequence; sum over the batch.", replaces="step_backward")
def back_db_not_summed(dh, x, h, W, U, b, alpha):
    dx, dh_old, dW, dU, _ = R.step_backward(dh, x, h, W, U, b, alpha)
    return [dx, dh_old, dW, dU, dh * alpha * _slope(x, h, W, U, b)]


@mistake("dW, dU and db are averaged over the batch; the mean is already in the loss.", replaces="step_backward")
def back_batch_mean(dh, x, h, W, U, b, alpha):
    dx, dh_old, *rest = R.step_backward(dh, x, h, W, U, b, alpha)
    return [dx, dh_old, *(g / len(x) for g in rest)]


@mistake("All of dh skips tanh; only the share that leaks through does.", replaces="step_backward")
def back_leak_whole(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, alpha * _slope(x, h, W, U, b), dh)


@mistake("The two shares are swapped on the way back.", replaces="step_backward")
def back_shares_swapped(dh, x, h, W, U, b, alpha):
    return _back(dh, x, h, W, U, b, (1 - alpha) * _slope(x, h, W, U, b), alpha * dh)


@check(
    points=10,
    mistakes=[
        back_without_leak,
        back_without_share,
        back_slope_of_state,
        back_w_transposed,
        back_dw_transposed,
        back_dw_from_new_state,
        back_slope_without_square,
        back_without_slope,
        back_db_not_summed,
        back_batch_mean,
        back_leak_whole,
        back_shares_swapped,
    ],
    uses=["step_backward"],
)
def step_backward(student, case):
    """The gradients of one step, backward."""
    x, h, W, U, b, alpha = case.one_step()
    dh = case.randn(*h.shape)
    actual = student.step_backward(dh, x, h, W, U, b, alpha)
    case.close(actual, lambda: R.step_backward(dh, x, h, W, U, b, alpha), what="[dx, dh_old, dW, dU, db]")


@mistake("No gradient travels from a step to the one before it.", replaces="bptt")
def bptt_not_through_time(x, targets, lengths, weights, alpha):
    return _gradients(x, weights, *_pieces(x, targets, lengths, weights, alpha, _stopped, _stopped))


@mistake("The gradient travels back through W only; the leak carries a share as well.", replaces="bptt")
def bptt_leak_carries_nothing(x, targets, lengths, weights, alpha):
    return _gradients(x, weights, *_pieces(x, targets, lengths, weights, alpha, leak=_stopped))


@mistake("The gradient travels back through the leak only; W carries a share as well.", replaces="bptt")
def bptt_only_leak_carries(x, targets, lengths, weights, alpha):
    return _gradients(x, weights, *_pieces(x, targets, lengths, weights, alpha, through=_stopped))


@mistake("Only the loss of each last valid step was sent back; every valid step has its own.", replaces="bptt")
def bptt_last_loss_only(x, targets, lengths, weights, alpha):
    return _gradients(x, weights, *_pieces(x, targets, lengths, weights, alpha, loss=_last_loss))


@mistake("These are gradients of a sum; the loss is a mean.", replaces="bptt")
def bptt_of_the_sum(x, targets, lengths, weights, alpha):
    count = (targets != PAD).sum()
    return [g * count for g in R.bptt(x, targets, lengths, weights, alpha)]


@mistake("dW, dU and db are averaged over the steps; shared weights collect a sum.", replaces="bptt")
def bptt_averaged_over_time(x, targets, lengths, weights, alpha):
    dW, dU, db, *rest = R.bptt(x, targets, lengths, weights, alpha)
    return [dW / len(x), dU / len(x), db / len(x), *rest]


@mistake("dW pairs each step with its new state; W multiplied the old one.", replaces="bptt")
def bptt_dw_from_new_states(x, targets, lengths, weights, alpha):
    da, do, _, new = _pieces(x, targets, lengths, weights, alpha)
    return _gradients(x, weights, da, do, new, new)


@mistake("dV pairs each step with the state before it; V reads the new one.", replaces="bptt")
def bptt_dv_from_old_states(x, targets, lengths, weights, alpha):
    da, do, old, new = _pieces(x, targets, lengths, weights, alpha)
    dW, dU, db, _, dc, dx = _gradients(x, weights, da, do, old, new)
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, old), dc, dx]


@mistake("dW is transposed: its rows are where values go, as in W.", replaces="bptt")
def bptt_dw_transposed(x, targets, lengths, weights, alpha):
    dW, *rest = R.bptt(x, targets, lengths, weights, alpha)
    return [dW.mT, *rest]


@mistake("dW, dU and db hold one step only; each step adds its share.", replaces="bptt")
def bptt_overwrites(x, targets, lengths, weights, alpha):
    da, do, old, new = _pieces(x, targets, lengths, weights, alpha)
    first = _gradients(x, weights, da * (torch.arange(len(x)) == 0)[:, None, None], do, old, new)
    return [*first[:3], *_gradients(x, weights, da, do, old, new)[3:]]


@mistake("Padding takes part in the loss: its logits have a gradient.", replaces="bptt")
def bptt_padding_in_loss(x, targets, lengths, weights, alpha):
    return _gradients(x, weights, *_pieces(x, targets, lengths, weights, alpha, loss=_loss_with_padding))


@mistake(
    "Sequences that have ended go on leaking their gradient to dx and the weights; a frozen state takes no share.",
    replaces="bptt",
)
def bptt_frozen_not_carried(x, targets, lengths, weights, alpha):
    return _gradients(
        x,
        weights,
        *_pieces(x, torch.where(targets == PAD, 0, targets), torch.full_like(lengths, len(x)), weights, alpha),
    )


def _last_loss(logits, targets):
    """The same mean, of the last valid steps alone."""
    ends = torch.cat([targets[1:] == PAD, torch.ones_like(targets[:1], dtype=torch.bool)]) & (targets != PAD)
    count = (targets != PAD).sum()
    return R.character_loss(logits, torch.where(ends, targets, PAD)) * ends.sum() / count


def _loss_with_padding(logits, targets):
    """Padding is charged the log of the normaliser, as when only its one-hot row is zero."""
    charged = torch.where(targets == PAD, logits.logsumexp(-1), 0.0).sum()
    return R.character_loss(logits, targets) + charged / (targets != PAD).sum()


@check(
    points=14,
    mistakes=[
        bptt_not_through_time,
        bptt_leak_carries_nothing,
        bptt_only_leak_carries,
        bptt_last_loss_only,
        bptt_of_the_sum,
        bptt_averaged_over_time,
        bptt_dw_from_new_states,
        bptt_dv_from_old_states,
        bptt_dw_transposed,
        bptt_overwrites,
        bptt_padding_in_loss,
        bptt_frozen_not_carried,
    ],
    uses=["bptt"],
)
def bptt(student, case):
    """All gradients of the loss, through all steps."""
    x, targets, lengths, weights, alpha = case.whole_network()
    actual = student.bptt(x, targets, lengths, weights, alpha)
    case.close(actual, lambda: R.bptt(x, targets, lengths, weights, alpha), what="[dW, dU, db, dV, dc, dx]")


# 4. Clip and truncate


@mistake(
    "Each tensor was clipped by its own norm; the norm is joint, and one factor serves all.", replaces="clip_gradients"
)
def clip_each_tensor(gradients, max_norm):
    return [
        {n: R.clip_gradients({n: g}, max_norm)[0][n] for n, g in gradients.items()},
        R.clip_gradients(gradients, 1.0)[1],
    ]


@mistake("Each number was clamped, which turns the gradient; expected one common factor.", replaces="clip_gradients")
def clip_values(gradients, max_norm):
    return [{n: g.clamp(-max_norm, max_norm) for n, g in gradients.items()}, R.clip_gradients(gradients, 1.0)[1]]


@mistake("Small gradients were blown up to max_norm; they should stay as they are.", replaces="clip_gradients")
def clip_always(gradients, max_norm):
    norm = R.clip_gradients(gradients, 1.0)[1]
    if not norm.isfinite():
        return R.clip_gradients(gradients, max_norm)
    return [{n: g * max_norm / norm for n, g in gradients.items()}, norm]


@mistake("The square root of the sum of squares is missing.", replaces="clip_gradients")
def clip_without_root(gradients, max_norm):
    square = R.clip_gradients(gradients, 1.0)[1] ** 2
    factor = min(1.0, max_norm / float(square)) if square.isfinite() else 0.0
    return [{n: g.nan_to_num() * factor for n, g in gradients.items()}, square]


@mistake("The norm is the largest of the tensors' norms; expected the joint one.", replaces="clip_gradients")
def clip_largest_norm(gradients, max_norm):
    norms = torch.stack([g.norm() for g in gradients.values()])
    norm = norms.max() if norms.isfinite().all() else torch.full_like(norms[0], math.inf)
    factor = min(1.0, max_norm / float(norm))
    return [{n: g.nan_to_num() * factor for n, g in gradients.items()}, norm]


@mistake("The tensors' norms were added; squares add, norms do not.", replaces="clip_gradients")
def clip_sum_of_norms(gradients, max_norm):
    norm = sum(g.norm() for g in gradients.values())
    norm = norm if norm.isfinite() else torch.full_like(norm, math.inf)
    factor = min(1.0, max_norm / float(norm))
    return [{n: g.nan_to_num() * factor for n, g in gradients.items()}, norm]


@mistake("A norm that is not finite slipped through: the gradients still hold NaN.", replaces="clip_gradients")
def clip_lets_nan_through(gradients, max_norm):
    norm = torch.cat([g.flatten() for g in gradients.values()]).norm()
    factor = 1.0 if norm <= max_norm else max_norm / norm
    return [{n: g * factor for n, g in gradients.items()}, norm]


@mistake("The norm was measured after clipping; expected the norm before.", replaces="clip_gradients")
def clip_returns_norm_after(gradients, max_norm):
    clipped, norm = R.clip_gradients(gradients, max_norm)
    return [clipped, torch.clamp(norm, max=max_norm) if norm.isfinite() else norm]


@mistake("A lost step reports the norm 0; expected inf, so that the loss of it shows.", replaces="clip_gradients")
def clip_lost_step_has_norm_zero(gradients, max_norm):
    clipped, norm = R.clip_gradients(gradients, max_norm)
    return [clipped, norm if norm.isfinite() else 0 * clipped["b"].sum()]


@check(
    points=5,
    mistakes=[
        clip_each_tensor,
        clip_values,
        clip_always,
        clip_without_root,
        clip_largest_norm,
        clip_sum_of_norms,
        clip_lets_nan_through,
        clip_returns_norm_after,
        clip_lost_step_has_norm_zero,
    ],
    uses=["clip_gradients"],
)
def clip_gradients(student, case):
    """One joint norm, one factor, and nothing that is not finite."""
    _, h, i, _, _ = case.five_sizes()
    large = {"W": 3 * case.randn(h, h), "U": case.randn(h, i), "b": 2 * case.randn(h)}
    limit = float(case.uniform(0.5, 1.5))
    case.close(student.clip_gradients(large, limit), lambda: R.clip_gradients(large, limit), what="[clipped, norm]")
    small = {name: 0.01 * value for name, value in large.items()}
    what = "[clipped, norm] of small gradients"
    case.close(student.clip_gradients(small, 5.0), lambda: R.clip_gradients(small, 5.0), what=what)
    lost = large | {"U": torch.full_like(large["U"], math.nan)}
    case.close(
        student.clip_gradients(lost, limit), lambda: R.clip_gradients(lost, limit), what="[clipped, norm] with NaN"
    )
    endless = large | {"U": torch.full_like(large["U"], math.inf)}
    what = "[clipped, norm] with infinity"
    case.close(student.clip_gradients(endless, limit), lambda: R.clip_gradients(endless, limit), what=what)


@mistake("The gradient reaches k + 1 steps back.", replaces="truncated_gradient")
def truncated_one_too_late(x, dh, k, W, U, b, alpha):
    return R.truncated_gradient(x, dh, k + 1, W, U, b, alpha)


@mistake("The gradient reaches k - 1 steps back only.", replaces="truncated_gradient")
def truncated_one_too_early(x, dh, k, W, U, b, alpha):
    return _masked(R.truncated_gradient(x, dh, k, W, U, b, alpha), len(x) - k + 1)


@mistake(
    "A gradient slips past the cut through the leak; both ways back have to end there.", replaces="truncated_gradient"
)
def truncated_leak_runs_on(x, dh, k, W, U, b, alpha):
    return _cut_one_way(x, dh, k, W, U, b, alpha, leak=True)


@mistake("A gradient slips past the cut through W; both ways back have to end there.", replaces="truncated_gradient")
def truncated_w_runs_on(x, dh, k, W, U, b, alpha):
    return _cut_one_way(x, dh, k, W, U, b, alpha, leak=False)


@mistake("The gradient reaches all the way back.", replaces="truncated_gradient")
def truncated_not_at_all(x, dh, k, W, U, b, alpha):
    return R.truncated_gradient(x, dh, len(x), W, U, b, alpha)


@mistake("The forward pass was cut as well: the state before the last k steps was lost.", replaces="truncated_gradient")
def truncated_forward_too(x, dh, k, W, U, b, alpha):
    last = R.truncated_gradient(x[-k:], dh, k, W, U, b, alpha)
    return torch.cat([torch.zeros_like(x[:-k]), last])


@mistake("Only k rows came back; the steps before the cut have zeros.", replaces="truncated_gradient")
def truncated_rows_left_out(x, dh, k, W, U, b, alpha):
    return R.truncated_gradient(x, dh, k, W, U, b, alpha)[-k:]


@mistake("The first k steps have the gradient; expected the last k.", replaces="truncated_gradient")
def truncated_first_steps(x, dh, k, W, U, b, alpha):
    return torch.cat([R.truncated_gradient(x, dh, len(x), W, U, b, alpha)[:k], torch.zeros_like(x[k:])])


@mistake("dh was added at every step; it belongs to the last state only.", replaces="truncated_gradient")
def truncated_every_step(x, dh, k, W, U, b, alpha):
    return sum(
        torch.cat([R.truncated_gradient(x[: t + 1], dh, min(k, t + 1), W, U, b, alpha), torch.zeros_like(x[t + 1 :])])
        for t in range(len(x))
    )


@mistake("The first k steps were cut away, whatever the length; count k from the end.", replaces="truncated_gradient")
def truncated_all_but_k(x, dh, k, W, U, b, alpha):
    return R.truncated_gradient(x, dh, len(x) - k, W, U, b, alpha)


@mistake("On the way back the leak carries nothing between the last k steps.", replaces="truncated_gradient")
def truncated_vanilla_back(x, dh, k, W, U, b, alpha):
    return _masked(_cut_one_way(x, dh, len(x), W, U, b, alpha, leak=None), len(x) - k)


def _masked(dx, first):
    return dx * (torch.arange(len(dx)) >= first)[:, None, None]


def _cut_one_way(x, dh, k, W, U, b, alpha, *, leak):
    """Cut only one of the two ways back at step t - k; leak=None: the leak carries nothing anywhere."""
    leaf = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for t in range(len(x)):
        at_cut = t == len(x) - k and leak is not None
        through = h.detach() if at_cut and leak else h
        kept = h.detach() if leak is None or (at_cut and not leak) else h
        h = (1 - alpha) * kept + alpha * torch.tanh(through @ W.mT + leaf[t] @ U.mT + b)
    return torch.autograd.grad(h, leaf, dh)[0]


@check(
    points=5,
    mistakes=[
        truncated_one_too_late,
        truncated_one_too_early,
        truncated_leak_runs_on,
        truncated_w_runs_on,
        truncated_not_at_all,
        truncated_forward_too,
        truncated_rows_left_out,
        truncated_first_steps,
        truncated_every_step,
        truncated_all_but_k,
        truncated_vanilla_back,
    ],
    uses=["truncated_gradient"],
)
def truncated_gradient(student, case):
    """A gradient that reaches exactly k steps back."""
    _, b, i, h, _ = case.five_sizes()
    k = case.randint(2, 3)
    x, dh = case.randn(2 * k + 2, b, i), case.randn(b, h)
    W, U, bias, alpha = case.leaky_parameters(i, h)
    dx = student.truncated_gradient(x, dh, k, W, U, bias, alpha)
    case.close(dx, lambda: R.truncated_gradient(x, dh, k, W, U, bias, alpha), what="dx")
    case.require(bool((dx[:-k] == 0).all()), "before the last k steps the gradient is small; expected exactly zero.")


# 5. A report on the Jacobian


@mistake("The leak is missing: a nudge of the old state also reaches the new one directly.", replaces="step_jacobian")
def jacobian_without_leak(x, h, W, U, b, alpha):
    return R.step_jacobian(x, h, W, U, b, alpha) - torch.diag(1 - alpha)


@mistake("The Jacobian is transposed: rows are the new state, columns the old one.", replaces="step_jacobian")
def jacobian_transposed(x, h, W, U, b, alpha):
    return R.step_jacobian(x, h, W, U, b, alpha).mT


@mistake("The slopes scale the columns of W; the slope belongs to the unit that answers.", replaces="step_jacobian")
def jacobian_scales_columns(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + W * (alpha * _slope(x, h, W, U, b))


@mistake("The slope was taken at the new state h; in this unit h is not the tanh.", replaces="step_jacobian")
def jacobian_slope_of_state(x, h, W, U, b, alpha):
    new = R.leaky_step(x[None], h[None], W, U, b, alpha)[0]
    return torch.diag(1 - alpha) + (alpha * (1 - new**2))[:, None] * W


@mistake("The slope was taken at the old state; tanh is taken of a.", replaces="step_jacobian")
def jacobian_slope_of_old_state(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + (alpha * (1 - h**2))[:, None] * W


@mistake("The share alpha is missing before the slope.", replaces="step_jacobian")
def jacobian_without_share(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + _slope(x, h, W, U, b)[:, None] * W


@mistake("The slope of tanh is missing.", replaces="step_jacobian")
def jacobian_without_slope(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + alpha[:, None] * W


@mistake("1 - alpha was added to every entry; the leak joins each unit to itself only.", replaces="step_jacobian")
def jacobian_leak_everywhere(x, h, W, U, b, alpha):
    return (1 - alpha)[:, None] + (alpha * _slope(x, h, W, U, b))[:, None] * W


@mistake("The two shares are swapped.", replaces="step_jacobian")
def jacobian_leak_is_alpha(x, h, W, U, b, alpha):
    return torch.diag(alpha) + ((1 - alpha) * _slope(x, h, W, U, b))[:, None] * W


@mistake("The slope ignores the input and the bias: a is more than W h.", replaces="step_jacobian")
def jacobian_of_the_input(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + (alpha * (1 - torch.tanh(W @ h) ** 2))[:, None] * W


@check(
    points=5,
    mistakes=[
        jacobian_without_leak,
        jacobian_transposed,
        jacobian_scales_columns,
        jacobian_slope_of_state,
        jacobian_slope_of_old_state,
        jacobian_without_share,
        jacobian_without_slope,
        jacobian_leak_everywhere,
        jacobian_leak_is_alpha,
        jacobian_of_the_input,
    ],
    uses=["step_jacobian"],
)
def step_jacobian(student, case):
    """How a nudge of the old state moves the new one."""
    x, h, W, U, b, alpha = case.one_sequence()
    case.close(
        student.step_jacobian(x[0], h, W, U, b, alpha), lambda: R.step_jacobian(x[0], h, W, U, b, alpha), what="J"
    )


@mistake(
    "The Jacobians are multiplied in the order of time; the first step acts first, so it stands on the right.",
    replaces="jacobian_report",
)
def report_order_turned(x, h0, W, U, b, alpha):
    return _report(torch.linalg.multi_dot(_jacobians(x, h0, W, U, b, alpha)), len(x))


@mistake("The growth is that of the whole sequence; expected per step.", replaces="jacobian_report")
def report_growth_of_the_whole(x, h0, W, U, b, alpha):
    values, growth = R.jacobian_report(x, h0, W, U, b, alpha)
    return [values, growth * len(x)]


@mistake("The growth rate is a logarithm.", replaces="jacobian_report")
def report_without_log(x, h0, W, U, b, alpha):
    values, growth = R.jacobian_report(x, h0, W, U, b, alpha)
    return [values, growth.exp()]


@mistake("The logarithm is to the base 2; expected the natural one.", replaces="jacobian_report")
def report_log_two(x, h0, W, U, b, alpha):
    values, growth = R.jacobian_report(x, h0, W, U, b, alpha)
    return [values, growth / math.log(2)]


@mistake(
    "The singular values of the steps were multiplied; those of a product are not the product of those.",
    replaces="jacobian_report",
)
def report_bound(x, h0, W, U, b, alpha):
    tops = torch.stack([torch.linalg.svdvals(J) for J in _jacobians(x, h0, W, U, b, alpha)]).log().sum(0)
    return [tops.exp(), tops[0] / len(x)]


@mistake("These are sizes of eigenvalues; expected singular values.", replaces="jacobian_report")
def report_eigenvalues(x, h0, W, U, b, alpha):
    values = torch.linalg.eigvals(_product(x, h0, W, U, b, alpha)).abs().sort(descending=True).values
    return [values, values[0].log() / len(x)]


@mistake("These are squares of the singular values.", replaces="jacobian_report")
def report_squared(x, h0, W, U, b, alpha):
    values = R.jacobian_report(x, h0, W, U, b, alpha)[0] ** 2
    return [values, values[0].log() / len(x)]


@mistake("The singular values are sorted upwards; expected the largest first.", replaces="jacobian_report")
def report_smallest_first(x, h0, W, U, b, alpha):
    values, growth = R.jacobian_report(x, h0, W, U, b, alpha)
    return [values.flip(0), growth]


@mistake("The growth rate is that of the smallest singular value.", replaces="jacobian_report")
def report_grows_by_smallest(x, h0, W, U, b, alpha):
    values, _ = R.jacobian_report(x, h0, W, U, b, alpha)
    return [values, values[-1].log() / len(x)]


@mistake("All Jacobians were taken at h0; the state moves on.", replaces="jacobian_report")
def report_state_stands_still(x, h0, W, U, b, alpha):
    return _report(torch.linalg.multi_dot([R.step_jacobian(x_t, h0, W, U, b, alpha) for x_t in x.flip(0)]), len(x))


@mistake("Each Jacobian was taken at the state after its step; nudge the state before it.", replaces="jacobian_report")
def report_one_step_late(x, h0, W, U, b, alpha):
    states = _states(x, h0, W, U, b, alpha)[1:]
    factors = [R.step_jacobian(x_t, h, W, U, b, alpha) for x_t, h in zip(x, states, strict=True)]
    return _report(torch.linalg.multi_dot(factors[::-1]), len(x))


@mistake("These are the singular values of one step; expected those of the whole product.", replaces="jacobian_report")
def report_last_step_only(x, h0, W, U, b, alpha):
    return _report(_jacobians(x, h0, W, U, b, alpha)[-1], len(x))


def _product(x, h0, W, U, b, alpha):
    return torch.linalg.multi_dot(_jacobians(x, h0, W, U, b, alpha)[::-1])


def _report(product, steps):
    values = torch.linalg.svdvals(product)
    return [values, values[0].log() / steps]


@check(
    points=5,
    mistakes=[
        report_order_turned,
        report_growth_of_the_whole,
        report_without_log,
        report_log_two,
        report_bound,
        report_eigenvalues,
        report_squared,
        report_smallest_first,
        report_grows_by_smallest,
        report_state_stands_still,
        report_one_step_late,
        report_last_step_only,
    ],
    uses=["jacobian_report"],
)
def jacobian_report(student, case):
    """What is left of a nudge after all steps."""
    x, h0, W, U, b, alpha = case.one_sequence()
    actual = student.jacobian_report(x, h0, W, U, b, alpha)
    case.close(actual, lambda: R.jacobian_report(x, h0, W, U, b, alpha), what="[values, growth]")


@mistake(
    "A large singular value alone was taken for an explosion: that one direction may never be met again.",
    replaces="growth_verdict",
)
def verdict_large_explodes(largest, smallest, factor):
    total = largest.log().sum()
    return -1 if total <= -math.log(factor) else int(total >= math.log(factor))


@mistake(
    "A small singular value alone was taken for vanishing: other directions may live on.", replaces="growth_verdict"
)
def verdict_small_vanishes(largest, smallest, factor):
    total = smallest.log().sum()
    return -1 if total <= -math.log(factor) else int(total >= math.log(factor))


@mistake("The bounds are swapped: the largest values bound the product from above.", replaces="growth_verdict")
def verdict_swapped(largest, smallest, factor):
    if smallest.log().sum() <= -math.log(factor):
        return -1
    return int(largest.log().sum() >= math.log(factor))


@mistake(
    "Each single step was compared with the factor; it is the chain of steps that counts.", replaces="growth_verdict"
)
def verdict_all_steps(largest, smallest, factor):
    if (largest <= 1 / factor).all():
        return -1
    return int((smallest >= factor).all())


@mistake("Any shrinking or stretching counted; it has to reach the factor.", replaces="growth_verdict")
def verdict_ignores_factor(largest, smallest, factor):
    return R.growth_verdict(largest, smallest, 1.0)


@mistake("The values were averaged; along a chain they multiply.", replaces="growth_verdict")
def verdict_mean(largest, smallest, factor):
    if largest.mean() <= 1 / factor:
        return -1
    return int(smallest.mean() >= factor)


@mistake("The signs are turned: -1 stands for shrinking.", replaces="growth_verdict")
def verdict_sign_turned(largest, smallest, factor):
    return -R.growth_verdict(largest, smallest, factor)


@mistake("Every step was asked to shrink; some may stretch if the others make up for it.", replaces="growth_verdict")
def verdict_every_step_below_one(largest, smallest, factor):
    if (largest < 1).all():
        return R.growth_verdict(largest, smallest, factor)
    return max(0, R.growth_verdict(largest, smallest, factor))


@mistake("W itself has the property; the Jacobian of a leaky unit is not W.", replaces="sharp_but_fading")
def fading_without_leak(size, alpha):
    W = torch.zeros(size, size, dtype=torch.float64)
    W[0, 1] = 2.0
    return W


@mistake(
    "The product fades, but no step stretches anything: the largest singular value is below 2.",
    replaces="sharp_but_fading",
)
def fading_but_dull(size, alpha):
    return (0.5 - (1 - alpha)) * torch.eye(size, dtype=torch.float64) / alpha


@mistake(
    "Each step stretches, and the product does not fade: the same direction is stretched again and again.",
    replaces="sharp_but_fading",
)
def sharp_but_exploding(size, alpha):
    return (3.0 - (1 - alpha)) * torch.eye(size, dtype=torch.float64) / alpha


def _sharpness(J):
    """Largest singular value, and the largest entry of the product of 60."""
    return float(torch.linalg.svdvals(J)[0]), float(torch.linalg.matrix_power(J, 60).abs().max())


@check(
    points=5,
    mistakes=[
        verdict_large_explodes,
        verdict_small_vanishes,
        verdict_swapped,
        verdict_all_steps,
        verdict_ignores_factor,
        verdict_mean,
        verdict_sign_turned,
        verdict_every_step_below_one,
        fading_without_leak,
        fading_but_dull,
        sharp_but_exploding,
    ],
    uses=["growth_verdict", "sharp_but_fading"],
)
def growth_verdict(student, case):
    """What singular values say, and what they do not."""
    chains = case.singular_values()
    actual = [student.growth_verdict(largest, smallest, factor) for largest, smallest, factor in chains]
    case.equal(actual, lambda: [R.growth_verdict(*chain) for chain in chains], what="verdicts")
    size, alpha = case.randint(3, 6), float(case.uniform(0.3, 0.7))
    W = student.sharp_but_fading(size, alpha)
    table = isinstance(W, torch.Tensor) and W.shape == (size, size) and W.dtype == torch.float64
    case.require(table and bool(W.isfinite().all()), "sharp_but_fading returns a finite float64 tensor [size size].")
    (top, entry), (top_of_W, entry_of_W) = _sharpness((1 - alpha) * torch.eye(size).double() + alpha * W), _sharpness(W)
    seen = [top >= 2, entry <= 1e-3, top_of_W >= 2, entry_of_W <= 1e-3]
    case.require(top >= 2, f"the largest singular value of the Jacobian is {top:.4g}; expected at least 2.", seen=seen)
    case.require(entry <= 1e-3, f"the product of 60 has an entry of {entry:.4g}; expected at most 0.001.", seen=seen)


# 6. Sampling with a temperature


@mistake("The temperature has no effect.", replaces="sample_symbol")
def sample_without_temperature(logits, temperature, u):
    return logits.argmax(-1) if temperature == 0 else R.sample_symbol(logits, 1.0, u)


@mistake("The temperature works the wrong way round: hot should be flat.", replaces="sample_symbol")
def sample_temperature_turned(logits, temperature, u):
    return logits.argmax(-1) if temperature == 0 else R.sample_symbol(logits, 1 / temperature, u)


@mistake("The temperature scaled the probabilities and not the logits.", replaces="sample_symbol")
def sample_temperature_on_p(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(-1)
    return ((logits.softmax(-1) / temperature).cumsum(-1) <= u[:, None]).sum(-1).clamp(max=logits.shape[1] - 1)


@mistake("The likeliest character is always taken; u has no effect.", replaces="sample_symbol")
def sample_always_greedy(logits, temperature, u):
    return logits.argmax(-1)


@mistake(
    "The character before the right one is taken: its cumulative probability does not exceed u.",
    replaces="sample_symbol",
)
def sample_one_too_early(logits, temperature, u):
    picked = R.sample_symbol(logits, temperature, u)
    return picked if temperature == 0 else (picked - 1).clamp(min=0)


@mistake("The probabilities are laid out from the last character on; start from character 0.", replaces="sample_symbol")
def sample_from_the_end(logits, temperature, u):
    return R.sample_symbol(logits, temperature, 1 - u)


@mistake("The probabilities were sorted first; lay them out in the order of the characters.", replaces="sample_symbol")
def sample_by_likelihood(logits, temperature, u):
    order = logits.argsort(dim=-1, descending=True)
    rank = R.sample_symbol(logits.gather(1, order), temperature, u)
    return order.gather(1, rank[:, None])[:, 0]


@mistake("The logits are not normalised the way a softmax does.", replaces="sample_symbol")
def sample_without_softmax(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(-1)
    p = (logits - logits.min(-1, keepdim=True).values) / temperature
    return ((p / p.sum(-1, keepdim=True)).cumsum(-1) <= u[:, None]).sum(-1).clamp(max=logits.shape[1] - 1)


@mistake("softmax over axis 0, the rows; expected the class axis.", replaces="sample_symbol")
def sample_softmax_over_batch(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(-1)
    p = (logits / temperature).softmax(0)
    return (p.cumsum(-1) <= u[:, None]).sum(-1).clamp(max=logits.shape[1] - 1)


@mistake(
    "exp overflows for a small temperature; subtract something from all logits that the softmax does not notice.",
    replaces="sample_symbol",
)
def sample_overflows(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(-1)
    p = (logits / temperature).exp()
    passed = (p / p.sum(-1, keepdim=True)).cumsum(-1) <= u[:, None]
    return passed.sum(-1).clamp(max=logits.shape[1] - 1)


@mistake("At temperature 0 the logits were divided by 0.", replaces="sample_symbol")
def sample_zero_divides(logits, temperature, u):
    passed = (logits / temperature).softmax(-1).cumsum(-1) <= u[:, None]
    return passed.sum(-1).clamp(max=logits.shape[1] - 1)


@mistake("At temperature 0 the least likely character is taken.", replaces="sample_symbol")
def sample_zero_is_least(logits, temperature, u):
    return logits.argmin(-1) if temperature == 0 else R.sample_symbol(logits, temperature, u)


@mistake("At temperature 0 it still draws; only the likeliest is left then.", replaces="sample_symbol")
def sample_zero_draws(logits, temperature, u):
    return R.sample_symbol(logits, temperature or 1.0, u)


@check(
    points=5,
    mistakes=[
        sample_without_temperature,
        sample_temperature_turned,
        sample_temperature_on_p,
        sample_always_greedy,
        sample_one_too_early,
        sample_from_the_end,
        sample_by_likelihood,
        sample_without_softmax,
        sample_softmax_over_batch,
        sample_overflows,
        sample_zero_divides,
        sample_zero_is_least,
        sample_zero_draws,
    ],
    uses=["sample_symbol"],
)
def sample_symbol(student, case):
    """Characters drawn with given uniform numbers."""
    logits, u = 2 * case.randn(48, case.randint(6, 8)), case.uniform(0, 1, 48)
    hot = float(case.uniform(1.5, 2.5))
    case.equal(student.sample_symbol(logits, hot, u), lambda: R.sample_symbol(logits, hot, u), what="hot sample")
    cold = student.sample_symbol(logits, 0.001, u)
    case.equal(cold, lambda: R.sample_symbol(logits, 0.001, u), what="sample at 0.001")
    zero = student.sample_symbol(logits, 0.0, u)
    case.equal(zero, lambda: R.sample_symbol(logits, 0.0, u), what="sample at 0")


# 7. Work the signal box


@mistake("The weights go up the gradient; the loss falls the other way.", replaces="training_step")
def training_climbs(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    return [loss, [w + rate * s for w, s in zip(weights, v, strict=True)], v]


@mistake("The old velocity was forgotten.", replaces="training_step")
def training_without_momentum(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    return R.training_step(weights, velocity, x, targets, lengths, alpha, rate, 0.0, max_norm)


@mistake("The gradient was not clipped.", replaces="training_step")
def training_without_clip(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    return R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, math.inf)


@mistake("The velocity was clipped; clip the gradient before it joins the velocity.", replaces="training_step")
def training_clips_velocity(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, math.inf)
    v = list(R.clip_gradients(dict(zip("WUbVc", v, strict=True)), max_norm)[0].values())
    return [loss, [w - rate * s for w, s in zip(weights, v, strict=True)], v]


@mistake("Each gradient was clipped by itself; the norm is joint.", replaces="training_step")
def training_clips_each(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = R.character_loss(R.many_to_many(x, lengths, weights, alpha), targets)
    g = [R.clip_gradients({"g": g}, max_norm)[0]["g"] for g in R.bptt(x, targets, lengths, weights, alpha)[:5]]
    v = [momentum * old + new for old, new in zip(velocity, g, strict=True)]
    return [loss, [w - rate * s for w, s in zip(weights, v, strict=True)], v]


@mistake("The gradient of x was counted into the norm; only weights are trained.", replaces="training_step")
def training_clips_with_dx(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = R.character_loss(R.many_to_many(x, lengths, weights, alpha), targets)
    g = R.clip_gradients(dict(enumerate(R.bptt(x, targets, lengths, weights, alpha))), max_norm)[0]
    v = [momentum * old + g[n] for n, old in enumerate(velocity)]
    return [loss, [w - rate * s for w, s in zip(weights, v, strict=True)], v]


@mistake("The loss was measured after the step; expected the loss before.", replaces="training_step")
def training_loss_after(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    _, w, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    return [R.character_loss(R.many_to_many(x, lengths, w, alpha), targets), w, v]


@mistake("The rate is inside the velocity; it belongs to the step of the weights only.", replaces="training_step")
def training_rate_in_velocity(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, v = R.training_step(weights, [0 * s for s in velocity], x, targets, lengths, alpha, rate, 0.0, max_norm)
    v = [momentum * old + rate * g for old, g in zip(velocity, v, strict=True)]
    return [loss, [w - s for w, s in zip(weights, v, strict=True)], v]


@mistake("The gradient joins with weight 1 - momentum; here it joins whole.", replaces="training_step")
def training_averages(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, g = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, 0.0, max_norm)
    v = [momentum * old + (1 - momentum) * new for old, new in zip(velocity, g, strict=True)]
    return [loss, [w - rate * s for w, s in zip(weights, v, strict=True)], v]


@mistake("The old velocity came back; the next step needs the new one.", replaces="training_step")
def training_old_velocity_back(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, w, _ = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    return [loss, w, velocity]


@mistake("The weights moved with the old velocity; renew it first.", replaces="training_step")
def training_steps_with_old_velocity(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    return [loss, [w - rate * s for w, s in zip(weights, velocity, strict=True)], v]


@mistake("V and c stayed where they were.", replaces="training_step")
def training_forgets_readout(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, w, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    return [loss, [*w[:3], *weights[3:]], v]


@mistake("The weights moved by the gradient once more than asked: this is Nesterov's step.", replaces="training_step")
def training_looks_ahead(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss, _, v = R.training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    g = [new - momentum * old for old, new in zip(velocity, v, strict=True)]
    return [loss, [w - rate * (momentum * s + n) for w, s, n in zip(weights, v, g, strict=True)], v]


@check(
    points=5,
    mistakes=[
        training_climbs,
        training_without_momentum,
        training_without_clip,
        training_clips_velocity,
        training_clips_each,
        training_clips_with_dx,
        training_loss_after,
        training_rate_in_velocity,
        training_averages,
        training_old_velocity_back,
        training_steps_with_old_velocity,
        training_forgets_readout,
        training_looks_ahead,
    ],
    uses=["training_step"],
)
def training_step(student, case):
    """One step of training with momentum and clipping."""
    x, targets, lengths, weights, alpha = case.whole_network()
    velocity = [0.1 * case.randn(*w.shape) for w in weights]
    rate, momentum = float(case.uniform(0.1, 0.3)), float(case.uniform(0.5, 0.8))
    max_norm = 0.05 if case.index < 2 else 50.0
    inputs = (weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    case.close(student.training_step(*inputs), lambda: R.training_step(*inputs), what="[loss, weights, velocity]")


def _share_right(logits, truth):
    real = truth != PAD
    return float((logits.argmax(-1) == truth)[real].double().mean())


@check(points=5, uses=["train"], cases=1, slow=True, progress="training_step")
def train(student, case):
    """Weights that work a signal box they have not seen."""
    batches = 20 if case.smoke else 240
    (ids, targets), (new_ids, truth) = case.signal_box(batches, 12, 24)
    alpha = case.uniform(0.3, 0.9, HIDDEN)
    table = {"W": (HIDDEN, HIDDEN), "U": (HIDDEN, LEVERS), "b": (HIDDEN,), "V": (SIGNALS, HIDDEN), "c": (SIGNALS,)}
    case.expect_steps(batches)
    trained = list(case.weights(student.train(ids, targets, alpha, LEVERS, SIGNALS), table).values())
    x = torch.eye(LEVERS + 1, dtype=torch.float64)[new_ids[0], :LEVERS]
    lengths = (new_ids[0] != PAD).sum(0)
    ours = _first_of(lambda: R.many_to_many(x, lengths, trained, alpha))
    logits = ours if ours is not None else student.many_to_many(x, lengths, trained, alpha)
    share = _share_right(logits, truth[0])
    wanted = 0.3 if case.smoke else 0.95
    case.require(share >= wanted, f"{share:.1%} of the signals are right; expected at least {wanted:.0%}.")


def _first_of(thunk):
    return None if thunk is None else thunk()
