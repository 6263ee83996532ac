# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] nbgrader={"grade_id": "opening"}
# # Assignment 1: a signal box that nobody labelled
#
# Somewhere on a branch line stands a signal box with eight levers, A to H, and one signal that can show 0, 1, 2 or 3.
# Some levers set the signal. The others do nothing at all: the signal keeps what it showed.
# Nobody remembers which lever does what, and no two boxes are wired alike.
# All that is left is the log book:
#
# ```
# lever    F  B  B  H  A  C  B  D  A  A  G  H
# signal   2  2  2  0  0  3  3  3  3  3  1  0
# ```
#
# > **Look first.** Which levers in this log set the signal, and which do nothing? Of which can you not tell?
#
# To say what the signal shows *now*, it does not help to know the lever that was pulled now.
# One must remember the last lever that mattered, however long ago that was.
# What is to come depends on the state of the box alone, but the state depends on every lever there ever was.
# By the end of this notebook a network of yours does that, and every part of it, down to the gradients, is your own.
#
# The unit is not the one of the lecture. It **leaks**: each hidden unit has its own share $\alpha$, and in one step
# it moves only that share of the way to its new value.
#
# $$a_t = W h_{t-1} + U x_t + b \qquad h_t = (1 - \alpha) \odot h_{t-1} + \alpha \odot \tanh a_t$$
#
# Small $\alpha$ makes a slow unit with a long memory, and $\alpha = 1$ gives back the lecture's unit.
# (H. Jaeger, *The "echo state" approach to analysing and training recurrent neural networks*, 2001, has such leaky
# integrator units; Jaeger, Lukoševičius, Popovici and Siewert 2007 study them.)
#
# **House rules.** Three things differ from the lecture and from `torch.nn`, so read the shapes:
#
# - time comes first: `x` is `[t b i]`, steps by sequences by features;
# - sequences have different lengths, and `lengths[b]` says how many steps of sequence `b` are real;
# - all numbers are `float64`.
#
# Letters: `t` steps, `b` sequences, `i` input features, `h` hidden units, `o` outputs, `n` characters.
# Each exercise ends in a check. Run it as often as you like: it answers in a moment and tells you what it saw.

# %% nbgrader={"grade_id": "start"}
from seqlib.checks.notebook import start_assignment

check = start_assignment("a1_recurrent")

# %% nbgrader={"grade_id": "imports"}
import math

import torch

from seqlib.trace import recording, tap

PAD = -1

# %% [markdown] nbgrader={"grade_id": "text_characters"}
# ## 1. Characters and their loss (10 points)
#
# A network eats numbers, so character `k` becomes row `k` of a table `E` with shape `[n i]`.
# Batches are ragged: after the end of a short sequence stands the id `PAD = -1`, which is no character.
# Its vector is all zeros.
#
# *By hand.* With $E = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$ the ids `[1, 0, -1]` become
# `[3, 4]`, `[1, 2]`, `[0, 0]`.
#
# > **Hint.** What does `E[-1]` mean in Python? Look at it before you trust it.


# %% nbgrader={"grade_id": "embed_answer", "solution": true}
def embed(ids, E):
    """ids [t b] with PAD, E [n i] -> [t b i]"""
    ### BEGIN SOLUTION
    # Planted for the leak test: canary-answer-c83f27ad.
    vectors = torch.zeros(*ids.shape, E.shape[1], dtype=E.dtype)
    real = ids != PAD
    vectors[real] = E[ids[real]]
    return vectors
    ### END SOLUTION


# %% nbgrader={"grade_id": "embed", "grade": true, "locked": true}
check("embed")

# %% [markdown] nbgrader={"grade_id": "text_loss"}
# The network answers with one number a character, the logits $o$. The loss is the mean surprise in nats,
#
# $$L = -\frac{1}{N} \sum_{\text{valid } (t, b)} \log \mathrm{softmax}(o_{t,b})_{y_{t,b}}$$
#
# where $N$ counts the valid characters of the whole batch.
#
# *By hand.* Two characters are possible, the logits are `[0, 0]`, so each has probability 1/2 and the surprise is
# $\log 2 = 0.693$ nats, whatever the target was.
#
# > **Hint.** The check also tries logits near 1000. `exp(1000)` is not a number that fits.


