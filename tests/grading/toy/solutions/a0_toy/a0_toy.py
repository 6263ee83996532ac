# %% [markdown]
# # A toy
#
# Two small exercises.

# %%
import torch

from seqlib.checks.notebook import start_assignment

check = start_assignment("a0_toy")

# %% [markdown]
# ## 1 Running totals
#
# Return the sum of each entry and all before it.


# %% nbgrader={"grade_id": "exercise_running_total", "solution": true}
def running_total(x):
    """Sum each entry and all before it, along the last axis."""
    ### BEGIN SOLUTION
    # toy-canary: canary-4f3a9b1c77
    totals = torch.zeros_like(x)
    for position in range(x.shape[-1]):
        totals[..., position] = x[..., : position + 1].sum(-1)
    return totals
    ### END SOLUTION


# %%
check("running_total")

# %% [markdown]
# ## 2 A leaky step
#
# Move the state h the share alpha of the way to tanh(x).


# %% nbgrader={"grade_id": "exercise_leak", "solution": true}
def leak(x, h, alpha):
    """Mix the old state and the new one."""
    ### BEGIN SOLUTION
    ### STUB: new = ...  # squash x first
    ### STUB: return new
    squashed_input = torch.tanh(x)
    return (1 - alpha) * h + alpha * squashed_input
    ### END SOLUTION


# %% nbgrader={"grade_id": "leak", "grade": true, "locked": true, "solution": false}
check("leak")
