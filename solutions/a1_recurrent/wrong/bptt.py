# %% logit_gradient_of_the_sum
def logit_gradient(logits, targets):
    p = torch.softmax(logits, -1)
    for t, k in (targets != PAD).nonzero():
        p[t, k, targets[t, k]] -= 1
    p[targets == PAD] = 0
    return p


# %% logit_gradient_over_all_places
def logit_gradient(logits, targets):
    p = torch.softmax(logits, -1)
    for t, k in (targets != PAD).nonzero():
        p[t, k, targets[t, k]] -= 1
    p[targets == PAD] = 0
    return p / targets.numel()


# %% logit_gradient_on_padding
def logit_gradient(logits, targets):
    p = torch.softmax(logits, -1)
    for t, k in (targets != PAD).nonzero():
        p[t, k, targets[t, k]] -= 1
    return p / (targets != PAD).sum()


# %% logit_gradient_turned
def logit_gradient(logits, targets):
    g = -torch.softmax(logits, -1)
    for t, k in (targets != PAD).nonzero():
        g[t, k, targets[t, k]] += 1
    g[targets == PAD] = 0
    return g / (targets != PAD).sum()


# %% logit_gradient_without_target
def logit_gradient(logits, targets):
    g = torch.softmax(logits, -1)
    g[targets == PAD] = 0
    return g / (targets != PAD).sum()


# %% logit_gradient_over_steps
def logit_gradient(logits, targets):
    p = torch.softmax(logits, -1)
    for t, k in (targets != PAD).nonzero():
        p[t, k, targets[t, k]] -= 1
    p[targets == PAD] = 0
    return p / len(targets)


# %% back_without_leak
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W, da.T @ h, da.T @ x, da.sum(0)]


# %% back_without_share
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = dh * (1 - new * new)
    return [da @ U, da @ W + (1 - alpha) * dh, da.T @ h, da.T @ x, da.sum(0)]


# %% back_slope_of_state
def step_backward(dh, x, h, W, U, b, alpha):
    new = (1 - alpha) * h + alpha * torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W + (1 - alpha) * dh, da.T @ h, da.T @ x, da.sum(0)]


# %% back_w_transposed
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W.T + (1 - alpha) * dh, da.T @ h, da.T @ x, da.sum(0)]


# %% back_dw_transposed
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W + (1 - alpha) * dh, h.T @ da, da.T @ x, da.sum(0)]


# %% back_dw_from_new_state
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    dh_old = da @ W + (1 - alpha) * dh
    h = (1 - alpha) * h + alpha * new
    return [da @ U, dh_old, da.T @ h, da.T @ x, da.sum(0)]


# %% back_slope_without_square
def step_backward(dh, x, h, W, U, b, alpha):
    da = alpha * dh * (1 - torch.tanh(h @ W.T + x @ U.T + b))
    return [da @ U, da @ W + (1 - alpha) * dh, da.T @ h, da.T @ x, da.sum(0)]


# %% back_db_not_summed
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W + (1 - alpha) * dh, da.T @ h, da.T @ x, da]


# %% back_batch_mean
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    n = len(x)
    return [da @ U, da @ W + (1 - alpha) * dh, da.T @ h / n, da.T @ x / n, da.mean(0)]


# %% back_leak_whole
def step_backward(dh, x, h, W, U, b, alpha):
    new = torch.tanh(h @ W.T + x @ U.T + b)
    da = alpha * dh * (1 - new * new)
    return [da @ U, da @ W + dh, da.T @ h, da.T @ x, da.sum(0)]


# %% bptt_not_through_time
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    dW, dU, db, dx = 0, 0, 0, []
    for t in range(len(x)):
        old = states[t - 1] if t else h0
        dx_t, _, *rest = step_backward(do[t] @ V, x[t], old, W, U, b, alpha)
        dW, dU, db = dW + rest[0], dU + rest[1], db + rest[2]
        dx.append(dx_t)
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), torch.stack(dx)]


# %% bptt_leak_carries_nothing
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    dW, dU, db, dx, dh = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b), torch.zeros_like(x), 0 * h0
    for t in range(len(x) - 1, -1, -1):
        old = states[t - 1] if t else h0
        new = torch.tanh(old @ W.T + x[t] @ U.T + b)
        da = (dh + do[t] @ V) * alpha * (1 - new**2)
        dW, dU, db = dW + da.T @ old, dU + da.T @ x[t], db + da.sum(0)
        dx[t], dh = da @ U, da @ W
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), dx]


# %% bptt_only_leak_carries
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    dW, dU, db, dx, dh = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b), torch.zeros_like(x), 0 * h0
    for t in range(len(x) - 1, -1, -1):
        old = states[t - 1] if t else h0
        new = torch.tanh(old @ W.T + x[t] @ U.T + b)
        dh = dh + do[t] @ V
        da = dh * alpha * (1 - new**2)
        dW, dU, db = dW + da.T @ old, dU + da.T @ x[t], db + da.sum(0)
        dx[t], dh = da @ U, dh * (1 - alpha)
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), dx]


# %% bptt_averaged_over_time
def bptt(x, targets, lengths, weights, alpha):
    leaves = [w.clone().requires_grad_() for w in (*weights, x)]
    loss = character_loss(many_to_many(leaves[5], lengths, leaves[:5], alpha), targets)
    g = list(torch.autograd.grad(loss, leaves))
    return [g[0] / len(x), g[1] / len(x), g[2] / len(x), *g[3:]]


# %% bptt_of_the_sum
def bptt(x, targets, lengths, weights, alpha):
    leaves = [w.clone().requires_grad_() for w in (*weights, x)]
    logits = many_to_many(leaves[5], lengths, leaves[:5], alpha)
    log_p = torch.log_softmax(logits, -1)[targets != PAD]
    loss = -log_p[range(len(log_p)), targets[targets != PAD]].sum()
    return list(torch.autograd.grad(loss, leaves))


# %% bptt_dw_from_new_states
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    dW, dU, db, dx, dh = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b), torch.zeros_like(x), 0 * h0
    for t in range(len(x) - 1, -1, -1):
        old = states[t - 1] if t else h0
        dh = dh + do[t] @ V
        da = dh * alpha * (1 - torch.tanh(old @ W.T + x[t] @ U.T + b) ** 2)
        dW, dU, db = dW + da.T @ states[t], dU + da.T @ x[t], db + da.sum(0)
        dx[t], dh = da @ U, dh * (1 - alpha) + da @ W
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), dx]


# %% bptt_last_loss_only
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    do[torch.arange(len(x))[:, None] != lengths - 1] = 0
    dW, dU, db, dx, dh = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b), torch.zeros_like(x), 0 * h0
    for t in range(len(x) - 1, -1, -1):
        dh = dh + do[t] @ V
        dx[t], dh, *rest = step_backward(dh, x[t], states[t - 1] if t else h0, W, U, b, alpha)
        dW, dU, db = dW + rest[0], dU + rest[1], db + rest[2]
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), dx]


# %% bptt_overwrites
def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do, dx, dh = logit_gradient(states @ V.T + c, targets), torch.zeros_like(x), 0 * h0
    for t in range(len(x) - 1, -1, -1):
        dh = dh + do[t] @ V
        dx[t], dh, dW, dU, db = step_backward(dh, x[t], states[t - 1] if t else h0, W, U, b, alpha)
    return [dW, dU, db, torch.einsum("tbo,tbh->oh", do, states), do.sum((0, 1)), dx]
