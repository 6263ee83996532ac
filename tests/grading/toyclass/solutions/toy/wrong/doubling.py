# %% adds_two
def double(x):
    """Adds instead."""
    return x + 2
