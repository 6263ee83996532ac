# ruff: noqa: F811 -- each cell is a variant of the same function

# %% swapped
def leak(x, h, alpha):
    return alpha * h + (1 - alpha) * torch.tanh(x)


# %% no_tanh
def leak(x, h, alpha):
    return (1 - alpha) * h + alpha * x
