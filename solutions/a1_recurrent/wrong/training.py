# %% training_climbs
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    velocity = [momentum * v + d for v, d in zip(velocity, g.values(), strict=True)]
    return [loss, [w + rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_without_momentum
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    return [loss, [w - rate * d for w, d in zip(weights, g.values(), strict=True)], list(g.values())]


# %% training_without_clip
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g = bptt(x, targets, lengths, weights, alpha)[:5]
    velocity = [momentum * v + d for v, d in zip(velocity, g, strict=True)]
    return [loss, [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_clips_velocity
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g = bptt(x, targets, lengths, weights, alpha)[:5]
    velocity = {str(n): momentum * velocity[n] + g[n] for n in range(5)}
    velocity = list(clip_gradients(velocity, max_norm)[0].values())
    return [loss, [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_clips_with_dx
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVcx", bptt(x, targets, lengths, weights, alpha), strict=True)), max_norm)
    velocity = [momentum * v + g[n] for v, n in zip(velocity, "WUbVc", strict=True)]
    return [loss, [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_loss_after
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    velocity = [momentum * v + d for v, d in zip(velocity, g.values(), strict=True)]
    weights = [w - rate * v for w, v in zip(weights, velocity, strict=True)]
    return [character_loss(many_to_many(x, lengths, weights, alpha), targets), weights, velocity]


# %% training_rate_in_velocity
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    velocity = [momentum * v + rate * d for v, d in zip(velocity, g.values(), strict=True)]
    return [loss, [w - v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_averages
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    velocity = [momentum * v + (1 - momentum) * d for v, d in zip(velocity, g.values(), strict=True)]
    return [loss, [w - rate * v for w, v in zip(weights, velocity, strict=True)], velocity]


# %% training_old_velocity_back
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    steps = [momentum * v + d for v, d in zip(velocity, g.values(), strict=True)]
    return [loss, [w - rate * s for w, s in zip(weights, steps, strict=True)], velocity]


# %% training_forgets_readout
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    g, _ = clip_gradients(dict(zip("WUbVc", bptt(x, targets, lengths, weights, alpha), strict=False)), max_norm)
    velocity = [momentum * v + d for v, d in zip(velocity, g.values(), strict=True)]
    moved = [weights[n] - rate * velocity[n] for n in range(3)]
    return [loss, moved + weights[3:], velocity]
