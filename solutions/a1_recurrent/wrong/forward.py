# %% step_without_leak
def leaky_step(x, h, W, U, b, alpha):
    return torch.tanh(torch.einsum("hg,bg->bh", W, h) + torch.einsum("hi,bi->bh", U, x) + b)


# %% step_shares_swapped
def leaky_step(x, h, W, U, b, alpha):
    return torch.lerp(torch.tanh(h @ W.T + x @ U.T + b), h, alpha.expand_as(h))


# %% step_w_transposed
def leaky_step(x, h, W, U, b, alpha):
    return (1 - alpha) * h + alpha * torch.tanh(h @ W + x @ U.T + b)


# %% step_leak_inside_tanh
def leaky_step(x, h, W, U, b, alpha):
    return torch.tanh(h + alpha * (h @ W.T + x @ U.T + b - h))


# %% step_without_bias
def leaky_step(x, h, W, U, b, alpha):
    return h + alpha * (torch.tanh(h @ W.T + x @ U.T) - h)


# %% step_bias_outside
def leaky_step(x, h, W, U, b, alpha):
    return h - alpha * h + alpha * torch.tanh(h @ W.T + x @ U.T) + alpha * b


# %% step_without_tanh
def leaky_step(x, h, W, U, b, alpha):
    return h + alpha * (h @ W.T + x @ U.T + b - h)


# %% step_new_value_not_shared
def leaky_step(x, h, W, U, b, alpha):
    return h - alpha * h + torch.tanh(h @ W.T + x @ U.T + b)


# %% step_old_state_kept_whole
def leaky_step(x, h, W, U, b, alpha):
    h = h.clone()
    h += alpha * torch.tanh(h @ W.T + x @ U.T + b)
    return h


# %% step_sigmoid
def leaky_step(x, h, W, U, b, alpha):
    new = 1 / (1 + torch.exp(-(h @ W.T + x @ U.T + b)))
    return h + alpha * (new - h)


# %% step_leaked_state_in_w
def leaky_step(x, h, W, U, b, alpha):
    h = (1 - alpha) * h
    return h + alpha * torch.tanh(h @ W.T + x @ U.T + b)


# %% run_past_the_end
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = h0, []
    for x_t in x:
        h = leaky_step(x_t, h, W, U, b, alpha)
        states.append(h)
    return torch.stack(states)


# %% run_zero_past_the_end
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = h0, []
    for t in range(len(x)):
        h = leaky_step(x[t], h, W, U, b, alpha) * (t < lengths)[:, None]
        states.append(h)
    return torch.stack(states)


# %% run_forgets_h0
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = torch.zeros_like(h0), []
    for t in range(len(x)):
        h = torch.where((lengths > t).unsqueeze(1), leaky_step(x[t], h, W, U, b, alpha), h)
        states.append(h)
    return torch.stack(states)


# %% run_starts_with_h0
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = h0, []
    for t in range(len(x)):
        states.append(h)
        h = torch.where((lengths > t).unsqueeze(1), leaky_step(x[t], h, W, U, b, alpha), h)
    return torch.stack(states)


# %% run_includes_h0
def leaky_run(x, lengths, h0, W, U, b, alpha):
    states = [h0]
    for t in range(len(x)):
        new = leaky_step(x[t], states[-1], W, U, b, alpha)
        states.append(torch.where((lengths > t).unsqueeze(1), new, states[-1]))
    return torch.stack(states)


# %% run_batch_first
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = h0, []
    for t in range(len(x)):
        h = torch.where((lengths > t).unsqueeze(1), leaky_step(x[t], h, W, U, b, alpha), h)
        states.append(h)
    return torch.stack(states, dim=1)


# %% run_freezes_late
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h, states = h0, []
    for t in range(len(x)):
        h = torch.where((t <= lengths).unsqueeze(1), leaky_step(x[t], h, W, U, b, alpha), h)
        states.append(h)
    return torch.stack(states)


# %% run_only_last
def leaky_run(x, lengths, h0, W, U, b, alpha):
    h = h0
    for t in range(len(x)):
        h = torch.where((lengths > t).unsqueeze(1), leaky_step(x[t], h, W, U, b, alpha), h)
    return h


# %% one_softmaxed
def one_to_one(x, weights, alpha):
    W, U, b, V, c = weights
    h = leaky_step(x, torch.zeros(len(x), len(b), dtype=x.dtype), W, U, b, alpha)
    return torch.softmax(h @ V.T + c, dim=1)


# %% many_padding_not_zero
def many_to_many(x, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    return leaky_run(x, lengths, h0, W, U, b, alpha) @ V.T + c


# %% last_is_zero
def many_to_one(x, lengths, weights, alpha):
    return many_to_many(x, lengths, weights, alpha)[-1]


# %% mean_of_states
def many_to_one(x, lengths, weights, alpha):
    logits = many_to_many(x, lengths, weights, alpha)
    return torch.stack([logits[:n, k].mean(0) for k, n in enumerate(lengths.tolist())])


# %% input_at_every_step
def one_to_many(x, steps, weights, alpha):
    W, U, b, V, c = weights
    h, logits = torch.zeros(len(x), len(b), dtype=x.dtype), []
    for _ in range(steps):
        h = leaky_step(x, h, W, U, b, alpha)
        logits.append(h @ V.T + c)
    return torch.stack(logits)
