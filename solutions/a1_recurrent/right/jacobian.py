# %% autograd
def step_jacobian(x, h, W, U, b, alpha):
    def step(state):
        return leaky_step(x[None], state[None], W, U, b, alpha)[0]

    return torch.autograd.functional.jacobian(step, h)


def jacobian_report(x, h0, W, U, b, alpha):
    def last(state):
        return leaky_run(x[:, None], torch.tensor([len(x)]), state[None], W, U, b, alpha)[-1, 0]

    _, s, _ = torch.linalg.svd(torch.autograd.functional.jacobian(last, h0))
    return [s, s.max().log() / len(x)]


def growth_verdict(largest, smallest, factor):
    if torch.prod(largest) * factor <= 1:
        return -1
    return 1 if torch.prod(smallest) >= factor else 0


def sharp_but_fading(size, alpha):
    J = torch.zeros(size, size, dtype=torch.float64)
    J[0, size - 1] = 4.0
    return (J - torch.diag(torch.full((size,), 1 - alpha, dtype=torch.float64))) / alpha


# %% loops
def step_jacobian(x, h, W, U, b, alpha):
    J = torch.zeros_like(W)
    for m in range(len(h)):
        a = (W[m] * h).sum() + (U[m] * x).sum() + b[m]
        for n in range(len(h)):
            J[m, n] = alpha[m] * (1 - torch.tanh(a) ** 2) * W[m, n]
        J[m, m] += 1 - alpha[m]
    return J


def jacobian_report(x, h0, W, U, b, alpha):
    factors, h = [], h0
    for t in range(len(x)):
        factors.insert(0, step_jacobian(x[t], h, W, U, b, alpha))
        h = leaky_step(x[t : t + 1], h[None], W, U, b, alpha)[0]
    s = torch.linalg.svdvals(torch.linalg.multi_dot(factors))
    return [s, torch.log(s[0]) / len(factors)]


def growth_verdict(largest, smallest, factor):
    above, below = 1.0, 1.0
    for top, bottom in zip(largest.tolist(), smallest.tolist(), strict=True):
        above, below = above * top, below * bottom
    return int(below >= factor) - int(above <= 1 / factor)


def sharp_but_fading(size, alpha):
    W = torch.zeros(size, size, dtype=torch.float64)
    for m in range(size):
        W[m, m] = (0.2 - (1 - alpha)) / alpha
    W[size - 1, 0] = 3 / alpha
    return W


# %% columns_of_nudges
def step_jacobian(x, h, W, U, b, alpha):
    da = 1 - torch.tanh(W @ h + U @ x + b).square()
    return torch.eye(len(h), dtype=h.dtype) * (1 - alpha) + torch.einsum("h,h,hg->hg", alpha, da, W)


def jacobian_report(x, h0, W, U, b, alpha):
    nudges, h = torch.eye(len(h0), dtype=h0.dtype), h0
    for x_t in x:
        d = alpha * (1 - torch.tanh(W @ h + U @ x_t + b) ** 2)
        nudges = (1 - alpha)[:, None] * nudges + d[:, None] * (W @ nudges)
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    s = torch.linalg.matrix_norm(nudges, 2)
    return [torch.linalg.svdvals(nudges), s.log() / len(x)]


def growth_verdict(largest, smallest, factor):
    limit = math.log(factor)
    upper, lower = largest.log().sum().item(), smallest.log().sum().item()
    if upper <= -limit:
        return -1
    return 1 if lower >= limit else 0


def sharp_but_fading(size, alpha):
    J = torch.triu(3.0 * torch.ones(size, size, dtype=torch.float64), diagonal=1)
    return J / alpha - (1 - alpha) / alpha * torch.eye(size, dtype=torch.float64)
