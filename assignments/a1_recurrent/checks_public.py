"""Written by `seqlib release`: the public half of the checks; edit the assignment's own source instead."""

import math
import torch
from seqlib.checks.registry import check, inputs, named
PAD = -1
LEVERS, SIGNALS, HIDDEN = (8, 4, 12)

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
    W, U = (1.3 * case.randn(h, h) / math.sqrt(h), 0.8 * case.randn(h, i) / math.sqrt(i))
    return (W, U, 0.5 * case.randn(h), case.uniform(0.2, 0.8, h))

@inputs
def whole_network(case):
    """x, targets, lengths, weights and alpha of a ragged batch."""
    t, b, i, h, o = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    weights = [W, U, bias, case.randn(o, h), 0.5 * case.randn(o)]
    lengths = case.ragged_lengths(t, b)
    return (case.randn(t, b, i), case.padded(case.tokens(o, t, b), lengths), lengths, weights, alpha)

@inputs
def logits_and_targets(case):
    """Logits [t b n] and targets with padding."""
    t, b, n, _, _ = case.five_sizes()
    return (2 * case.randn(t, b, n), case.padded(case.tokens(n, t, b), case.ragged_lengths(t, b)))

@inputs
def one_step(case):
    """x, h, W, U, b, alpha of one step."""
    _, b, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return (case.randn(b, i), case.randn(b, h), W, U, bias, alpha)

@inputs
def ragged_run(case):
    """x, lengths, h0, W, U, b, alpha of a run."""
    t, b, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return (case.randn(t, b, i), case.ragged_lengths(t, b), case.randn(b, h), W, U, bias, alpha)

@inputs
def one_sequence(case):
    """x [t i], h0, W, U, b, alpha of one sequence."""
    t, _, i, h, _ = case.five_sizes()
    W, U, bias, alpha = case.leaky_parameters(i, h)
    return (case.randn(t, i), case.randn(h), W, U, bias, alpha)

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
        signal, shown = (torch.full((count, width), at_first), [])
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
        first, second = (case.uniform(low, high, steps), case.uniform(low, high, steps))
        if high in outlier:
            first[1] = outlier[high]
        chains.append((torch.maximum(first, second), torch.minimum(first, second), float(case.uniform(1.5, 2.5))))
    return [chains[k] for k in case.permutation(len(chains)).tolist()]
embed_pad_is_last_row = named('embed_pad_is_last_row', 'Padding got the last row of E: an index of -1 counts from the end.')
embed_pad_is_first_row = named('embed_pad_is_first_row', 'Padding got row 0 of E, which belongs to a real character.')
embed_batch_first = named('embed_batch_first', 'The axes are [b t i]; time comes first here.')
embed_one_hot = named('embed_one_hot', 'These are one-hot vectors; the table E was not used.')
embed_off_by_one = named('embed_off_by_one', "Every character got its neighbour's row; ids count from 0.")
embed_scaled = named('embed_scaled', 'The rows are scaled by the square root of their size; here they stay as they are.')

@check(points=4, mistakes=[embed_pad_is_last_row, embed_pad_is_first_row, embed_batch_first, embed_one_hot, embed_off_by_one, embed_scaled], uses=['embed'])
def embed(student, case):
    """Characters become rows of a table, padding becomes zeros."""
    t, b, i, _, n = case.five_sizes()
    ids = case.padded(case.tokens(n, t, b), case.ragged_lengths(t, b))
    E = case.randn(n, i)
    case.close(student.embed(ids, E), what='embed(ids, E)')
loss_counts_padding = named('loss_counts_padding', 'The sum is divided by all t * b places; padding is no character.')
loss_in_bits = named('loss_in_bits', 'The loss is in bits; expected nats. Which logarithm did you take?')
loss_softmax_over_batch = named('loss_softmax_over_batch', 'softmax over axis 1, the sequences; expected the class axis.')
loss_softmax_over_time = named('loss_softmax_over_time', 'softmax over axis 0, the steps; expected the class axis.')
loss_is_a_sum = named('loss_is_a_sum', 'This is the sum over characters; expected their mean.')
loss_mean_of_means = named('loss_mean_of_means', 'Each sequence was averaged first, so short ones count too much; average over all valid characters at once.')
loss_overflows = named('loss_overflows', 'exp overflows for large logits; subtract something from all logits that the softmax does not notice.')
loss_pad_is_a_class = named('loss_pad_is_a_class', 'Padding was scored as if it were the last character; leave it out of the sum as well.')
loss_without_log = named('loss_without_log', 'This averages probabilities; surprise is a logarithm.')
loss_positive = named('loss_positive', 'The sign is turned: log probabilities are negative, a loss is not.')
loss_without_softmax = named('loss_without_softmax', 'The logits were taken for log probabilities; normalise them first.')