# %% nbgrader={"grade_id": "character_loss_answer", "solution": true}
def character_loss(logits, targets):
    """logits [t b n], targets [t b] with PAD -> mean negative log likelihood in nats, a tensor without dimensions"""
    ### BEGIN SOLUTION
    real = targets != PAD
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    log_p = shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    return -log_p[real].gather(1, targets[real][:, None]).mean()
    ### END SOLUTION


# %% nbgrader={"grade_id": "character_loss", "grade": true, "locked": true}
check("character_loss")

# %% [markdown] nbgrader={"grade_id": "text_step"}
# ## 2. The leaky unit, forward (20 points)
#
# One step first, for a batch:
# `x` is `[b i]`, `h` is `[b h]`, `W` is `[h h]`, `U` is `[h i]`, `b` and `alpha` are `[h]`.
# The rows of `W` are where a value goes, the columns where it comes from.
#
# *By hand.* One unit, $h = 0.8$, $\alpha = 0.25$, and $a = 0$. Then $\tanh a = 0$ and the new state is
# $0.75 \cdot 0.8 + 0.25 \cdot 0 = 0.6$: it leaks away by a quarter in each step.
#
# Leave the names `a` and `new` in place: the lines with `tap` show them to the stepper below.


# %% nbgrader={"grade_id": "leaky_step_answer", "solution": true}
def leaky_step(x, h, W, U, b, alpha):
    """x [b i], h [b h] -> the new state [b h]"""
    tap("x", x)
    ### BEGIN SOLUTION
    a = h @ W.T + x @ U.T + b
    new = (1 - alpha) * h + alpha * torch.tanh(a)
    ### END SOLUTION
    tap("a", a)
    return tap("h", new)


# %% nbgrader={"grade_id": "leaky_step", "grade": true, "locked": true}
check("leaky_step")

# %% [markdown] nbgrader={"grade_id": "text_run"}
# Now a whole ragged batch.
# `x` is `[t b i]`, `lengths` is `[b]`, `h0` is `[b h]`, and all states come back as `[t b h]`.
# A sequence that has ended **freezes**: from then on every row repeats its last valid state.
# So the last row holds the final state of every sequence, long or short.
#
# *By hand.* With `lengths = [3, 1]` the second sequence has states $h_1, h_1, h_1$.
#
# > **Hint.** At step `t` the sequences with `t < lengths` move, the others stay. `torch.where` takes a mask `[b 1]`.


# %% nbgrader={"grade_id": "leaky_run_answer", "solution": true}
def leaky_run(x, lengths, h0, W, U, b, alpha):
    """x [t b i], lengths [b], h0 [b h] -> states [t b h]"""
    ### BEGIN SOLUTION
    h, states = h0, []
    for t, x_t in enumerate(x):
        moving = (t < lengths)[:, None]
        h = torch.where(moving, leaky_step(x_t, h, W, U, b, alpha), h)
        states.append(h)
    return torch.stack(states)
    ### END SOLUTION


# %% nbgrader={"grade_id": "leaky_run", "grade": true, "locked": true}
check("leaky_run")

# %% [markdown] nbgrader={"grade_id": "text_stepper"}
# ### Watch your own unit
#
# The next cell records your `leaky_run` and steps through it beside recorded values of a unit that is right.
# Cells that part are outlined, and the stepper starts at the first step where they do.

# %% nbgrader={"grade_id": "stepper"}
from seqlib.trace import Recording
from seqlib.widgets import RecurrentStepper

run = check.case("leaky_run").ragged_run()
x, lengths = run[0], run[1]
with recording() as mine:
    leaky_run(*run)
right = Recording.from_arrays({"x": x, "h": check.expected("leaky_run")})
RecurrentStepper(mine, reference=right, sequence=int(lengths.argmax()), title="Your leaky unit beside a right one")

