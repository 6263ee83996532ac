# %% [markdown]
# # Something to attack

# %% nbgrader={"grade_id": "start", "locked": true}
import torch

from seqlib.checks.notebook import start_assignment

check = start_assignment("target")

# %% [markdown]
# **1.** Three times x, less one.


# %% nbgrader={"grade_id": "scale_answer", "solution": true}
def scale(x):
    """Three times x, less one."""
    ### BEGIN SOLUTION
    return x + 2 * x - torch.ones_like(x)
    ### END SOLUTION


# %%
check("scaling")

# %% [markdown]
# **2.** The running sum.


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
# **3.** Shares that add up to one.


# %% nbgrader={"grade_id": "softmax_answer", "solution": true}
def softmax(x):
    """Shares over the last axis of x."""
    ### BEGIN SOLUTION
    e = torch.exp(x - x.max(dim=-1, keepdim=True).values)
    return e / e.sum(dim=-1, keepdim=True)
    ### END SOLUTION


# %%
check("shares")

# %% [markdown]
# **4.** How many different tokens there are in a list.


# %% nbgrader={"grade_id": "distinct_answer", "solution": true}
def distinct(tokens):
    """How many different tokens there are."""
    ### BEGIN SOLUTION
    return len(dict.fromkeys(tokens))
    ### END SOLUTION


# %%
check("counting")

# %% [markdown]
# **5.** A word from its end.


# %% nbgrader={"grade_id": "spell_answer", "solution": true}
def spell(word):
    """The word from its end."""
    ### BEGIN SOLUTION
    return "".join(reversed(word))
    ### END SOLUTION


# %%
check("spelling")

# %% [markdown]
# **6.** A tank whose level goes a share of the way to x in each step.


# %% nbgrader={"grade_id": "tank_answer", "solution": true}
class Tank(torch.nn.Module):
    """A level that follows its input; the parameter `rate` has one entry for each of `size` levels."""

    def __init__(self, size):
        super().__init__()
        ### BEGIN SOLUTION
        self.rate = torch.nn.Parameter(torch.full((size,), 0.5, dtype=torch.float64))
        self.level = torch.zeros(size, dtype=torch.float64)
        ### END SOLUTION

    def step(self, x):
        """The level after x."""
        ### BEGIN SOLUTION
        self.level = self.level + self.rate.detach() * (x - self.level)
        return self.level
        ### END SOLUTION


# %%
check("filling")
