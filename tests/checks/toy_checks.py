"""A small suite with every kind of comparison, for the tests of the machinery."""

import torch

from seqlib.checks.registry import check, inputs, mistake


def scale(x, factor):
    return x * factor


def loss(x):
    return float((x**2).mean())


def split(x):
    return x[0], x[1:]


class Line(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        return self.weight * x


def train(x, y, steps):
    weight = (x * y).sum() / (x * x).sum() if steps > 0 else torch.zeros((), dtype=x.dtype)
    return {"w": weight.reshape(1)}


def named_parts(x):
    return {"second": x + 1, "first": x}


REFERENCE = {"scale": scale, "loss": loss, "split": split, "Line": Line, "train": train, "named_parts": named_parts}


@mistake("You add the factor; multiply by it.", replaces="scale")
def adds(x, factor):
    return x + factor


@mistake("You divide by the factor; multiply by it.", replaces="scale")
def divides(x, factor):
    return x / factor


@mistake("You divide by the factor twice and multiply once.", replaces="scale")
def divides_twin(x, factor):
    return x * factor / factor / factor


@mistake("You sum; take the mean.", replaces="loss")
def sums(x):
    return float((x**2).sum())


@mistake("The weights do not change the result.", replaces="Line")
class Ignores(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        return x


@mistake("The sign is lost.", replaces="scale")
def unsigned(x, factor):
    return (x * factor).abs()


@inputs
def scale_inputs(case):
    return case.randn(case.randint(2, 4), 3), case.uniform(1.5, 2.5).item()


@check(points=10, mistakes=[adds, divides], uses=["scale"])
def scaling(student, case):
    """Multiplies by the factor."""
    x, factor = case.scale_inputs()
    case.close(student.scale(x, factor), lambda: scale(x, factor), what="scale(x, factor)")


@check(points=5, mistakes=[adds, divides, divides_twin], uses=["scale"])
def ambiguous(student, case):
    """Two of its mistakes give the same values."""
    x, factor = case.scale_inputs()
    case.close(student.scale(x, factor), lambda: scale(x, factor))


@check(points=10, mistakes=[sums], uses=["loss"])
def mean_square(student, case):
    """The mean of the squares, as a float."""
    x = case.randn(4)
    case.close(student.loss(x), lambda: loss(x), what="loss(x)")
    slope = case.slope(student.loss, x, torch.ones_like(x))
    case.close(slope, lambda: float((2 * x / 4).sum()), rtol=1e-5, what="the slope of loss")


@check(points=10, uses=["split"])
def splitting(student, case):
    """The head and the tail."""
    x = case.randn(4)
    case.close(student.split(x), lambda: split(x), what="split(x)")


@check(points=10, mistakes=[Ignores], uses=["Line"])
def line(student, case):
    """A module whose weights are set from outside."""
    x, weight = case.randn(3), case.randn(3)
    module = student.construct("Line", 3)
    student.set_parameters(module, {"weight": weight})
    case.equal(student.parameters(module), lambda: {"weight": weight}, what="parameters")
    case.close(student.method(module, "forward", x), lambda: weight * x, what="forward(x)")


@check(points=5, mistakes=[unsigned], uses=["scale"])
def odd(student, case):
    """Scaling -x gives the negative of scaling x."""
    x, factor = case.scale_inputs()
    up, down = student.scale(x, factor), student.scale(-x, factor)
    case.require(torch.equal(up, -down), "scale(-x) is not -scale(x).", seen=(up, down))


@check(points=5, uses=["named_parts"])
def parts(student, case):
    """Two parts by name, in no order."""
    x = case.randn(2)
    case.close(student.named_parts(x), lambda: named_parts(x), what="named_parts(x)")


@check(points=45, slow=True, cases=1, uses=["train"])
def training(student, case):
    """The trained weight follows the secret line."""
    factor = case.uniform(-2, 2)
    x = case.randn(20)
    weights = case.weights(student.train(x, factor * x, 1 if case.smoke else 100), {"w": (1,)})
    case.require(bool((weights["w"] - factor).abs() < 1e-6), "the weight is off.")