@check(points=6, mistakes=[loss_counts_padding, loss_in_bits, loss_softmax_over_batch, loss_softmax_over_time, loss_is_a_sum, loss_mean_of_means, loss_overflows, loss_pad_is_a_class, loss_without_log, loss_positive, loss_without_softmax], uses=['character_loss'])
def character_loss(student, case):
    """Mean surprise in nats of the valid characters, also for large logits."""
    logits, targets = case.logits_and_targets()
    case.close(student.character_loss(logits, targets), what='loss')
    high = logits + 1000.0
    case.close(student.character_loss(high, targets), what='loss of logits + 1000')
step_without_leak = named('step_without_leak', "This is the lecture's unit: nothing of the old state leaks through.")
step_shares_swapped = named('step_shares_swapped', 'The two shares are swapped: alpha weighs the wrong one.')
step_w_transposed = named('step_w_transposed', 'W was used transposed: its rows are where values go, its columns where they come from.')
step_leak_inside_tanh = named('step_leak_inside_tanh', 'The leak went through tanh as well; it stays outside.')
step_without_bias = named('step_without_bias', 'The bias b is missing.')
step_bias_outside = named('step_bias_outside', 'The bias was added after tanh; it belongs to a.')
step_without_tanh = named('step_without_tanh', 'The new value did not go through tanh.')
step_new_value_not_shared = named('step_new_value_not_shared', 'The new value enters whole; only a share of it should.')
step_old_state_kept_whole = named('step_old_state_kept_whole', 'The old state stays whole; a share of it should leak away.')
step_sigmoid = named('step_sigmoid', 'A sigmoid squashes to (0, 1); this unit squashes to (-1, 1).')
step_leaked_state_in_w = named('step_leaked_state_in_w', 'W reads the state after the leak; it should read the old state itself.')
step_one_alpha_for_all = named('step_one_alpha_for_all', 'All units share one alpha; each unit has its own.')

@check(points=5, mistakes=[step_without_leak, step_shares_swapped, step_w_transposed, step_leak_inside_tanh, step_without_bias, step_bias_outside, step_without_tanh, step_new_value_not_shared, step_old_state_kept_whole, step_sigmoid, step_leaked_state_in_w, step_one_alpha_for_all], uses=['leaky_step'])
def leaky_step(student, case):
    """One step of the leaky unit."""
    x, h, W, U, b, alpha = case.one_step()
    case.close(student.leaky_step(x, h, W, U, b, alpha), what='new state')
run_past_the_end = named('run_past_the_end', 'Sequences that have ended keep moving; they should freeze.')
run_zero_past_the_end = named('run_zero_past_the_end', 'Rows after the end are zeros; a frozen state repeats instead.')
run_forgets_h0 = named('run_forgets_h0', 'h0 was ignored: the run started from zeros.')
run_starts_with_h0 = named('run_starts_with_h0', 'Each row is the state before its step; expected the state after it.')
run_includes_h0 = named('run_includes_h0', 'There is one row too many: h0 is no state of the run.')
run_batch_first = named('run_batch_first', 'The axes are [b t h]; time comes first here.')
run_always_from_h0 = named('run_always_from_h0', 'Every step starts from h0 again; the state should be handed on.')
run_freezes_early = named('run_freezes_early', 'Sequences freeze one step too early; how many steps does a length of 1 take?')
run_freezes_late = named('run_freezes_late', 'Sequences freeze one step too late; steps count from 0.')
run_only_last = named('run_only_last', 'Only the final state came back; expected all of them.')
run_backwards = named('run_backwards', 'The sequence was read from its end.')