# %% [markdown] nbgrader={"grade_id": "text_shapes"}
# ### Four shapes, one unit
#
# The same unit reads and writes in four ways. `weights` is `[W, U, b, V, c]`, every state starts at rest (zeros), and
# the readout is $o_t = V h_t + c$ with `V` of shape `[o h]`.
#
# | function | reads | writes |
# |---|---|---|
# | `many_to_many` | `x [t b i]`, `lengths [b]` | logits `[t b o]`, all zeros after the end of a sequence |
# | `many_to_one` | `x [t b i]`, `lengths [b]` | logits `[b o]` of the last valid state |
# | `one_to_many` | `x [b i]`, `steps` | logits `[t b o]`; `x` enters at the first step, later inputs are zero vectors |
# | `one_to_one` | `x [b i]` | logits `[b o]` after one step |
#
# *By hand.* In `one_to_many` with $W = 0$, $b = 0$, $\alpha = 1/2$ the state halves at each step, and so do the logits
# if $c = 0$: nothing comes in, the unit leaks.


# %% nbgrader={"grade_id": "sequence_shapes_answer", "solution": true}
def many_to_many(x, lengths, weights, alpha):
    """x [t b i], lengths [b] -> logits [t b o], zeros after the end"""
    W, U, b, V, c = weights
    ### BEGIN SOLUTION
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    logits = states @ V.T + c
    for column, length in enumerate(lengths.tolist()):
        logits[length:, column] = 0
    return logits
    ### END SOLUTION


def many_to_one(x, lengths, weights, alpha):
    """x [t b i], lengths [b] -> logits [b o]"""
    W, U, b, V, c = weights
    ### BEGIN SOLUTION
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    final = leaky_run(x, lengths, h0, W, U, b, alpha)[-1]
    return final @ V.T + c
    ### END SOLUTION


def one_to_many(x, steps, weights, alpha):
    """x [b i] at the first of `steps` steps -> logits [t b o]"""
    W, U, b, V, c = weights
    ### BEGIN SOLUTION
    h, logits = torch.zeros(len(x), len(b), dtype=x.dtype), []
    for t in range(steps):
        h = leaky_step(x if t == 0 else torch.zeros_like(x), h, W, U, b, alpha)
        logits.append(h @ V.T + c)
    return torch.stack(logits)
    ### END SOLUTION


def one_to_one(x, weights, alpha):
    """x [b i] -> logits [b o]"""
    W, U, b, V, c = weights
    ### BEGIN SOLUTION
    h = leaky_step(x, torch.zeros(len(x), len(b), dtype=x.dtype), W, U, b, alpha)
    return h @ V.T + c
    ### END SOLUTION


# %% nbgrader={"grade_id": "sequence_shapes", "grade": true, "locked": true}
check("sequence_shapes")

# %% [markdown] nbgrader={"grade_id": "text_bptt"}
# ## 3. Backpropagation through time, by hand (30 points)
#
# No `backward()` here: you write the gradients, from the loss back to the first input.
# Use autograd as much as you like to compare, but not as the answer.
#
# **Start at the loss.** Return the gradient of `character_loss` with respect to each logit, `[t b n]`.
# Padding takes no part in the loss, so its gradient is zero.
#
# *By hand.* One valid character, logits `[0, 0]`, target 0. Raising the first logit lowers the loss:
# the gradient is `[-0.5, 0.5]`. With a second valid character in the batch it would be `[-0.25, 0.25]`. Why?


# %% nbgrader={"grade_id": "logit_gradient_answer", "solution": true}
def logit_gradient(logits, targets):
    """logits [t b n], targets [t b] with PAD -> gradient of the loss [t b n]"""
    ### BEGIN SOLUTION
    real = targets != PAD
    gradient = torch.zeros_like(logits)
    p = torch.softmax(logits[real], dim=-1)
    p[torch.arange(len(p)), targets[real]] -= 1
    gradient[real] = p / real.sum()
    return gradient
    ### END SOLUTION


# %% nbgrader={"grade_id": "logit_gradient", "grade": true, "locked": true}
check("logit_gradient")

# %% [markdown] nbgrader={"grade_id": "text_step_backward"}
# **One step back.** Given `dh`, the gradient of the loss with respect to the *new* state, return the gradients with
# respect to everything that went into the step, in the order `[dx, dh_old, dW, dU, db]`.
# The old state reaches the new one along two ways: through the leak, and through $W$ and tanh.
#
# *By hand.* One unit, $W = 0$, $\alpha = 1/4$, $dh = 1$. Only the leak carries anything back, so `dh_old` is 0.75.
#
# > **Hint.** $\tanh' a = 1 - \tanh^2 a$. Is $h_t$ the tanh of something here? In the lecture it was.
#
# > **Hint.** Every gradient has the shape of what it is the gradient of. The batch is summed for `dW`, `dU`, `db`.


