# ruff: noqa: F811 -- each cell is a variant of the same function

# %% first_axis
def running_total(x):
    return x.cumsum(0)


# %% without_itself
def running_total(x):
    return x.cumsum(-1) - x