@check(points=7, mistakes=[run_past_the_end, run_zero_past_the_end, run_forgets_h0, run_starts_with_h0, run_includes_h0, run_batch_first, run_always_from_h0, run_freezes_early, run_freezes_late, run_only_last, run_backwards], uses=['leaky_run'])
def leaky_run(student, case):
    """All states of a ragged batch, frozen after the end."""
    run = case.ragged_run()
    case.close(student.leaky_run(*run), what='states')
one_without_step = named('one_without_step', 'x went straight to the readout; it should pass the unit first.')
one_softmaxed = named('one_softmaxed', 'These are probabilities; expected logits.')
one_without_c = named('one_without_c', 'The readout lost its bias c.')
many_padding_not_zero = named('many_padding_not_zero', 'After the end of a sequence stand logits of the frozen state; expected zeros.')
many_padding_is_c = named('many_padding_is_c', 'The states were zeroed after the end, so the logits there are c; expected zeros.')
last_of_the_padding = named('last_of_the_padding', 'Short sequences ran on into the padding before they were read.')
mean_of_states = named('mean_of_states', 'The logits are averaged over time; expected those of the last valid state.')
one_before_last = named('one_before_last', 'The state before the last valid one was read.')
last_is_zero = named('last_is_zero', 'The last row of logits is zero for short sequences; read each at its own end.')
input_at_every_step = named('input_at_every_step', 'x enters at every step; expected the first one only.')
same_logits_repeated = named('same_logits_repeated', 'The first logits are repeated; the unit should run on.')
later_steps_without_bias = named('later_steps_without_bias', 'Later steps lost the bias b; only the input is zero there.')
one_step_too_many = named('one_step_too_many', 'There is one step too many: the first logits follow the first step.')

@check(points=8, mistakes=[one_without_step, one_softmaxed, one_without_c, many_padding_not_zero, many_padding_is_c, last_of_the_padding, mean_of_states, one_before_last, last_is_zero, input_at_every_step, same_logits_repeated, later_steps_without_bias, one_step_too_many], uses=['one_to_one', 'many_to_many', 'many_to_one', 'one_to_many'])
def sequence_shapes(student, case):
    """Four ways to read and write with one unit."""
    x, _, lengths, weights, alpha = case.whole_network()
    steps = len(x)
    case.close(student.one_to_one(x[0], weights, alpha), what='one_to_one')
    actual = student.many_to_many(x, lengths, weights, alpha)
    case.close(actual, what='many_to_many')
    actual = student.many_to_one(x, lengths, weights, alpha)
    case.close(actual, what='many_to_one')
    actual = student.one_to_many(x[0], steps, weights, alpha)
    case.close(actual, what='one_to_many')
logit_gradient_of_the_sum = named('logit_gradient_of_the_sum', 'The loss is a mean: something divides its gradient.')
logit_gradient_over_all_places = named('logit_gradient_over_all_places', 'Divided by all t * b places; padding is no character.')
logit_gradient_on_padding = named('logit_gradient_on_padding', 'Padding has a gradient; it takes no part in the loss.')
logit_gradient_turned = named('logit_gradient_turned', 'The sign is turned: this points where the loss falls.')
logit_gradient_without_target = named('logit_gradient_without_target', "The target's own logit is treated like all others.")
logit_gradient_target_only = named('logit_gradient_target_only', "Only the target's logit has a gradient; the softmax ties all logits together.")
logit_gradient_logits_for_p = named('logit_gradient_logits_for_p', 'The logits stand where probabilities belong.')
logit_gradient_over_steps = named('logit_gradient_over_steps', 'Divided by the number of steps; the mean is over all valid characters.')

@check(points=6, mistakes=[logit_gradient_of_the_sum, logit_gradient_over_all_places, logit_gradient_on_padding, logit_gradient_turned, logit_gradient_without_target, logit_gradient_target_only, logit_gradient_logits_for_p, logit_gradient_over_steps], uses=['logit_gradient'])
def logit_gradient(student, case):
    """The gradient of the loss with respect to the logits."""
    logits, targets = case.logits_and_targets()
    case.close(student.logit_gradient(logits, targets), what='gradient')
