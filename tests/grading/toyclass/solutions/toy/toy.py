# %% [markdown]
# # Sums that remember
#
# A running sum is the smallest network with a memory: $s_t = s_{t-1} + x_t$.

# %% nbgrader={"grade_id": "start", "locked": true}
import torch

from seqlib.checks.notebook import start_assignment

check = start_assignment("toy")

# %% [markdown]
# **1.** Double a tensor.


# %% nbgrader={"grade_id": "double_answer", "solution": true}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return x + 1.0 * x
    ### END SOLUTION


# %%
check("doubling")

# %% [markdown]
# **2.** The running sum over time.


# %% nbgrader={"grade_id": "running_answer", "solution": true}
def running(x):
    """All partial sums of x [t]."""
    ### BEGIN SOLUTION
    total, sums = torch.zeros((), dtype=x.dtype), []
    for value in x:
        total = total + value
        sums.append(total)
    return torch.stack(sums)
    ### END SOLUTION


# %%
check("running_sum")

# %% [markdown]
# **3.** The mean over time.


# %% nbgrader={"grade_id": "mean_answer", "solution": true}
def mean(x):
    """Mean of x [t]."""
    ### BEGIN SOLUTION
    return x.sum() / x.shape[0]
    ### END SOLUTION


# %%
check("time_mean")

# %% [markdown] nbgrader={"grade_id": "why", "solution": true, "grade": true, "points": 10}
# **4.** Why does the running sum need a memory?
#
# ### BEGIN SOLUTION
# Because the output depends on inputs that are gone.
# ### END SOLUTION
