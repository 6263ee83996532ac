# %% sample_without_temperature
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits, 1)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1)


# %% sample_temperature_turned
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits * temperature, 1)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1)


# %% sample_temperature_on_p
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits, 1) / temperature
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


# %% sample_always_greedy
def sample_symbol(logits, temperature, u):
    return torch.softmax(logits / max(temperature, 1e-3), 1).argmax(1)


# %% sample_one_too_early
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits / temperature, 1)
    return ((torch.cumsum(p, 1) <= u[:, None]).sum(1) - 1).clamp(min=0)


# %% sample_from_the_end
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits / temperature, 1).flip(1)
    return logits.shape[1] - 1 - (torch.cumsum(p, 1) <= u[:, None]).sum(1)


# %% sample_by_likelihood
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p, order = torch.sort(torch.softmax(logits / temperature, 1), descending=True)
    place = (torch.cumsum(p, 1) <= u[:, None]).sum(1)
    return order[torch.arange(len(order)), place]


# %% sample_softmax_over_batch
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    p = torch.softmax(logits / temperature, 0)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


# %% sample_overflows
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(1)
    e = torch.exp(logits / temperature)
    p = e / e.sum(1, keepdim=True)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


# %% sample_zero_divides
def sample_symbol(logits, temperature, u):
    p = torch.softmax(logits / temperature, 1)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


# %% sample_zero_is_least
def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return torch.argsort(logits, dim=1)[:, 0]
    p = torch.softmax(logits / temperature, 1)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1)


# %% sample_zero_draws
def sample_symbol(logits, temperature, u):
    p = torch.softmax(logits / temperature if temperature > 0 else logits, 1)
    return (torch.cumsum(p, 1) <= u[:, None]).sum(1).clamp(max=logits.shape[1] - 1)