back_without_leak = named('back_without_leak', 'dh_old misses the leak: part of dh reaches the old state without passing W.')
back_without_share = named('back_without_share', 'The share alpha is missing on the way back through tanh.')
back_slope_of_state = named('back_slope_of_state', 'The slope was taken at the new state h; in this unit h is not the tanh.')
back_w_transposed = named('back_w_transposed', 'Going back through W uses it the other way round than you did.')
back_dw_transposed = named('back_dw_transposed', 'dW is transposed: its rows are where values go, as in W.')
back_dw_from_new_state = named('back_dw_from_new_state', 'dW pairs with the new state; W multiplied the old one.')
back_slope_without_square = named('back_slope_without_square', 'The slope of tanh is 1 - tanh^2; a square is missing.')
back_without_slope = named('back_without_slope', 'The slope of tanh is missing.')
back_db_not_summed = named('back_db_not_summed', 'db has one row for each sequence; sum over the batch.')
back_batch_mean = named('back_batch_mean', 'dW, dU and db are averaged over the batch; the mean is already in the loss.')
back_leak_whole = named('back_leak_whole', 'All of dh skips tanh; only the share that leaks through does.')
back_shares_swapped = named('back_shares_swapped', 'The two shares are swapped on the way back.')

@check(points=10, mistakes=[back_without_leak, back_without_share, back_slope_of_state, back_w_transposed, back_dw_transposed, back_dw_from_new_state, back_slope_without_square, back_without_slope, back_db_not_summed, back_batch_mean, back_leak_whole, back_shares_swapped], uses=['step_backward'])
def step_backward(student, case):
    """The gradients of one step, backward."""
    x, h, W, U, b, alpha = case.one_step()
    dh = case.randn(*h.shape)
    actual = student.step_backward(dh, x, h, W, U, b, alpha)
    case.close(actual, what='[dx, dh_old, dW, dU, db]')
bptt_not_through_time = named('bptt_not_through_time', 'No gradient travels from a step to the one before it.')
bptt_leak_carries_nothing = named('bptt_leak_carries_nothing', 'The gradient travels back through W only; the leak carries a share as well.')
bptt_only_leak_carries = named('bptt_only_leak_carries', 'The gradient travels back through the leak only; W carries a share as well.')
bptt_last_loss_only = named('bptt_last_loss_only', 'Only the loss of each last valid step was sent back; every valid step has its own.')
bptt_of_the_sum = named('bptt_of_the_sum', 'These are gradients of a sum; the loss is a mean.')
bptt_averaged_over_time = named('bptt_averaged_over_time', 'dW, dU and db are averaged over the steps; shared weights collect a sum.')
bptt_dw_from_new_states = named('bptt_dw_from_new_states', 'dW pairs each step with its new state; W multiplied the old one.')
bptt_dv_from_old_states = named('bptt_dv_from_old_states', 'dV pairs each step with the state before it; V reads the new one.')
bptt_dw_transposed = named('bptt_dw_transposed', 'dW is transposed: its rows are where values go, as in W.')
bptt_overwrites = named('bptt_overwrites', 'dW, dU and db hold one step only; each step adds its share.')
bptt_padding_in_loss = named('bptt_padding_in_loss', 'Padding takes part in the loss: its logits have a gradient.')
bptt_frozen_not_carried = named('bptt_frozen_not_carried', 'Sequences that have ended go on leaking their gradient to dx and the weights; a frozen state takes no share.')

@check(points=14, mistakes=[bptt_not_through_time, bptt_leak_carries_nothing, bptt_only_leak_carries, bptt_last_loss_only, bptt_of_the_sum, bptt_averaged_over_time, bptt_dw_from_new_states, bptt_dv_from_old_states, bptt_dw_transposed, bptt_overwrites, bptt_padding_in_loss, bptt_frozen_not_carried], uses=['bptt'])
def bptt(student, case):
    """All gradients of the loss, through all steps."""
    x, targets, lengths, weights, alpha = case.whole_network()
    actual = student.bptt(x, targets, lengths, weights, alpha)
    case.close(actual, what='[dW, dU, db, dV, dc, dx]')
