# %% embed_pad_is_last_row
def embed(ids, E):
    return E[ids]


# %% embed_pad_is_first_row
def embed(ids, E):
    return torch.nn.functional.embedding(torch.where(ids == PAD, 0, ids), E)


# %% embed_batch_first
def embed(ids, E):
    out = torch.zeros(ids.shape[1], ids.shape[0], E.shape[1], dtype=E.dtype)
    for t in range(ids.shape[0]):
        for k in range(ids.shape[1]):
            if ids[t, k] != PAD:
                out[k, t] = E[ids[t, k]]
    return out


# %% embed_one_hot
def embed(ids, E):
    out = torch.zeros(*ids.shape, E.shape[0], dtype=E.dtype)
    for t in range(ids.shape[0]):
        for k in range(ids.shape[1]):
            if ids[t, k] != PAD:
                out[t, k, ids[t, k]] = 1
    return out


# %% loss_counts_padding
def character_loss(logits, targets):
    log_p = torch.log_softmax(logits, -1)
    picked = log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return -torch.where(targets == PAD, 0.0, picked).mean()


# %% loss_in_bits
def character_loss(logits, targets):
    p = torch.softmax(logits, -1)[targets != PAD]
    return -torch.log2(p[range(len(p)), targets[targets != PAD]]).mean()


# %% loss_softmax_over_batch
def character_loss(logits, targets):
    p = torch.softmax(logits, 1)[targets != PAD]
    return -torch.log(p[range(len(p)), targets[targets != PAD]]).mean()


# %% loss_softmax_over_time
def character_loss(logits, targets):
    p = torch.softmax(logits, 0)[targets != PAD]
    return -torch.log(p[range(len(p)), targets[targets != PAD]]).mean()


# %% loss_is_a_sum
def character_loss(logits, targets):
    return torch.nn.functional.cross_entropy(logits[targets != PAD], targets[targets != PAD], reduction="sum")


# %% loss_mean_of_means
def character_loss(logits, targets):
    total = 0
    for k in range(targets.shape[1]):
        real = targets[:, k] != PAD
        total = total + torch.nn.functional.cross_entropy(logits[real, k], targets[real, k])
    return total / targets.shape[1]


# %% loss_overflows
def character_loss(logits, targets):
    real = targets != PAD
    e = torch.exp(logits[real])
    p = e[range(len(e)), targets[real]] / e.sum(1)
    return -torch.log(p).mean()


# %% loss_pad_is_a_class
def character_loss(logits, targets):
    log_p = torch.log_softmax(logits, -1)
    steps, sequences = targets.shape
    return -sum(log_p[t, k, targets[t, k]] for t in range(steps) for k in range(sequences)) / (steps * sequences)


# %% loss_without_log
def character_loss(logits, targets):
    p = torch.softmax(logits, -1)[targets != PAD]
    return -p[range(len(p)), targets[targets != PAD]].mean()


# %% loss_positive
def character_loss(logits, targets):
    log_p = torch.log_softmax(logits, -1)[targets != PAD]
    return log_p[range(len(log_p)), targets[targets != PAD]].mean()