# %% nbgrader={"grade_id": "step_backward_answer", "solution": true}
def step_backward(dh, x, h, W, U, b, alpha):
    """dh [b h] of the new state; x [b i] and the old state h [b h] -> [dx, dh_old, dW, dU, db]"""
    ### BEGIN SOLUTION
    new_value = torch.tanh(h @ W.T + x @ U.T + b)
    da = dh * alpha * (1 - new_value**2)
    dh_old = dh * (1 - alpha) + da @ W
    return [da @ U, dh_old, da.T @ h, da.T @ x, da.sum(dim=0)]
    ### END SOLUTION


# %% nbgrader={"grade_id": "step_backward", "grade": true, "locked": true}
check("step_backward")

# %% [markdown] nbgrader={"grade_id": "text_all_back"}
# **All steps back.** The loss is `character_loss(many_to_many(...), targets)`: every valid step has its own term.
# So at each step two gradients meet in $h_t$: one from its own logits, one from the step after it.
#
# $$\frac{dL}{dh_t} = V^\top \frac{dL}{do_t} + \Big(\text{what } h_{t+1} \text{ hands back}\Big) \qquad
# \frac{dL}{dW} = \sum_t \Big(\text{step } t \text{'s share}\Big)$$
#
# Return `[dW, dU, db, dV, dc, dx]`.
#
# > **Hint.** A frozen sequence hands its gradient back unchanged and takes no share of `dW`, `dU`, `db` or `dx`.
#
# > **Hint.** Go forward once and keep all states, then walk from the last step to the first.


# %% nbgrader={"grade_id": "bptt_answer", "solution": true}
def bptt(x, targets, lengths, weights, alpha):
    """x [t b i], targets [t b] with PAD, lengths [b] -> [dW, dU, db, dV, dc, dx]"""
    W, U, b, V, c = weights
    ### BEGIN SOLUTION
    h0 = torch.zeros(x.shape[1], len(b), dtype=x.dtype)
    states = leaky_run(x, lengths, h0, W, U, b, alpha)
    do = logit_gradient(states @ V.T + c, targets)
    dW, dU, db, dx = torch.zeros_like(W), torch.zeros_like(U), torch.zeros_like(b), torch.zeros_like(x)
    dV = sum(do[t].T @ states[t] for t in range(len(x)))
    dc = do.sum(dim=(0, 1))
    dh = torch.zeros_like(h0)
    for t in reversed(range(len(x))):
        dh = dh + do[t] @ V
        old = states[t - 1] if t > 0 else h0
        moving = (t < lengths)[:, None].to(x.dtype)
        dx[t], dh_old, dW_t, dU_t, db_t = step_backward(dh * moving, x[t], old, W, U, b, alpha)
        dh = dh_old + dh * (1 - moving)
        dW, dU, db = dW + dW_t, dU + dU_t, db + db_t
    return [dW, dU, db, dV, dc, dx]
    ### END SOLUTION


# %% nbgrader={"grade_id": "bptt", "grade": true, "locked": true}
check("bptt")

# %% [markdown] nbgrader={"grade_id": "text_clip"}
# ## 4. Clip and truncate (10 points)
#
# **Clip.** One bad batch can throw the weights across the room. Measure the *joint* norm of all gradients together,
# $\lVert g \rVert = \sqrt{\sum_p \sum_j g_{p,j}^2}$; if it is larger than `max_norm`, shrink all of them by the same
# factor.
# If it is not finite (a NaN or an infinity got in), the step is lost: return all zeros and the norm `inf`.
#
# `gradients` is a dict from names to tensors. Return `[clipped, norm]`: a dict with the same names, and the norm
# *before* clipping as a tensor without dimensions.
#
# *By hand.* `{"W": [[3.]], "b": [4.]}` has norm 5. With `max_norm = 1` it becomes `{"W": [[0.6]], "b": [0.8]}`.