clip_each_tensor = named('clip_each_tensor', 'Each tensor was clipped by its own norm; the norm is joint, and one factor serves all.')
clip_values = named('clip_values', 'Each number was clamped, which turns the gradient; expected one common factor.')
clip_always = named('clip_always', 'Small gradients were blown up to max_norm; they should stay as they are.')
clip_without_root = named('clip_without_root', 'The square root of the sum of squares is missing.')
clip_largest_norm = named('clip_largest_norm', "The norm is the largest of the tensors' norms; expected the joint one.")
clip_sum_of_norms = named('clip_sum_of_norms', "The tensors' norms were added; squares add, norms do not.")
clip_lets_nan_through = named('clip_lets_nan_through', 'A norm that is not finite slipped through: the gradients still hold NaN.')
clip_returns_norm_after = named('clip_returns_norm_after', 'The norm was measured after clipping; expected the norm before.')
clip_lost_step_has_norm_zero = named('clip_lost_step_has_norm_zero', 'A lost step reports the norm 0; expected inf, so that the loss of it shows.')

@check(points=5, mistakes=[clip_each_tensor, clip_values, clip_always, clip_without_root, clip_largest_norm, clip_sum_of_norms, clip_lets_nan_through, clip_returns_norm_after, clip_lost_step_has_norm_zero], uses=['clip_gradients'])
def clip_gradients(student, case):
    """One joint norm, one factor, and nothing that is not finite."""
    _, h, i, _, _ = case.five_sizes()
    large = {'W': 3 * case.randn(h, h), 'U': case.randn(h, i), 'b': 2 * case.randn(h)}
    limit = float(case.uniform(0.5, 1.5))
    case.close(student.clip_gradients(large, limit), what='[clipped, norm]')
    small = {name: 0.01 * value for name, value in large.items()}
    what = '[clipped, norm] of small gradients'
    case.close(student.clip_gradients(small, 5.0), what=what)
    lost = large | {'U': torch.full_like(large['U'], math.nan)}
    case.close(student.clip_gradients(lost, limit), what='[clipped, norm] with NaN')
    endless = large | {'U': torch.full_like(large['U'], math.inf)}
    what = '[clipped, norm] with infinity'
    case.close(student.clip_gradients(endless, limit), what=what)
truncated_one_too_late = named('truncated_one_too_late', 'The gradient reaches k + 1 steps back.')
truncated_one_too_early = named('truncated_one_too_early', 'The gradient reaches k - 1 steps back only.')
truncated_leak_runs_on = named('truncated_leak_runs_on', 'A gradient slips past the cut through the leak; both ways back have to end there.')
truncated_w_runs_on = named('truncated_w_runs_on', 'A gradient slips past the cut through W; both ways back have to end there.')
truncated_not_at_all = named('truncated_not_at_all', 'The gradient reaches all the way back.')
truncated_forward_too = named('truncated_forward_too', 'The forward pass was cut as well: the state before the last k steps was lost.')
truncated_rows_left_out = named('truncated_rows_left_out', 'Only k rows came back; the steps before the cut have zeros.')
truncated_first_steps = named('truncated_first_steps', 'The first k steps have the gradient; expected the last k.')
truncated_every_step = named('truncated_every_step', 'dh was added at every step; it belongs to the last state only.')
truncated_all_but_k = named('truncated_all_but_k', 'The first k steps were cut away, whatever the length; count k from the end.')
truncated_vanilla_back = named('truncated_vanilla_back', 'On the way back the leak carries nothing between the last k steps.')

@check(points=5, mistakes=[truncated_one_too_late, truncated_one_too_early, truncated_leak_runs_on, truncated_w_runs_on, truncated_not_at_all, truncated_forward_too, truncated_rows_left_out, truncated_first_steps, truncated_every_step, truncated_all_but_k, truncated_vanilla_back], uses=['truncated_gradient'])
def truncated_gradient(student, case):
    """A gradient that reaches exactly k steps back."""
    _, b, i, h, _ = case.five_sizes()
    k = case.randint(2, 3)
    x, dh = (case.randn(2 * k + 2, b, i), case.randn(b, h))
    W, U, bias, alpha = case.leaky_parameters(i, h)
    dx = student.truncated_gradient(x, dh, k, W, U, bias, alpha)
    case.close(dx, what='dx')
    case.require(bool((dx[:-k] == 0).all()), 'before the last k steps the gradient is small; expected exactly zero.')
