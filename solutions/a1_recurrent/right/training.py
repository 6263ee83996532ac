# %% autograd_and_adam
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    leaves = [w.clone().requires_grad_() for w in weights]
    loss = character_loss(many_to_many(x, lengths, leaves, alpha), targets)
    grads = torch.autograd.grad(loss, leaves)
    norm = torch.cat([g.flatten() for g in grads]).norm()
    velocity = [momentum * v + g * (max_norm / norm).clamp(max=1.0) for v, g in zip(velocity, grads, strict=True)]
    return [loss.detach(), [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


def train(ids, targets, alpha, levers, signals):
    torch.manual_seed(3)
    h = len(alpha)
    shapes = {"W": (h, h), "U": (h, levers), "b": (h,), "V": (signals, h), "c": (signals,)}
    weights = {n: torch.nn.Parameter(0.25 * torch.randn(s, dtype=torch.float64)) for n, s in shapes.items()}
    optimiser = torch.optim.Adam(weights.values(), lr=0.03)
    for batch, truth in zip(ids, targets, strict=True):
        x = embed(batch, torch.eye(levers, dtype=torch.float64))
        loss = character_loss(many_to_many(x, (batch >= 0).sum(0), list(weights.values()), alpha), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {name: weight.detach() for name, weight in weights.items()}


# %% plain_loops
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    dW, dU, db, dV, dc, _ = bptt(x, targets, lengths, weights, alpha)
    norm = math.sqrt(sum(float((g * g).sum()) for g in (dW, dU, db, dV, dc)))
    new_weights, new_velocity = [], []
    for w, v, g in zip(weights, velocity, (dW, dU, db, dV, dc), strict=True):
        v = momentum * v + (g * (max_norm / norm) if norm > max_norm else g)
        new_velocity.append(v)
        new_weights.append(w - rate * v)
    return [loss, new_weights, new_velocity]


# %% sgd_of_torch
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    names = ["W", "U", "b", "V", "c"]
    leaves = [torch.nn.Parameter(w.clone()) for w in weights]
    optimiser = torch.optim.SGD(leaves, lr=rate, momentum=momentum)
    clipped, _ = clip_gradients(dict(zip(names, bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    for leaf, v, name in zip(leaves, velocity, names, strict=True):
        optimiser.state[leaf]["momentum_buffer"] = v.clone()
        leaf.grad = clipped[name]
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    optimiser.step()
    return [loss, [p.detach() for p in leaves], [optimiser.state[p]["momentum_buffer"] for p in leaves]]
