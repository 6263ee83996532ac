# %% by_matrix
def running_total(x):
    return x @ torch.ones(x.shape[-1], x.shape[-1], dtype=x.dtype).triu()
