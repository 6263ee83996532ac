# %% autograd
def logit_gradient(logits, targets):
    leaf = logits.clone().requires_grad_()
    character_loss(leaf, targets).backward()
    return leaf.grad


def step_backward(dh, x, h, W, U, b, alpha):
    leaves = [leaf.clone().requires_grad_() for leaf in (x, h, W, U, b)]
    (leaky_step(*leaves, alpha) * dh).sum().backward()
    return [leaf.grad for leaf in leaves]


def bptt(x, targets, lengths, weights, alpha):
    leaves = [leaf.clone().requires_grad_() for leaf in (*weights, x)]
    character_loss(many_to_many(leaves[5], lengths, leaves[:5], alpha), targets).backward()
    return [leaf.grad for leaf in leaves]


# %% one_sequence_at_a_time
def step_backward(dh, x, h, W, U, b, alpha):
    dx, dh_old = torch.zeros_like(x), torch.zeros_like(h)
    dW, dU, db = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b)
    for k in range(len(x)):
        da = dh[k] * alpha / torch.cosh(W @ h[k] + U @ x[k] + b) ** 2
        dx[k], dh_old[k] = U.T @ da, W.T @ da + dh[k] - alpha * dh[k]
        dW, dU, db = dW + torch.outer(da, h[k]), dU + torch.outer(da, x[k]), db + da
    return [dx, dh_old, dW, dU, db]


def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, _ = weights
    grads = [torch.zeros_like(g) for g in (*weights, x)]
    do = logit_gradient(many_to_many(x, lengths, weights, alpha), targets)
    for k, length in enumerate(lengths.tolist()):
        states = [torch.zeros(1, len(b), dtype=x.dtype)]
        for t in range(length):
            states.append(leaky_step(x[t, k][None], states[-1], W, U, b, alpha))
        dh = torch.zeros(1, len(b), dtype=x.dtype)
        for t in reversed(range(length)):
            grads[3] += torch.outer(do[t, k], states[t + 1][0])
            grads[4] += do[t, k]
            back = step_backward(dh + do[t, k][None] @ V, x[t, k][None], states[t], W, U, b, alpha)
            grads[5][t, k], dh = back[0][0], back[1]
            for n in range(3):
                grads[n] += back[2 + n]
    return grads


# %% collect_then_einsum
def logit_gradient(logits, targets):
    one_hot = (targets[..., None] == torch.arange(logits.shape[-1])).to(logits.dtype)
    real = (targets != PAD).to(logits.dtype)[..., None]
    return (logits.softmax(-1) * real - one_hot) / real.sum()


def bptt(x, targets, lengths, weights, alpha):
    W, U, b, V, c = weights
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    new = leaky_run(x, torch.full_like(lengths, len(x)), h0, W, U, b, alpha)
    old = torch.cat([h0[None], new[:-1]])
    do = logit_gradient(new @ V.T + c, targets)
    slope = alpha * (1 - torch.tanh(old @ W.T + x @ U.T + b) ** 2)
    dh, das = torch.zeros_like(h0), []
    for t in reversed(range(len(x))):
        dh = dh + torch.einsum("bo,oh->bh", do[t], V)
        das.insert(0, dh * slope[t])
        dh = (1 - alpha) * dh + torch.einsum("bg,gh->bh", das[0], W)
    da = torch.stack(das)
    pairs = [(da, old), (da, x)]
    dW, dU = (torch.einsum("tbh,tbm->hm", left, right) for left, right in pairs)
    return [dW, dU, da.sum((0, 1)), torch.einsum("tbo,tbh->oh", do, new), do.sum((0, 1)), da @ U]