# %% nbgrader={"grade_id": "clip_gradients_answer", "solution": true}
def clip_gradients(gradients, max_norm):
    """dict of tensors -> [dict of tensors, norm before]"""
    ### BEGIN SOLUTION
    norm = torch.sqrt(sum((g**2).sum() for g in gradients.values()))
    if not torch.isfinite(norm):
        return [{name: torch.zeros_like(g) for name, g in gradients.items()}, torch.full_like(norm, math.inf)]
    factor = 1.0 if norm <= max_norm else max_norm / norm
    return [{name: g * factor for name, g in gradients.items()}, norm]
    ### END SOLUTION


# %% nbgrader={"grade_id": "clip_gradients", "grade": true, "locked": true}
check("clip_gradients")

# %% [markdown] nbgrader={"grade_id": "text_truncate"}
# **Truncate.** Long sequences are costly to walk back. Truncation walks `k` steps back and stops.
# The forward pass is the full one, from rest at the first step. Given `dh`, the gradient of the *last* state, return
# the gradient `[t b i]` of all inputs, where only the last `k` steps get any: everything before is **exactly** zero.
#
# *By hand.* Four steps and `k = 1`: only `x[3]` has a gradient, and it is the one of a single step back.
#
# > **Hint.** The leaky unit has two ways back in time. Cut both.


# %% nbgrader={"grade_id": "truncated_gradient_answer", "solution": true}
def truncated_gradient(x, dh, k, W, U, b, alpha):
    """x [t b i], dh [b h] of the last state -> [t b i], zero before the last k steps"""
    ### BEGIN SOLUTION
    states = [torch.zeros_like(dh)]
    for x_t in x:
        states.append(leaky_step(x_t, states[-1], W, U, b, alpha))
    dx = torch.zeros_like(x)
    for t in range(len(x) - 1, len(x) - 1 - k, -1):
        dx[t], dh, *_ = step_backward(dh, x[t], states[t], W, U, b, alpha)
    return dx
    ### END SOLUTION


# %% nbgrader={"grade_id": "truncated_gradient", "grade": true, "locked": true}
check("truncated_gradient")

# %% [markdown] nbgrader={"grade_id": "text_jacobian"}
# ## 5. A report on the Jacobian (15 points)
#
# How does a nudge of the old state move the new one? That is the Jacobian $J_t = \partial h_t / \partial h_{t-1}$,
# `[h h]`: row $m$ says how unit $m$ of the new state answers. Here for one sequence, so `x` is `[i]` and `h` is `[h]`.
#
# *By hand.* One unit with $W = 2$, $\alpha = 1/4$ at $a = 0$: $J = 0.75 + 0.25 \cdot 2 = 1.25$. The leak is in it.


# %% nbgrader={"grade_id": "step_jacobian_answer", "solution": true}
def step_jacobian(x, h, W, U, b, alpha):
    """x [i], h [h] -> [h h], new state in the rows, old state in the columns"""
    ### BEGIN SOLUTION
    slope = 1 - torch.tanh(W @ h + U @ x + b) ** 2
    return torch.diag(1 - alpha) + (alpha * slope)[:, None] * W
    ### END SOLUTION


# %% nbgrader={"grade_id": "step_jacobian", "grade": true, "locked": true}
check("step_jacobian")

# %% [markdown] nbgrader={"grade_id": "text_report"}
# Over a whole sequence the Jacobians multiply: $\partial h_T / \partial h_0 = J_T J_{T-1} \cdots J_1$.
# Return `[values, growth]`: the singular values of this product, largest first, `[h]`, and the growth rate
# $\log(\text{largest}) / T$, a tensor without dimensions. Below zero the memory fades, above zero it explodes.
#
# *By hand.* If every $J_t$ is $0.5$ times the identity and $T = 3$, all singular values are 0.125 and the growth rate
# is $\log 0.5 = -0.693$.


# %% nbgrader={"grade_id": "jacobian_report_answer", "solution": true}
def jacobian_report(x, h0, W, U, b, alpha):
    """x [t i], h0 [h] -> [singular values [h], growth rate]"""
    ### BEGIN SOLUTION
    h, product = h0, torch.eye(len(h0), dtype=h0.dtype)
    for x_t in x:
        product = step_jacobian(x_t, h, W, U, b, alpha) @ product
        h = leaky_step(x_t[None], h[None], W, U, b, alpha)[0]
    values = torch.linalg.svdvals(product)
    return [values, torch.log(values[0]) / len(x)]
    ### END SOLUTION