jacobian_without_leak = named('jacobian_without_leak', 'The leak is missing: a nudge of the old state also reaches the new one directly.')
jacobian_transposed = named('jacobian_transposed', 'The Jacobian is transposed: rows are the new state, columns the old one.')
jacobian_scales_columns = named('jacobian_scales_columns', 'The slopes scale the columns of W; the slope belongs to the unit that answers.')
jacobian_slope_of_state = named('jacobian_slope_of_state', 'The slope was taken at the new state h; in this unit h is not the tanh.')
jacobian_slope_of_old_state = named('jacobian_slope_of_old_state', 'The slope was taken at the old state; tanh is taken of a.')
jacobian_without_share = named('jacobian_without_share', 'The share alpha is missing before the slope.')
jacobian_without_slope = named('jacobian_without_slope', 'The slope of tanh is missing.')
jacobian_leak_everywhere = named('jacobian_leak_everywhere', '1 - alpha was added to every entry; the leak joins each unit to itself only.')
jacobian_leak_is_alpha = named('jacobian_leak_is_alpha', 'The two shares are swapped.')
jacobian_of_the_input = named('jacobian_of_the_input', 'The slope ignores the input and the bias: a is more than W h.')

@check(points=5, mistakes=[jacobian_without_leak, jacobian_transposed, jacobian_scales_columns, jacobian_slope_of_state, jacobian_slope_of_old_state, jacobian_without_share, jacobian_without_slope, jacobian_leak_everywhere, jacobian_leak_is_alpha, jacobian_of_the_input], uses=['step_jacobian'])
def step_jacobian(student, case):
    """How a nudge of the old state moves the new one."""
    x, h, W, U, b, alpha = case.one_sequence()
    case.close(student.step_jacobian(x[0], h, W, U, b, alpha), what='J')
report_order_turned = named('report_order_turned', 'The Jacobians are multiplied in the order of time; the first step acts first, so it stands on the right.')
report_growth_of_the_whole = named('report_growth_of_the_whole', 'The growth is that of the whole sequence; expected per step.')
report_without_log = named('report_without_log', 'The growth rate is a logarithm.')
report_log_two = named('report_log_two', 'The logarithm is to the base 2; expected the natural one.')
report_bound = named('report_bound', 'The singular values of the steps were multiplied; those of a product are not the product of those.')
report_eigenvalues = named('report_eigenvalues', 'These are sizes of eigenvalues; expected singular values.')
report_squared = named('report_squared', 'These are squares of the singular values.')
report_smallest_first = named('report_smallest_first', 'The singular values are sorted upwards; expected the largest first.')
report_grows_by_smallest = named('report_grows_by_smallest', 'The growth rate is that of the smallest singular value.')
report_state_stands_still = named('report_state_stands_still', 'All Jacobians were taken at h0; the state moves on.')
report_one_step_late = named('report_one_step_late', 'Each Jacobian was taken at the state after its step; nudge the state before it.')
report_last_step_only = named('report_last_step_only', 'These are the singular values of one step; expected those of the whole product.')

@check(points=5, mistakes=[report_order_turned, report_growth_of_the_whole, report_without_log, report_log_two, report_bound, report_eigenvalues, report_squared, report_smallest_first, report_grows_by_smallest, report_state_stands_still, report_one_step_late, report_last_step_only], uses=['jacobian_report'])
def jacobian_report(student, case):
    """What is left of a nudge after all steps."""
    x, h0, W, U, b, alpha = case.one_sequence()
    actual = student.jacobian_report(x, h0, W, U, b, alpha)
    case.close(actual, what='[values, growth]')
