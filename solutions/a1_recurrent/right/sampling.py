# %% loops
def sample_symbol(logits, temperature, u):
    picked = []
    for row, limit in zip(logits, u.tolist(), strict=True):
        if temperature == 0:
            picked.append(int(row.argmax()))
            continue
        p, total, symbol = torch.softmax(row / temperature, 0).tolist(), 0.0, 0
        for symbol, share in enumerate(p):  # noqa: B007  the last one stays where rounding leaves a gap
            total += share
            if total > limit:
                break
        picked.append(symbol)
    return torch.tensor(picked)


# %% searchsorted
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return torch.max(logits, dim=1).indices
    z = (logits - logits.max(dim=1, keepdim=True).values) / temperature
    edges = torch.cumsum(z.exp() / z.exp().sum(1, keepdim=True), dim=1)
    return torch.searchsorted(edges, u[:, None], side="right")[:, 0].clamp(max=logits.shape[1] - 1)


# %% argmax_of_passed
def sample_symbol(logits, temperature, u):
    if not temperature:
        return torch.topk(logits, 1).indices[:, 0]
    edges = (logits / temperature).log_softmax(1).exp().cumsum(1)
    edges[:, -1] = 1.0
    return (edges > u[:, None]).int().argmax(dim=1)