# %% nbgrader={"grade_id": "jacobian_report", "grade": true, "locked": true}
check("jacobian_report")

# %% [markdown] nbgrader={"grade_id": "text_verdict"}
# **True or false?** "If the singular values are larger than 1, the gradient explodes; if smaller, it vanishes."
# Half of it is true. Say which half, as code.
#
# `growth_verdict` gets the largest and the smallest singular value of each $J_t$, both `[t]`, and nothing else.
# Return
#
# - `-1` if *every* product with these numbers shrinks *every* vector by `factor` or more,
# - `1` if every product with these numbers stretches every vector by `factor` or more,
# - `0` if these numbers cannot tell.
#
# And `sharp_but_fading(size, alpha)` builds the counter-example: a recurrent matrix $W$ for `size` leaky units that all
# have the same share `alpha`, such that the Jacobian at rest ($h = 0$, no input, $b = 0$) has a largest singular value
# of **at least 2**, and yet the product of 60 of them has no entry larger than **0.001**.
#
# *By hand.* $\begin{pmatrix} 0 & 9 \\ 0 & 0 \end{pmatrix}$ stretches one direction ninefold. Multiply it by itself.
#
# > **Hint.** For one matrix and one vector, $\sigma_{\min} \lVert v \rVert \le \lVert J v \rVert \le
# > \sigma_{\max} \lVert v \rVert$. Chain it.


# %% nbgrader={"grade_id": "growth_verdict_answer", "solution": true}
def growth_verdict(largest, smallest, factor):
    """largest [t], smallest [t], factor > 1 -> -1, 0 or 1"""
    ### BEGIN SOLUTION
    if math.prod(largest.tolist()) <= 1 / factor:
        return -1
    if math.prod(smallest.tolist()) >= factor:
        return 1
    return 0
    ### END SOLUTION


def sharp_but_fading(size, alpha):
    """-> W [h h] in float64"""
    ### BEGIN SOLUTION
    jacobian = torch.diag(torch.full((size - 1,), 2.5, dtype=torch.float64), 1)
    return (jacobian - (1 - alpha) * torch.eye(size, dtype=torch.float64)) / alpha
    ### END SOLUTION


# %% nbgrader={"grade_id": "growth_verdict", "grade": true, "locked": true}
check("growth_verdict")

# %% [markdown] nbgrader={"grade_id": "text_sample"}
# ## 6. Sampling with a temperature (5 points)
#
# To write, a network draws a character from $p = \mathrm{softmax}(o / \tau)$.
# Cold ($\tau < 1$) it repeats what it knows,
# hot it babbles, and at $\tau = 0$ it always takes the likeliest.
# The randomness comes from outside: a uniform number $u$ from $[0, 1)$ for each row.
# Lay the probabilities end to end from character 0 on, and return the character in whose stretch $u$ falls:
# the first one whose cumulative probability is **larger** than $u$.
#
# *By hand.* $p = (0.2, 0.5, 0.3)$: $u = 0.1$ gives 0, $u = 0.6$ gives 1, $u = 0.75$ gives 2.
#
# > **Hint.** The check goes down to $\tau = 0.001$ and to 0. Neither may overflow.


# %% nbgrader={"grade_id": "sample_symbol_answer", "solution": true}
def sample_symbol(logits, temperature, u):
    """logits [b n], temperature >= 0, u [b] -> characters [b], integers"""
    ### BEGIN SOLUTION
    if temperature == 0:
        return logits.argmax(dim=1)
    p = torch.softmax(logits / temperature, dim=1)
    passed = p.cumsum(dim=1) <= u[:, None]
    return passed.sum(dim=1).clamp(max=logits.shape[1] - 1)
    ### END SOLUTION


# %% nbgrader={"grade_id": "sample_symbol", "grade": true, "locked": true}
check("sample_symbol")