verdict_large_explodes = named('verdict_large_explodes', 'A large singular value alone was taken for an explosion: that one direction may never be met again.')
verdict_small_vanishes = named('verdict_small_vanishes', 'A small singular value alone was taken for vanishing: other directions may live on.')
verdict_swapped = named('verdict_swapped', 'The bounds are swapped: the largest values bound the product from above.')
verdict_all_steps = named('verdict_all_steps', 'Each single step was compared with the factor; it is the chain of steps that counts.')
verdict_ignores_factor = named('verdict_ignores_factor', 'Any shrinking or stretching counted; it has to reach the factor.')
verdict_mean = named('verdict_mean', 'The values were averaged; along a chain they multiply.')
verdict_sign_turned = named('verdict_sign_turned', 'The signs are turned: -1 stands for shrinking.')
verdict_every_step_below_one = named('verdict_every_step_below_one', 'Every step was asked to shrink; some may stretch if the others make up for it.')
fading_without_leak = named('fading_without_leak', 'W itself has the property; the Jacobian of a leaky unit is not W.')
fading_but_dull = named('fading_but_dull', 'The product fades, but no step stretches anything: the largest singular value is below 2.')
sharp_but_exploding = named('sharp_but_exploding', 'Each step stretches, and the product does not fade: the same direction is stretched again and again.')

def _sharpness(J):
    """Largest singular value, and the largest entry of the product of 60."""
    return (float(torch.linalg.svdvals(J)[0]), float(torch.linalg.matrix_power(J, 60).abs().max()))

@check(points=5, mistakes=[verdict_large_explodes, verdict_small_vanishes, verdict_swapped, verdict_all_steps, verdict_ignores_factor, verdict_mean, verdict_sign_turned, verdict_every_step_below_one, fading_without_leak, fading_but_dull, sharp_but_exploding], uses=['growth_verdict', 'sharp_but_fading'])
def growth_verdict(student, case):
    """What singular values say, and what they do not."""
    chains = case.singular_values()
    actual = [student.growth_verdict(largest, smallest, factor) for largest, smallest, factor in chains]
    case.equal(actual, what='verdicts')
    size, alpha = (case.randint(3, 6), float(case.uniform(0.3, 0.7)))
    W = student.sharp_but_fading(size, alpha)
    table = isinstance(W, torch.Tensor) and W.shape == (size, size) and (W.dtype == torch.float64)
    case.require(table and bool(W.isfinite().all()), 'sharp_but_fading returns a finite float64 tensor [size size].')
    (top, entry), (top_of_W, entry_of_W) = (_sharpness((1 - alpha) * torch.eye(size).double() + alpha * W), _sharpness(W))
    seen = [top >= 2, entry <= 0.001, top_of_W >= 2, entry_of_W <= 0.001]
    case.require(top >= 2, f'the largest singular value of the Jacobian is {top:.4g}; expected at least 2.', seen=seen)
    case.require(entry <= 0.001, f'the product of 60 has an entry of {entry:.4g}; expected at most 0.001.', seen=seen)
sample_without_temperature = named('sample_without_temperature', 'The temperature has no effect.')
sample_temperature_turned = named('sample_temperature_turned', 'The temperature works the wrong way round: hot should be flat.')
sample_temperature_on_p = named('sample_temperature_on_p', 'The temperature scaled the probabilities and not the logits.')
sample_always_greedy = named('sample_always_greedy', 'The likeliest character is always taken; u has no effect.')
sample_one_too_early = named('sample_one_too_early', 'The character before the right one is taken: its cumulative probability does not exceed u.')
sample_from_the_end = named('sample_from_the_end', 'The probabilities are laid out from the last character on; start from character 0.')
sample_by_likelihood = named('sample_by_likelihood', 'The probabilities were sorted first; lay them out in the order of the characters.')
sample_without_softmax = named('sample_without_softmax', 'The logits are not normalised the way a softmax does.')
sample_softmax_over_batch = named('sample_softmax_over_batch', 'softmax over axis 0, the rows; expected the class axis.')
sample_overflows = named('sample_overflows', 'exp overflows for a small temperature; subtract something from all logits that the softmax does not notice.')
sample_zero_divides = named('sample_zero_divides', 'At temperature 0 the logits were divided by 0.')
sample_zero_is_least = named('sample_zero_is_least', 'At temperature 0 the least likely character is taken.')
sample_zero_draws = named('sample_zero_draws', 'At temperature 0 it still draws; only the likeliest is left then.')

