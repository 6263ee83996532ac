# %% one_sequence_at_a_time
def leaky_step(x, h, W, U, b, alpha):
    rows = []
    for x_k, h_k in zip(x, h, strict=True):
        rows.append((1 - alpha) * h_k + alpha * torch.tanh(W @ h_k + U @ x_k + b))
    return torch.stack(rows)


def leaky_run(x, lengths, h0, W, U, b, alpha):
    states = torch.zeros(len(x), *h0.shape, dtype=x.dtype)
    for k in range(len(h0)):
        h = h0[k]
        for t in range(len(x)):
            if t < lengths[k]:
                h = leaky_step(x[t, k][None], h[None], W, U, b, alpha)[0]
            states[t, k] = h
    return states


# %% lerp_and_mask
def leaky_step(x, h, W, U, b, alpha):
    return torch.lerp(h, torch.tanh(torch.addmm(b, h, W.T) + x @ U.T), alpha.expand_as(h))


def leaky_run(x, lengths, h0, W, U, b, alpha):
    states = torch.empty(len(x), *h0.shape, dtype=x.dtype)
    h = h0.clone()
    for t in range(len(x)):
        going = lengths > t
        h[going] = leaky_step(x[t, going], h[going], W, U, b, alpha)
        states[t] = h
    return states


def many_to_many(x, lengths, weights, alpha):
    W, U, b, V, c = weights
    states = leaky_run(x, lengths, torch.zeros(x.shape[1], len(b), dtype=x.dtype), W, U, b, alpha)
    valid = torch.arange(len(x))[:, None] < lengths
    return torch.where(valid[..., None], torch.einsum("oh,tbh->tbo", V, states) + c, 0.0)


# %% one_shape_from_another
def leaky_step(x, h, W, U, b, alpha):
    both = torch.cat([h, x], dim=1) @ torch.cat([W, U], dim=1).T
    return h - alpha * h + alpha * torch.tanh(both + b)


def many_to_one(x, lengths, weights, alpha):
    logits = many_to_many(x, lengths, weights, alpha)
    return logits[lengths - 1, torch.arange(x.shape[1])]


def one_to_many(x, steps, weights, alpha):
    inputs = torch.zeros(steps, *x.shape, dtype=x.dtype)
    inputs[0] = x
    return many_to_many(inputs, torch.tensor([steps] * len(x)), weights, alpha)


def one_to_one(x, weights, alpha):
    return many_to_one(x[None], torch.ones(len(x), dtype=torch.long), weights, alpha)