# %% [markdown] nbgrader={"grade_id": "text_training_step"}
# ## 7. Work the signal box (10 points)
#
# **One step of training.** Everything above meets: loss, gradients, clipping, and a velocity that remembers.
#
# $$g \leftarrow \mathrm{clip}\big(\nabla L(\theta)\big) \qquad v \leftarrow \mu v + g \qquad
# \theta \leftarrow \theta - \eta v$$
#
# `weights` and `velocity` are lists in the order `[W, U, b, V, c]`. Return `[loss, weights, velocity]`:
# the loss *before* the step and both lists *after* it.
#
# *By hand.* $\theta = 1$, $g = 2$, $v = 1$, $\mu = 0.5$, $\eta = 0.1$: the velocity becomes 2.5 and the weight 0.75.


# %% nbgrader={"grade_id": "training_step_answer", "solution": true}
def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    """-> [loss before, new weights, new velocity]; lists are in the order [W, U, b, V, c]"""
    ### BEGIN SOLUTION
    loss = character_loss(many_to_many(x, lengths, weights, alpha), targets)
    names = ["W", "U", "b", "V", "c"]
    gradients = bptt(x, targets, lengths, weights, alpha)[:5]
    clipped, _ = clip_gradients(dict(zip(names, gradients, strict=True)), max_norm)
    new_velocity = [momentum * v + clipped[name] for v, name in zip(velocity, names, strict=True)]
    new_weights = [w - rate * v for w, v in zip(weights, new_velocity, strict=True)]
    return [loss, new_weights, new_velocity]
    ### END SOLUTION


# %% nbgrader={"grade_id": "training_step", "grade": true, "locked": true}
check("training_step")

# %% [markdown] nbgrader={"grade_id": "text_train"}
# **Train.** You get the log book of one signal box: `ids [s t b]` (levers, ragged, with `PAD`) and
# `targets [s t b]` (what the signal showed), as `s` batches: 240 when it counts.
# One batch serves **one** optimiser step; seconds do not matter.
# Levers enter as one-hot vectors: $x_t$ is row `ids[t]` of the identity of size `levers`.
# `alpha [h]` is given and stays as it is.
#
# Return the trained weights as a dict `{"W": ..., "U": ..., "b": ..., "V": ..., "c": ...}` with shapes `[h h]`,
# `[h i]`, `[h]`, `[o h]`, `[o]`, where `i = levers` and `o = signals`.
# Your weights are then run in *our* leaky unit on logs of the same box that you have never seen, and at least **95 %**
# of all signals must be right. Another box, with other wiring, waits when you hand in.
#
# Any optimiser will do: your `training_step`, or one of `torch.optim`; gradients by your `bptt` or by autograd.
#
# > **Hint.** Start small: weights of standard deviation 0.3 or so. Watch the loss of a few hundred steps before you
# > ask the check. Remembering wants a unit that holds itself up: what does $W$ equal to the identity do?
#
# The check tries a few batches first, in a second. `check("train", full=True)` runs the whole log.


# %% nbgrader={"grade_id": "train_answer", "solution": true}
def train(ids, targets, alpha, levers, signals):
    """ids, targets [s t b] with PAD -> a dict of the trained W, U, b, V, c"""
    ### BEGIN SOLUTION
    hidden, generator = len(alpha), torch.Generator().manual_seed(1)

    def draw(*shape):
        return 0.3 * torch.randn(*shape, dtype=torch.float64, generator=generator)

    W = torch.eye(hidden, dtype=torch.float64) + 0.3 * draw(hidden, hidden)
    b, c = torch.zeros(hidden, dtype=torch.float64), torch.zeros(signals, dtype=torch.float64)
    weights = [W, draw(hidden, levers), b, draw(signals, hidden), c]
    velocity = [torch.zeros_like(w) for w in weights]
    for batch, truth in zip(ids, targets, strict=True):
        x = embed(batch, torch.eye(levers, dtype=torch.float64))
        lengths = (batch != PAD).sum(dim=0)
        _, weights, velocity = training_step(weights, velocity, x, truth, lengths, alpha, 0.3, 0.9, 1.0)
    return dict(zip(["W", "U", "b", "V", "c"], weights, strict=True))
    ### END SOLUTION


# %% nbgrader={"grade_id": "train", "grade": true, "locked": true}
check("train")

# %% [markdown] nbgrader={"grade_id": "closing"}
# ## Hand in
#
# Run the whole notebook once more from the top, then `seqlib submit a1_recurrent`.
