# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # How can a network remember what it read?
#
# Here is a machine that writes. It has read a manual, and it looks back two characters before it writes the next one.
# Run the cell and read its text aloud.

# %% jupyter={"source_hidden": true}
import math
import re

import torch

from seqlib.data import corpus
from seqlib.threads import limit_threads

limit_threads(1)
rng = torch.Generator().manual_seed(2)

# The reference of the Python language, which every Python carries.
manual = re.sub(" +", " ", corpus.load())
followers: dict[str, str] = {}
for place in range(2, 200_000):
    pair = manual[place - 2 : place]
    followers[pair] = followers.get(pair, "") + manual[place]

written = 'the "'
for _ in range(420):
    choices = followers[written[-2:]]
    written += choices[torch.randint(len(choices), (), generator=rng)]
print(written)

# %% [markdown] slideshow={"slide_type": "notes"}
# Open the hidden cell only if somebody asks: it counts which character followed each pair, and draws from the counts.
#
# **Ask the room:** what is wrong with this text that a spelling checker would not see?
#
# **The usual wrong answer** is "the words", because they are what jumps to the eye.
# Wait for somebody to see that quotation marks and brackets open and do not close.
#
# **If time is short:** read one line of the text only, and go on (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A mark that opens, a mark that closes
#
# In this text a quotation mark looks the same when it opens and when it closes.
# To know which one comes next, you must know how many came before.
#
# > **Predict.** How far back does a window have to look, so that it sees the opening mark in 99 of 100 cases?
# > Write your guess before you run the cell.

# %% slideshow={"slide_type": "subslide"}
gaps = torch.tensor(
    [len(inside) + 1 for inside in re.findall(r'"([^"\n]{1,200})"', manual)]
).double()
for share in (0.5, 0.9, 0.99):
    print(
        f"{share:4.0%} of the opening marks stand within {int(gaps.quantile(share)):3d} characters of the closing one"
    )

symbols = len(corpus.ALPHABET)
print(
    f"a table of all windows of 10 of our {symbols} characters would have {float(symbols) ** 10:.0e} rows"
)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** A longer window needs a table that nobody can fill, and even then some mark opens before it begins.
# But the whole past, as far as this question goes, is *one bit*: are we inside a quotation or not?
# So let us keep a small **state** and update it with each character, instead of keeping the characters.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** one number each, written down, before the cell runs.
#
# **The usual wrong answer** is about ten. People think of a quoted word of middling length, and 99 of 100 asks for the rare long one.
#
# **If time is short:** take three guesses by show of hands and leave out the size of the table (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The unit that recurs
#
# Call what comes in at step $t$ the **input** $x_t$, and what is kept the **hidden state** $h_t$.
# The new state is made from the old state and the input, always by the same function:
#
# $$h_t = f(h_{t-1}, x_t)$$
#
# The simplest $f$ that can learn is a weighted sum, squeezed between $-1$ and $1$:
#
# $$h_t = \tanh(W h_{t-1} + U x_t + b)$$
#
# $W$ says how the state acts on the next state, $U$ how the input acts on it, and $b$ is where it rests.

# %% slideshow={"slide_type": "subslide"}
from seqlib.nn.recurrent import Parameters, rnn
from seqlib.nn.recurrent.parameters import uniform_parameters


def recur(x, W, U, b):
    h, states = torch.zeros(len(W), dtype=x.dtype), []
    for x_t in x:
        h = torch.tanh(W @ h + U @ x_t + b)
        states.append(h)
    return torch.stack(states)


