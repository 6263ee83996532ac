# %% flat_vector
def clip_gradients(gradients, max_norm):
    norm = torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in gradients.values()]))
    if norm.isnan() or norm.isinf():
        return [{k: torch.zeros_like(g) for k, g in gradients.items()}, torch.tensor(math.inf, dtype=torch.float64)]
    return [{k: g / max(1.0, norm / max_norm) for k, g in gradients.items()}, norm]


def truncated_gradient(x, dh, k, W, U, b, alpha):
    with torch.no_grad():
        h = torch.zeros_like(dh)
        for x_t in x[:-k]:
            h = leaky_step(x_t, h, W, U, b, alpha)
    leaf = x[-k:].clone().requires_grad_()
    for x_t in leaf:
        h = leaky_step(x_t, h, W, U, b, alpha)
    (h * dh).sum().backward()
    return torch.cat([torch.zeros_like(x[:-k]), leaf.grad])


# %% norm_of_norms
def clip_gradients(gradients, max_norm):
    norm = torch.stack([g.norm() for g in gradients.values()]).norm()
    out = {}
    for name, g in gradients.items():
        if not bool(norm.isfinite()):
            out[name] = 0 * torch.nan_to_num(g)
        elif norm > max_norm:
            out[name] = g * (max_norm / norm)
        else:
            out[name] = g.clone()
    return [out, norm if bool(norm.isfinite()) else torch.full_like(norm, math.inf)]


def truncated_gradient(x, dh, k, W, U, b, alpha):
    leaf = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for t in range(len(x)):
        if t == len(x) - k:
            h = h.detach()
        h = leaky_step(leaf[t], h, W, U, b, alpha)
    return torch.autograd.grad(h, leaf, dh)[0]


# %% sum_of_squares
def clip_gradients(gradients, max_norm):
    square = 0.0
    for g in gradients.values():
        square += float((g * g).sum())
    if not math.isfinite(square):
        zeros = {name: torch.zeros(g.shape, dtype=g.dtype) for name, g in gradients.items()}
        return [zeros, torch.tensor(math.inf, dtype=torch.float64)]
    norm = math.sqrt(square)
    factor = min(1.0, max_norm / norm)
    return [{name: factor * g for name, g in gradients.items()}, torch.tensor(norm, dtype=torch.float64)]


def truncated_gradient(x, dh, k, W, U, b, alpha):
    full = torch.full((x.shape[1],), len(x))
    old = torch.cat([0 * dh[None], leaky_run(x, full, 0 * dh, W, U, b, alpha)])
    rows = [torch.zeros_like(x[0])] * (len(x) - k)
    back = []
    for t in range(k):
        dx, dh = step_backward(dh, x[-1 - t], old[-2 - t], W, U, b, alpha)[:2]
        back.append(dx)
    return torch.stack(rows + back[::-1])
