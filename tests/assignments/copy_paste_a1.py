"""A student who fills in assignment 1 from the lecture, the students' seqlib and torch.nn, and thinks of no leak.

Generous to them: axes are turned round and lengths passed on, so that only what they did not understand is wrong.
`alpha` is never read.
"""

import torch

PAD = -1


def _steps(x, lengths, h0, W, U, b):
    from seqlib.nn.recurrent import rnn

    return rnn(x.transpose(0, 1), W, U, b, h0=h0, lengths=lengths).transpose(0, 1)


def embed(ids, E):
    return torch.nn.functional.embedding(ids, E, padding_idx=-1)


def character_loss(logits, targets):
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)


def leaky_step(x, h, W, U, b, alpha):
    from seqlib.nn.recurrent import rnn_step

    return rnn_step(x, h, W, U, b)


def leaky_run(x, lengths, h0, W, U, b, alpha):
    return _steps(x, lengths, h0, W, U, b)


def many_to_many(x, lengths, weights, alpha):
    W, U, b, V, c = weights
    return _steps(x, lengths, x.new_zeros(x.shape[1], len(b)), W, U, b) @ V.mT + c


def many_to_one(x, lengths, weights, alpha):
    W, U, b, V, c = weights
    states = _steps(x, lengths, x.new_zeros(x.shape[1], len(b)), W, U, b)
    return states[lengths - 1, torch.arange(x.shape[1])] @ V.mT + c


def one_to_many(x, steps, weights, alpha):
    inputs = torch.cat([x[None], x.new_zeros(steps - 1, *x.shape)])
    return many_to_many(inputs, torch.full((len(x),), steps), weights, alpha)


def one_to_one(x, weights, alpha):
    return one_to_many(x, 1, weights, alpha)[0]


def logit_gradient(logits, targets):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(character_loss(logits, targets), logits)[0]


def step_backward(dh, x, h, W, U, b, alpha):
    new = leaky_step(x, h, W, U, b, alpha)
    da = (1 - new**2) * dh
    return [da @ U, da @ W, da.mT @ h, da.mT @ x, da.sum(dim=0)]


def bptt(x, targets, lengths, weights, alpha):
    from seqlib.nn.recurrent.bptt import backward, forward
    from seqlib.nn.recurrent.parameters import Parameters

    parameters, inputs, wanted = Parameters(*weights), x.transpose(0, 1), targets.clamp(min=0).mT
    back = backward(parameters, inputs, wanted, forward(parameters, inputs, wanted))
    return [*back.total, back.inputs.transpose(0, 1)]


def clip_gradients(gradients, max_norm):
    leaves = [gradient.clone().requires_grad_() for gradient in gradients.values()]
    for leaf, gradient in zip(leaves, gradients.values(), strict=True):
        leaf.grad = gradient.clone()
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    return [dict(zip(gradients, [leaf.grad for leaf in leaves], strict=True)), norm]


def truncated_gradient(x, dh, k, W, U, b, alpha):
    leaf = x.clone().requires_grad_()
    h = torch.zeros_like(dh)
    for t in range(len(x)):
        h = leaky_step(leaf[t], h.detach() if t == len(x) - k else h, W, U, b, alpha)
    return torch.autograd.grad(h, leaf, dh)[0]


def step_jacobian(x, h, W, U, b, alpha):
    from seqlib.nn.recurrent import step_jacobians

    return step_jacobians(leaky_step(x[None], h[None], W, U, b, alpha), W)[0]


def jacobian_report(x, h0, W, U, b, alpha):
    from seqlib.nn.recurrent import jacobian_products, singular_values, step_jacobians

    states = leaky_run(x[:, None], torch.tensor([len(x)]), h0[None], W, U, b, alpha)[:, 0]
    values = singular_values(jacobian_products(step_jacobians(states, W))[0])
    return [values, values[0].log() / len(x)]


def growth_verdict(largest, smallest, factor):
    if largest.prod() <= 1 / factor:
        return -1
    return int(smallest.prod() >= factor)


def sharp_but_fading(size, alpha):
    W = 0.5 * torch.eye(size, dtype=torch.float64)
    W[0, 1] = 3.0
    return W


def sample_symbol(logits, temperature, u):
    if temperature == 0:
        return logits.argmax(dim=-1)
    return torch.multinomial((logits / temperature).softmax(dim=-1), 1)[:, 0]


def training_step(weights, velocity, x, targets, lengths, alpha, rate, momentum, max_norm):
    leaves = [weight.clone().requires_grad_() for weight in weights]
    optimiser = torch.optim.SGD(leaves, lr=rate, momentum=momentum)
    for leaf, old in zip(leaves, velocity, strict=True):
        optimiser.state[leaf]["momentum_buffer"] = old.clone()
    loss = character_loss(many_to_many(x, lengths, leaves, alpha), targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    optimiser.step()
    return [
        loss.detach(),
        [leaf.detach() for leaf in leaves],
        [optimiser.state[leaf]["momentum_buffer"] for leaf in leaves],
    ]


def train(ids, targets, alpha, levers, signals):
    network = torch.nn.RNN(levers, len(alpha)).double()
    readout = torch.nn.Linear(len(alpha), signals).double()
    optimiser = torch.optim.Adam([*network.parameters(), *readout.parameters()], lr=0.01)
    for batch, truth in zip(ids, targets, strict=True):
        x = torch.nn.functional.one_hot(batch.clamp(min=0), levers).double()
        optimiser.zero_grad()
        character_loss(readout(network(x)[0]), truth).backward()
        optimiser.step()
    W, U, b, b2 = (
        parameter.detach()
        for parameter in (network.weight_hh_l0, network.weight_ih_l0, network.bias_hh_l0, network.bias_ih_l0)
    )
    return {"W": W, "U": U, "b": b + b2, "V": readout.weight.detach(), "c": readout.bias.detach()}