net = uniform_parameters(3, 5, 2, rng, torch.float64)
x = torch.randn(7, 3, generator=rng, dtype=torch.float64)
apart = (
    (recur(x, net.W, net.U, net.b) - rnn(x[None], net.W, net.U, net.b)[0]).abs().max()
)
print(f"our four lines and seqlib.nn differ by at most {apart:.0e}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** what would go wrong without the tanh?
#
# **The usual wrong answer:** "then it is no probability". It is none with tanh either; people mix it up with softmax.
# Without it, the state grows or dies by a factor at each step, and the whole is one weighted sum of all inputs.
#
# **If time is short:** show the one line with the tanh, not the rest of the code (saves 3 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A memory that you can hold in your hand
#
# One unit, weights set by hand. The input is $+1$ at a mark that opens, $-1$ at one that closes, $0$ elsewhere.
#
# > **Predict.** With $W = 3$, $U = 5$, $b = 0$: what is $h$ at the third `.` after the mark has opened?
# > And what if $W$ were $0.5$?

# %% jupyter={"source_hidden": true}
from seqlib.plots import curves, figure

events = [0, 0, 1, 0, 0, 0, -1, 0, 0, 0]
tokens = [".", ".", "open", ".", ".", ".", "close", ".", ".", "."]
marks = torch.tensor(events, dtype=torch.float64)[:, None]


def one(value):
    return torch.tensor([[value]], dtype=torch.float64)


lines = {
    f"W = {w}": recur(marks, one(w), one(5.0), torch.zeros(1, dtype=torch.float64))[
        :, 0
    ]
    for w in (3.0, 0.5)
}
fig, ax = figure(height=2.2)
curves(ax, lines)
ax.set_xticks(range(1, 11), tokens)
ax.set_ylabel("state h")
for name, line in lines.items():
    print(f"{name}: h is {line[5]:+.3f} at the third step after the mark opened")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** With $W = 3$ the state *latches*: $h = \tanh(3h)$ has a stable solution near $+1$ and one near $-1$.
# With $W = 0.5$ the only solution is $0$, and the state forgets.
# Remember this pair: holding a bit needs a state that pushes back when it is disturbed.

# %% [markdown] slideshow={"slide_type": "notes"}
# **The usual wrong answer** for $W = 0.5$ is "about a half": people halve once, and the unit halves at every step.
#
# **Ask the room:** which of the two would you rather *train*? Most say $W = 3$.
# It is the one that lets no gradient through, as the second half of this lecture measures. Leave it open here.
#
# **If time is short:** do $W = 3$ by head and let the figure tell the other one (saves 3 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Unrolled in time
#
# Draw the unit once for each step and the loop becomes a chain. The weights are the *same* at each step.
# Click the picture, then step with the arrow keys (`PageDown` on a remote). Press Enter to walk through the numbers.

# %% slideshow={"slide_type": "subslide"} jupyter={"source_hidden": true}
from seqlib.trace import recording
from seqlib.widgets import RecurrentStepper

hand = Parameters(
    W=torch.tensor([[3.0, 0.0], [0.0, 0.5]]),
    U=torch.tensor([[5.0], [5.0]]),
    b=torch.zeros(2),
    V=torch.tensor([[4.0, 0.0], [-4.0, 0.0]]),
    c=torch.zeros(2),
)
from seqlib.nn.recurrent import many_to_many

with recording() as latch:
    many_to_many(hand, marks.float()[None])
latch.labels.update(hand.labels())
RecurrentStepper(
    latch,
    tokens=tokens,
    title="A unit that latches (above) and one that forgets (below)",
    predict={
        5: {
            "question": "Three steps after the mark opened: which unit is above 0.9?",
            "choices": ["the upper", "the lower", "both", "neither"],
        }
    },
)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** how many weights does this picture have if the text is twice as long?
#
# **The usual wrong answer** is "twice as many", because the picture draws a unit for each step. It is one unit, drawn often.
#
# **If time is short:** step to the mark that opens, answer the question there, then press End; do not walk through the numbers (saves 4 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Deep, and in both directions
#
# The states of one layer can be the inputs of the next: a **deep** network.
# A second chain can read from the end to the beginning: a **bidirectional** one. It must have the whole text first.
#
# > **Predict.** Three layers, both directions, 4 units each: how many states does one character have?
# > How many numbers come out on top at each step?

# %% slideshow={"slide_type": "subslide"}
from seqlib.nn.recurrent import RNN

theirs = torch.nn.RNN(
    3, 4, num_layers=3, bidirectional=True, batch_first=True, dtype=torch.float64
)
ours = RNN.from_torch(theirs)
outputs, final = ours(x[None])
print(
    f"{len(final)} chains of states; {outputs.shape[-1]} numbers on top at each of the {outputs.shape[1]} steps"
)
print(
    f"ours and torch.nn.RNN differ by at most {(outputs - theirs(x[None])[0]).abs().max():.0e}"
)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** both numbers, the chains first.
#
# **The usual wrong answer** is 24 numbers on top: people multiply all that they heard. Only the last layer comes out, in two directions.
#
# **If time is short:** draw three boxes and two arrows on the board, and do not run this cell (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "subslide"}
# > **Predict.** We change the *last* of seven inputs. Which of the seven outputs move?

# %%
changed = x.clone()
changed[-1] += 1.0
moved = (ours(changed[None])[0] - outputs)[0].abs().amax(dim=-1) > 1e-12
print(
    "changing the last input moves the outputs of steps",
    [t + 1 for t in range(7) if moved[t]],
)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** hands up for "only the last", for "all", for something between.
#
# **The usual wrong answer** is "only the last", because we read from left to right, and forget that one chain does not.
# Follow up: so can you use such a network on speech while somebody is still speaking? No.
#
# **If time is short:** tell the answer and go on (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Four shapes of problems
#
# | goes in | comes out | for example |
# |---|---|---|
# | one | one | a picture and its class: no recurrence needed |
# | one | many | a picture and its caption |
# | many | one | a sentence and its mood |
# | many | many | a text and, at each character, the next |
#
# To read a state, weigh it and turn the scores into shares that sum to one: $y_t = \mathrm{softmax}(V h_t + c)$.

# %% slideshow={"slide_type": "subslide"}
from seqlib.nn.recurrent import many_to_one, one_to_many, one_to_one

batch = x[None]
for name, scores in {
    "one to one": one_to_one(net, batch[:, 0]),
    "one to many": one_to_many(net, batch[:, 0], steps=4),
    "many to one": many_to_one(net, batch),
    "many to many": many_to_many(net, batch),
}.items():
    print(f"{name:13s} scores of shape {tuple(scores.shape)}")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** which of the four shapes translates a sentence into another language?
#
# **The usual wrong answer** is "many to many, as in the table". There one score comes out for each character that goes in,
# and a translation is longer or shorter than what it translates. Many to one, then one to many, comes nearer.
#
# **If time is short:** leave out the code; the table is enough (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Who is to blame? A sum over time
#
# The loss $J$ says how bad the outputs were: $J = \sum_t L_t$ with $L_t = -\log y_t[\text{right answer}]$, in nats.
# $W$ was used at every step, so its gradient is a **sum over the steps**.
# Going back from the last step, each state collects blame from its own output and from the state after it:
#
# $$\frac{\partial J}{\partial h_t} = V^\top \frac{\partial J}{\partial o_t} + W^\top \frac{\partial J}{\partial a_{t+1}}
# \qquad \frac{\partial J}{\partial a_t} = (1 - h_t^2) \odot \frac{\partial J}{\partial h_t}
# \qquad \frac{\partial J}{\partial W} = \sum_t \frac{\partial J}{\partial a_t} h_{t-1}^\top$$
#
# where $a_t = W h_{t-1} + U x_t + b$ is the sum before tanh and $o_t = V h_t + c$ the scores.

# %% slideshow={"slide_type": "subslide"}
targets = torch.randint(2, (7,), generator=rng)
W = net.W.clone().requires_grad_()
states = recur(x, W, net.U, net.b)
scores = states @ net.V.T + net.c
torch.nn.functional.cross_entropy(scores, targets, reduction="sum").backward()

with torch.no_grad():
    blame_out = scores.softmax(-1) - torch.nn.functional.one_hot(targets, 2)
    before = torch.cat([torch.zeros(1, 5, dtype=torch.float64), states[:-1]])
    blame_h, pieces = torch.zeros(5, dtype=torch.float64), []
    for t in reversed(range(7)):
        blame_h = blame_h + blame_out[t] @ net.V
        blame_a = (1 - states[t] ** 2) * blame_h
        pieces.append(torch.outer(blame_a, before[t]))
        blame_h = blame_a @ W
print(
    f"our sum over time and autograd differ by at most {(sum(pieces) - W.grad).abs().max():.0e}"
)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** why is the first piece, of step 1, all zeros? Because $h_0 = 0$: a weight that multiplied nothing
# is not to blame.
#
# **The usual wrong answer:** "because the gradient has vanished". People know that word before they know the sum.
#
# **If time is short:** say the three equations in words and leave the code to be read at home (saves 5 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Back through time, step by step
#
# > **Predict.** Only the *last* output is scored here.
# > At which step is the gradient with respect to the state largest, and at which smallest?

# %% slideshow={"slide_type": "subslide"} jupyter={"source_hidden": true}
leaf = Parameters(*(tensor.clone().requires_grad_() for tensor in net))
with recording(backward=True) as there_and_back:
    last = many_to_many(leaf, batch)[0, -1]
    torch.nn.functional.cross_entropy(last[None], targets[-1:]).backward()
there_and_back.labels.update(net.labels())
RecurrentStepper(
    there_and_back,
    tokens=[f"x{t}" for t in range(1, 8)],
    title="Forward, then backward in time",
)

# %% slideshow={"slide_type": "subslide"}
back = there_and_back.gradients("h").flatten(1).norm(dim=1)
print("norm of the gradient at h_1 ... h_7:", "  ".join(f"{norm:.4f}" for norm in back))

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** point to the step with the largest gradient, then step back through it and see.
#
# **The usual wrong answer:** "the first, because all blame ends there". Blame is added up in $W$, not in a state:
# only the last output is scored here, so every step back can only pass on what came.
#
# **If time is short:** skip the stepper and read the seven norms (saves 4 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The chain of Jacobians
#
# How much does the last state $h_T$ move when an early state $h_k$ does? The chain rule multiplies one matrix a step:
#
# $$\frac{\partial h_T}{\partial h_k} = \prod_{t=k+1}^{T} \frac{\partial h_t}{\partial h_{t-1}}
# \qquad \frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2)\, W$$
#
# Such a matrix of derivatives is a **Jacobian**. Leave the tanh out and it is $W$ itself, so the product is a power.
# The size of the largest eigenvalue of $W$ is its **spectral radius** $\rho$.
#
# > **Predict.** A gradient goes back 60 steps with $\rho = 0.9$. Is what arrives nearer to 1/10, 1/100 or 1/1000?

# %% slideshow={"slide_type": "subslide"} jupyter={"source_hidden": true}
from seqlib.nn.recurrent import gradient_norms
from seqlib.plots import gradient_by_lag

noise = torch.randn(32, 32, generator=rng, dtype=torch.float64)
symmetric = noise + noise.T
symmetric /= torch.linalg.eigvalsh(symmetric).abs().max()
push = torch.randn(32, generator=rng, dtype=torch.float64)
norms = {}
for radius in (1.1, 1.0, 0.9):
    steps = (radius * symmetric).expand(100, 32, 32)
    norms[f"ρ = {radius}"] = gradient_norms(steps, push / push.norm()).flip(0)
fig, ax = figure(height=2.3)
gradient_by_lag(ax, norms)
for (name, line), radius in zip(norms.items(), (1.1, 1.0, 0.9), strict=True):
    slope = (line[100].log() - line[80].log()) / 20
    print(
        f"{name}: {line[60]:9.2e} after 60 steps; in the end the slope of its logarithm is {slope:+.4f}, log ρ = {math.log(radius):+.4f}"
    )

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** Gradients grow or shrink by the factor $\rho$ a step: they **explode** or they **vanish**,
# and only a $\rho$ of exactly one does neither.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** hands up for each of the three. Do not let anybody compute.
#
# **The usual wrong answer** is 1/10: 0.9 looks like "nearly all". But $0.9^{60}$ is about 0.002, and the push here
# does not lie along the slowest direction, so that even less arrives.
#
# **If time is short:** show the figure and not the product formula (saves 3 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## "Largest singular value above 1, so it explodes." Does it?
#
# A **singular value** says how much a matrix stretches *one* direction, once.
#
# > **Predict.** Every step multiplies by a matrix that stretches some direction five-fold.
# > Must the product of 30 of them grow?

# %% slideshow={"slide_type": "subslide"} jupyter={"source_hidden": true}
from seqlib.nn.recurrent import jacobian_products, singular_values, spectral_radius

shear = torch.tensor([[0.5, 4.9], [0.0, 0.5]], dtype=torch.float64)
products = jacobian_products(shear.expand(30, 2, 2))
print(
    f"one step stretches by up to {singular_values(shear)[0]:.2f}; its spectral radius is {spectral_radius(shear):.2f}"
)

from seqlib.nn.recurrent import step_jacobians

wide = 1.5 * torch.eye(2, dtype=torch.float64)
saturated = rnn(
    torch.zeros(1, 30, 1, dtype=torch.float64),
    wide,
    torch.zeros(2, 1, dtype=torch.float64),
    torch.zeros(2, dtype=torch.float64),
    torch.ones(1, 2, dtype=torch.float64),
)[0]
squeezed = jacobian_products(step_jacobians(saturated, wide))
fig, ax = figure(height=2.2)
gradient_by_lag(
    ax,
    {
        "a shear": singular_values(products)[:, 0],
        "W = 1.5, through tanh": singular_values(squeezed)[:, 0],
    },
)
ax.set_xlabel("steps multiplied")
ax.set_ylabel("largest stretch")
print(
    f"the shear stretches by {singular_values(products)[:, 0].max():.1f} at its best and by "
    f"{singular_values(products)[-1, 0]:.1e} in the end; through tanh, 1.5 becomes {singular_values(squeezed)[-1, 0]:.1e}"
)

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** All singular values below 1 is *enough* to vanish. One above 1 is *needed* to explode, and not enough:
# the stretched direction may not be the one that the next step stretches, and a saturated tanh multiplies by almost zero.
# Many slides and blog posts say it the wrong way round.

# %% [markdown] slideshow={"slide_type": "notes"}
# **The usual wrong answer:** "yes, by five to the power of 30". It takes for granted that each step stretches what the step before stretched.
#
# **Ask the room:** which of the two rescues is at work in our latch from before? The tanh: $W = 3$ and $h$ near one.
# That is the price of holding a bit safely: what pushes disturbances back pushes gradients back too.
#
# **If time is short:** leave out the shear and keep the tanh (saves 3 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Exploding: a cliff, and a rope
#
# An exploding gradient throws the weights far away in one step. **Clipping** shortens a gradient that is too long
# and keeps its direction: $g \leftarrow g \cdot \min(1, \theta / \lVert g \rVert)$.
# Below is what a run without the rope and one with it did, measured before the lecture.

# %%
import textwrap

from seqlib.claims import result
from seqlib.nn.recurrent import clip_by_norm

long = torch.tensor([30.0, 40.0], dtype=torch.float64)
(clipped,), norm = clip_by_norm([long], max_norm=1.0)
print(f"norm {norm:.0f} before; {clipped.round(decimals=3).tolist()} after")
print(textwrap.fill(str(result("clipping_converges")), 92))

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** a gradient of (30, 40) is clipped to length 1. What is it now?
#
# **The usual wrong answer** is (1, 1), because "clipping" sounds like cutting each number. It is (0.6, 0.8): same direction.
#
# **If time is short:** read the line with the norm, and of the measurement only "diverges" and "converges" (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Vanishing: nothing to clip
#
# No rope helps against a gradient that is not there. In the **adding problem** 200 random numbers go by, two of them
# are marked, and the answer is the sum of the two. Answering the mean every time costs the variance, $1/6$.
#
# > **Predict.** A tanh network trains on it. Where does its squared error end: 0, about 0.08, or about 0.17?

# %%
print(f"the variance of the answer is 1/6 = {1 / 6:.3f}")
print(textwrap.fill(str(result("rnn_forgets")), 92))

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** hands up for each of the three.
#
# **The usual wrong answer** is 0.08: "it learns at least a part". People expect training to be worth something always.
# At 10 steps the same network solves it, so nothing is wrong with the network but the distance.
#
# **If time is short:** do not cut this one; it is what the lecture is about. Say the number without the guess (saves 1 minute).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Why not remember everything?
#
# People say that a recurrent network "makes a Markov assumption": the next step depends on the present only.
# It does so in the *state* $h$, not in the *input* $x$: the state may carry something from any time ago.
# The other way is to keep all of it. What does that cost?
#
# > **Predict.** A state of 128 numbers against every state that ever was: how much larger is the second after our manual?

# %%
state_bytes = 128 * 4
print(
    f"a state of 128 numbers: {state_bytes} bytes, at the first character and at the last"
)
for t in (100, 10_000, len(manual)):
    print(f"all states after {t:7,d} characters: {t * state_bytes / 2**20:9.3f} MiB")

# %% [markdown] slideshow={"slide_type": "fragment"}
# **What we saw.** A memory that keeps everything grows with time, and finding something in it takes a search.
# A state has to choose what to keep. Half of this course is about the first way, half about making the second one cheap.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** a power of ten is enough.
#
# **The usual wrong answer** is about a thousand: people think of a page, and the manual has 400 000 characters.
#
# **If time is short:** this slide can go as a whole (saves 4 minutes); the lecture on attention asks the question again.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A network that reads the manual
#
# Now all of it together: characters in, 128 units, at each character the shares of the next one.
# Its price is counted in **bits per character**: $-\log_2$ of the share that it gave to the character that came.
#
# > **Predict.** Knowing nothing costs $\log_2$ of the number of characters. Knowing the character before it costs about half.
# > What will the network reach in half a minute of training?

# %% slideshow={"slide_type": "subslide"}
from dataclasses import replace

from seqlib.nn.recurrent import CharModel, sample
from seqlib.train import fit
from seqlib.train.recipes import characters

learn, test = corpus.split(corpus.encode(manual))
model = CharModel(symbols, hidden_size=128, generator=torch.Generator().manual_seed(0))
draws = corpus.batches(
    learn, batch=32, length=64, generator=torch.Generator().manual_seed(1)
)


def next_character_loss(network, inputs, following):
    return torch.nn.functional.cross_entropy(
        network(inputs)[0].flatten(0, 1), following.flatten()
    )


history = fit(
    model,
    next_character_loss,
    lambda _: next(draws),
    replace(characters(), steps=700),
    label="reading",
)

# %% slideshow={"slide_type": "subslide"}
with torch.no_grad():
    read = test[:8000]
    bits = next_character_loss(
        model, read[None, :-1], read[None, 1:]
    ).item() / math.log(2)
print(
    f"knowing nothing {math.log2(symbols):.2f}, knowing one character {corpus.bigram_bits(learn, test):.2f}, "
    f"the network {bits:.2f} bits a character, on text that it never read"
)

# %% [markdown] slideshow={"slide_type": "notes"}
# Start the cell that trains before you talk about bits: it reads while you speak.
#
# **Ask the room:** write down a number of bits.
#
# **The usual wrong answer** is about 1. People halve again because the last step halved, or have heard what a large model reaches.
#
# **If time is short:** run all cells before class and show the three numbers only (saves 4 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Let it write
#
# At **temperature** $\tau$ the scores are divided by $\tau$ before the softmax: colder is more careful, hotter more daring.

# %%
start = corpus.encode('the "')
for temperature in (0.3, 0.8, 1.2):
    draw = torch.Generator().manual_seed(4)
    text = corpus.decode(sample(model, start, 120, temperature, draw))
    print(f"--- temperature {temperature}\n{text}\n")

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** what will be wrong at temperature 0.3, where every word looks right?
#
# **The usual wrong answer:** "nothing, colder is better". It says the same thing again and again: careful is not the same as good.
#
# **If time is short:** read 0.3 and 1.2 aloud, one line each (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Did it find the bit?
#
# Back to the first question. Read text that the network never saw, and look in its 128 units for "inside a quotation".
# A **linear probe** is one weighted sum of the units, fitted on one half and tested on the other.

# %% jupyter={"source_hidden": true}
from seqlib.plots import ribbon

inside, flags = False, []
for character in corpus.decode(test[:16_000]):
    inside = (not inside if character == '"' else inside) and character != "\n"
    flags.append(1.0 if inside else -1.0)
truth = torch.tensor(flags)
with recording() as reading, torch.no_grad():
    model(test[None, :16_000])


def probe(features):
    share = (truth[:8000] > 0).double().mean()
    weight = torch.where(truth[:8000] > 0, 1 / share, 1 / (1 - share))[
        :, None
    ]  # both sides count alike
    scaled = features[:8000].double().T * weight[:, 0]
    ridge = torch.eye(features.shape[1], dtype=torch.float64)
    return features.double() @ torch.linalg.solve(
        scaled @ features[:8000].double() + ridge, scaled @ truth[:8000].double()
    )


units = torch.cat([reading["h"][:, 0], torch.ones(16_000, 1)], dim=1)
present = torch.nn.functional.one_hot(test[:16_000], symbols)
for name, guess in {
    "the character alone": probe(present),
    "the 128 units": probe(units),
}.items():
    hits = ((guess > 0) == (truth > 0))[8000:]
    right = [hits[truth[8000:] == side].double().mean() for side in (1, -1)]
    print(
        f"{name:20s} right on {right[0]:.0%} of the characters inside a quotation and on {right[1]:.0%} outside"
    )
where = int((truth[8000:] > 0).nonzero()[40]) + 8000 - 60
fig, ax = figure(height=1.5)
ribbon(
    ax,
    corpus.decode(test[where : where + 252]),
    guess[where : where + 252].clamp(-1, 1),
)

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** will one of the 128 units be "the quotation unit"?
#
# **The usual wrong answer** is yes, because one unit was enough in our latch. The probe needs a sum over all of them,
# and nothing in training asks the network to be tidy.
#
# **If time is short:** leave out the coloured text, keep the four shares (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Watch it read
#
# The same network, its 128 units, and a sentence that it never saw. Step to a quotation mark and look at what flips.

# %% slideshow={"slide_type": "subslide"} jupyter={"source_hidden": true}
line = 'the "else" clause of the "try" statement'
with recording() as one_line, torch.no_grad():
    model(corpus.encode(line)[None])
RecurrentStepper(one_line, tokens=list(line), title="128 units read a line")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **What we saw.** Nobody told the network about quotation marks. A state that has to predict the next character
# learns to carry what the next character depends on, as far back as its gradients reach.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** find a unit that changes at the first quotation mark and *stays* until the second.
#
# **The usual wrong answer** is any unit that jumps at the mark. Most jump at every character; a memory is what stays.
#
# **If time is short:** step through "else" only, and press End (saves 3 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## What breaks it
#
# - **Distance.** Blame shrinks by a factor at each step. Beyond some tens of steps nothing arrives that could teach.
# - **The state is one vector.** What is not kept when it goes by is gone.
# - **One step after another.** Step $t$ has to wait for step $t - 1$: a long text can't be read in parallel.
#
# The next lecture changes the first: units that decide, with *gates*, what to keep.
#
# **Now you:** the assignment `a1_recurrent` has you build a unit with a slower memory than these, and blame it by hand.

# %% [markdown] slideshow={"slide_type": "notes"}
# **Ask the room:** which of the three would a state of twice the size mend?
#
# **The usual wrong answer** is "all three", because larger is better. It helps the second only: the factor for each step
# stays, and so does the waiting.
#
# **If time is short:** read the three words in bold and give out the assignment (saves 2 minutes).

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Sources
#
# The recurrent unit: Elman 1990. Backpropagation through time: Werbos 1990.
# Vanishing gradients: Hochreiter 1991; Bengio, Simard and Frasconi 1994, who show that holding a bit safely
# makes them vanish. Clipping and the conditions on singular values: Pascanu, Mikolov and Bengio 2013.
# The symbols follow Goodfellow, Bengio and Courville 2016, chapter 10.
# The text is the reference of the Python language (`pydoc_data.topics`), © Python Software Foundation,
# read from the Python that runs this notebook.

# %% [markdown] slideshow={"slide_type": "notes"}
# Leave this on the screen while people pack.
#
# **Ask the room:** one sentence on paper: what does clipping *not* mend?
#
# **The usual wrong answer:** "vanishing gradients, a little". It shortens what is too long and can lengthen nothing.
#
# **If time is short:** this slide can go (saves 2 minutes).
