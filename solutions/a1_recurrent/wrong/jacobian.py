# %% jacobian_without_leak
def step_jacobian(x, h, W, U, b, alpha):
    return torch.diag(alpha * (1 - torch.tanh(W @ h + U @ x + b) ** 2)) @ W


# %% jacobian_transposed
def step_jacobian(x, h, W, U, b, alpha):
    d = alpha * (1 - torch.tanh(W @ h + U @ x + b) ** 2)
    return torch.diag(1 - alpha) + W.T * d


# %% jacobian_scales_columns
def step_jacobian(x, h, W, U, b, alpha):
    d = alpha * (1 - torch.tanh(W @ h + U @ x + b) ** 2)
    return torch.diag(1 - alpha) + W @ torch.diag(d)


# %% jacobian_slope_of_state
def step_jacobian(x, h, W, U, b, alpha):
    new = (1 - alpha) * h + alpha * torch.tanh(W @ h + U @ x + b)
    return torch.diag(1 - alpha) + torch.diag(alpha * (1 - new * new)) @ W


# %% jacobian_without_share
def step_jacobian(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + torch.diag(1 - torch.tanh(W @ h + U @ x + b) ** 2) @ W


# %% jacobian_without_slope
def step_jacobian(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + torch.diag(alpha) @ W


# %% jacobian_leak_everywhere
def step_jacobian(x, h, W, U, b, alpha):
    J = torch.zeros_like(W)
    slope = 1 - torch.tanh(W @ h + U @ x + b) ** 2
    for m in range(len(h)):
        for n in range(len(h)):
            J[m, n] = 1 - alpha[m] + alpha[m] * slope[m] * W[m, n]
    return J


# %% jacobian_of_the_input
def step_jacobian(x, h, W, U, b, alpha):
    return torch.diag(1 - alpha) + torch.diag(alpha * (1 - torch.tanh(W @ h) ** 2)) @ W


# %% report_order_turned
def jacobian_report(x, h0, W, U, b, alpha):
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = product @ step_jacobian(x_t, h, W, U, b, alpha)
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    s = torch.linalg.svdvals(product)
    return [s, torch.log(s[0]) / len(x)]


# %% report_growth_of_the_whole
def jacobian_report(x, h0, W, U, b, alpha):
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = step_jacobian(x_t, h, W, U, b, alpha) @ product
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    s = torch.linalg.svdvals(product)
    return [s, torch.log(s[0])]


# %% report_bound
def jacobian_report(x, h0, W, U, b, alpha):
    h, s = h0, torch.ones_like(h0)
    for x_t in x:
        s = s * torch.linalg.svdvals(step_jacobian(x_t, h, W, U, b, alpha))
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    return [s, torch.log(s[0]) / len(x)]


# %% report_eigenvalues
def jacobian_report(x, h0, W, U, b, alpha):
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = step_jacobian(x_t, h, W, U, b, alpha) @ product
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    s, _ = torch.sort(torch.abs(torch.linalg.eigvals(product)), descending=True)
    return [s, torch.log(s[0]) / len(x)]


# %% report_state_stands_still
def jacobian_report(x, h0, W, U, b, alpha):
    product = torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = step_jacobian(x_t, h0, W, U, b, alpha) @ product
    s = torch.linalg.svdvals(product)
    return [s, torch.log(s[0]) / len(x)]


# %% report_one_step_late
def jacobian_report(x, h0, W, U, b, alpha):
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
        product = step_jacobian(x_t, h, W, U, b, alpha) @ product
    s = torch.linalg.svdvals(product)
    return [s, torch.log(s[0]) / len(x)]


# %% report_log_two
def jacobian_report(x, h0, W, U, b, alpha):
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = step_jacobian(x_t, h, W, U, b, alpha) @ product
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    s = torch.linalg.svdvals(product)
    return [s, torch.log2(s[0]) / len(x)]


# %% verdict_large_explodes
def growth_verdict(largest, smallest, factor):
    product = math.prod(largest.tolist())
    if product >= factor:
        return 1
    return -1 if product <= 1 / factor else 0


# %% verdict_small_vanishes
def growth_verdict(largest, smallest, factor):
    product = math.prod(smallest.tolist())
    if product >= factor:
        return 1
    return -1 if product <= 1 / factor else 0


# %% verdict_all_steps
def growth_verdict(largest, smallest, factor):
    if max(largest.tolist()) <= 1 / factor:
        return -1
    return 1 if min(smallest.tolist()) >= factor else 0


# %% verdict_sign_turned
def growth_verdict(largest, smallest, factor):
    if math.prod(largest.tolist()) <= 1 / factor:
        return 1
    return -1 if math.prod(smallest.tolist()) >= factor else 0


# %% fading_without_leak
def sharp_but_fading(size, alpha):
    W = torch.zeros(size, size, dtype=torch.float64)
    W[1, 0] = 2.0
    return W


# %% sharp_but_exploding
def sharp_but_fading(size, alpha):
    return 5 * torch.ones(size, size, dtype=torch.float64)
