# %% clip_each_tensor
def clip_gradients(gradients, max_norm):
    total = math.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
    total = torch.tensor(total if math.isfinite(total) else math.inf, dtype=torch.float64)
    out = {}
    for name, g in gradients.items():
        norm = g.norm()
        out[name] = torch.zeros_like(g) if not torch.isfinite(norm) else g * min(1.0, max_norm / float(norm))
    return [out, total]


# %% clip_values
def clip_gradients(gradients, max_norm):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    norm = torch.full_like(norm, math.inf) if torch.isnan(norm) else norm
    return [{name: torch.clip(g, -max_norm, max_norm) for name, g in gradients.items()}, norm]


# %% clip_always
def clip_gradients(gradients, max_norm):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    if not norm.isfinite():
        return [{name: torch.zeros_like(g) for name, g in gradients.items()}, torch.full_like(norm, math.inf)]
    return [{name: g / norm * max_norm for name, g in gradients.items()}, norm]


# %% clip_largest_norm
def clip_gradients(gradients, max_norm):
    norms = [g.norm() for g in gradients.values()]
    if not all(n.isfinite() for n in norms):
        return [{name: torch.zeros_like(g) for name, g in gradients.items()}, torch.full_like(norms[0], math.inf)]
    norm = max(norms)
    factor = 1.0 if norm < max_norm else max_norm / norm
    return [{name: g * factor for name, g in gradients.items()}, norm]


# %% clip_sum_of_norms
def clip_gradients(gradients, max_norm):
    norm = torch.stack([g.norm() for g in gradients.values()]).sum()
    if not norm.isfinite():
        return [{name: torch.zeros_like(g) for name, g in gradients.items()}, torch.full_like(norm, math.inf)]
    factor = 1.0 if norm < max_norm else max_norm / norm
    return [{name: g * factor for name, g in gradients.items()}, norm]


# %% clip_lets_nan_through
def clip_gradients(gradients, max_norm):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    if norm <= max_norm:
        return [gradients, norm]
    return [{name: g * (max_norm / norm) for name, g in gradients.items()}, norm]


# %% clip_returns_norm_after
def clip_gradients(gradients, max_norm):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    if not norm.isfinite():
        return [{name: torch.zeros_like(g) for name, g in gradients.items()}, torch.full_like(norm, math.inf)]
    if norm > max_norm:
        gradients = {name: g * (max_norm / norm) for name, g in gradients.items()}
    return [gradients, torch.sqrt(sum((g**2).sum() for g in gradients.values()))]


# %% clip_lost_step_has_norm_zero
def clip_gradients(gradients, max_norm):
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    if not norm.isfinite():
        gradients = {name: torch.zeros_like(g) for name, g in gradients.items()}
        norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [{name: g * factor for name, g in gradients.items()}, norm]


# %% truncated_one_too_late
def truncated_gradient(x, dh, k, W, U, b, alpha):
    states = [torch.zeros_like(dh)]
    for x_t in x:
        states.append(leaky_step(x_t, states[-1], W, U, b, alpha))
    dx = torch.zeros_like(x)
    for t in reversed(range(len(x) - k - 1, len(x))):
        dx[t], dh, *_ = step_backward(dh, x[t], states[t], W, U, b, alpha)
    return dx


# %% truncated_one_too_early
def truncated_gradient(x, dh, k, W, U, b, alpha):
    states = [torch.zeros_like(dh)]
    for x_t in x:
        states.append(leaky_step(x_t, states[-1], W, U, b, alpha))
    dx = torch.zeros_like(x)
    for t in range(len(x) - 1, len(x) - k, -1):
        dx[t], dh, *_ = step_backward(dh, x[t], states[t], W, U, b, alpha)
    return dx


# %% truncated_leak_runs_on
def truncated_gradient(x, dh, k, W, U, b, alpha):
    x = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for t in range(len(x)):
        seen = h.detach() if t == len(x) - k else h
        h = (1 - alpha) * h + alpha * torch.tanh(seen @ W.T + x[t] @ U.T + b)
    return torch.autograd.grad((h * dh).sum(), x)[0]


# %% truncated_w_runs_on
def truncated_gradient(x, dh, k, W, U, b, alpha):
    x = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for t in range(len(x)):
        kept = h.detach() if t == len(x) - k else h
        h = (1 - alpha) * kept + alpha * torch.tanh(h @ W.T + x[t] @ U.T + b)
    return torch.autograd.grad((h * dh).sum(), x)[0]


# %% truncated_not_at_all
def truncated_gradient(x, dh, k, W, U, b, alpha):
    x = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for x_t in x:
        h = leaky_step(x_t, h, W, U, b, alpha)
    return torch.autograd.grad((h * dh).sum(), x)[0]


# %% truncated_forward_too
def truncated_gradient(x, dh, k, W, U, b, alpha):
    x = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for x_t in x[len(x) - k :]:
        h = leaky_step(x_t, h, W, U, b, alpha)
    return torch.autograd.grad((h * dh).sum(), x)[0]


# %% truncated_rows_left_out
def truncated_gradient(x, dh, k, W, U, b, alpha):
    states = [torch.zeros_like(dh)]
    for x_t in x:
        states.append(leaky_step(x_t, states[-1], W, U, b, alpha))
    dx = []
    for t in range(len(x) - 1, len(x) - k - 1, -1):
        dx_t, dh, *_ = step_backward(dh, x[t], states[t], W, U, b, alpha)
        dx.insert(0, dx_t)
    return torch.stack(dx)


# %% truncated_first_steps
def truncated_gradient(x, dh, k, W, U, b, alpha):
    leaf = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for x_t in leaf:
        h = leaky_step(x_t, h, W, U, b, alpha)
    dx = torch.autograd.grad((h * dh).sum(), leaf)[0]
    dx[k:] = 0
    return dx