@check(points=5, mistakes=[sample_without_temperature, sample_temperature_turned, sample_temperature_on_p, sample_always_greedy, sample_one_too_early, sample_from_the_end, sample_by_likelihood, sample_without_softmax, sample_softmax_over_batch, sample_overflows, sample_zero_divides, sample_zero_is_least, sample_zero_draws], uses=['sample_symbol'])
def sample_symbol(student, case):
    """Characters drawn with given uniform numbers."""
    logits, u = (2 * case.randn(48, case.randint(6, 8)), case.uniform(0, 1, 48))
    hot = float(case.uniform(1.5, 2.5))
    case.equal(student.sample_symbol(logits, hot, u), what='hot sample')
    cold = student.sample_symbol(logits, 0.001, u)
    case.equal(cold, what='sample at 0.001')
    zero = student.sample_symbol(logits, 0.0, u)
    case.equal(zero, what='sample at 0')
training_climbs = named('training_climbs', 'The weights go up the gradient; the loss falls the other way.')
training_without_momentum = named('training_without_momentum', 'The old velocity was forgotten.')
training_without_clip = named('training_without_clip', 'The gradient was not clipped.')
training_clips_velocity = named('training_clips_velocity', 'The velocity was clipped; clip the gradient before it joins the velocity.')
training_clips_each = named('training_clips_each', 'Each gradient was clipped by itself; the norm is joint.')
training_clips_with_dx = named('training_clips_with_dx', 'The gradient of x was counted into the norm; only weights are trained.')
training_loss_after = named('training_loss_after', 'The loss was measured after the step; expected the loss before.')
training_rate_in_velocity = named('training_rate_in_velocity', 'The rate is inside the velocity; it belongs to the step of the weights only.')
training_averages = named('training_averages', 'The gradient joins with weight 1 - momentum; here it joins whole.')
training_old_velocity_back = named('training_old_velocity_back', 'The old velocity came back; the next step needs the new one.')
training_steps_with_old_velocity = named('training_steps_with_old_velocity', 'The weights moved with the old velocity; renew it first.')
training_forgets_readout = named('training_forgets_readout', 'V and c stayed where they were.')
training_looks_ahead = named('training_looks_ahead', "The weights moved by the gradient once more than asked: this is Nesterov's step.")

@check(points=5, mistakes=[training_climbs, training_without_momentum, training_without_clip, training_clips_velocity, training_clips_each, training_clips_with_dx, training_loss_after, training_rate_in_velocity, training_averages, training_old_velocity_back, training_steps_with_old_velocity, training_forgets_readout, training_looks_ahead], uses=['training_step'])
def training_step(student, case):
    """One step of training with momentum and clipping."""
    x, targets, lengths, weights, alpha = case.whole_network()
    velocity = [0.1 * case.randn(*w.shape) for w in weights]
    rate, momentum = (float(case.uniform(0.1, 0.3)), float(case.uniform(0.5, 0.8)))
    max_norm = 0.05 if case.index < 2 else 50.0
    inputs = (weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm)
    case.close(student.training_step(*inputs), what='[loss, weights, velocity]')

def _share_right(logits, truth):
    real = truth != PAD
    return float((logits.argmax(-1) == truth)[real].double().mean())

@check(points=5, uses=['train'], cases=1, slow=True, progress='training_step')
def train(student, case):
    """Weights that work a signal box they have not seen."""
    batches = 20 if case.smoke else 240
    (ids, targets), (new_ids, truth) = case.signal_box(batches, 12, 24)
    alpha = case.uniform(0.3, 0.9, HIDDEN)
    table = {'W': (HIDDEN, HIDDEN), 'U': (HIDDEN, LEVERS), 'b': (HIDDEN,), 'V': (SIGNALS, HIDDEN), 'c': (SIGNALS,)}
    case.expect_steps(batches)
    trained = list(case.weights(student.train(ids, targets, alpha, LEVERS, SIGNALS), table).values())
    x = torch.eye(LEVERS + 1, dtype=torch.float64)[new_ids[0], :LEVERS]
    lengths = (new_ids[0] != PAD).sum(0)
    ours = _first_of(None)
    logits = ours if ours is not None else student.many_to_many(x, lengths, trained, alpha)
    share = _share_right(logits, truth[0])
    wanted = 0.3 if case.smoke else 0.95
    case.require(share >= wanted, f'{share:.1%} of the signals are right; expected at least {wanted:.0%}.')

def _first_of(thunk):
    return None if thunk is None else thunk()
