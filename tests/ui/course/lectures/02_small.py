# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # Does it step?
#
# The state is $h_t = \tanh(W h_{t-1} + U x_t + b)$, and it costs nothing to look.
#
# $$\frac{\partial L}{\partial W}
# = \sum_{t=1}^{T} \Bigl(\frac{\partial L}{\partial h_t}\Bigr)^{\top} \mathrm{diag}(1 - h_t^2)\, h_{t-1}^{\top}$$

# %% slideshow={"slide_type": "subslide"}
import torch

from seqlib.nn.recurrent import rnn
from seqlib.trace import recording
from seqlib.widgets import RecurrentStepper

rng = torch.Generator().manual_seed(0)
W, U, b = torch.randn(3, 3, generator=rng), torch.randn(3, 2, generator=rng), torch.zeros(3)
with recording() as frames:
    rnn(torch.randn(1, 4, 2, generator=rng), W, U, b)
frames.labels.update(W=W.tolist(), U=U.tolist(), b=b.tolist())
RecurrentStepper(frames, tokens=list("abcd"), title="Four steps", predict={3: "Which way will it go?"})

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** is it growing?

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A figure and a table
#
# > **Predict.** Is it a line? Write your guess before you run the cell.
#
# | a | b |
# |---|---|
# | 1 | $x^2$ |
#
# $$\begin{aligned} a &= b + c \\ d &= e \end{aligned}$$

# %%
from seqlib.plots.style import figure  # noqa: E402 -- a lecture imports where it first needs a name

fig, axes = figure()
axes.plot([1, 2, 3])
print("a number", 1.5)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** It is a line.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The last one
#
# <details><summary>Reveal</summary>
#
# It was $42$.
#
# </details>
