"""Checks of the assignment that the attacks are aimed at: one of each kind of value that passes the wire."""

import torch

from seqlib.checks.registry import check, inputs, mistake

CANARY = "@REFERENCE@"  # a run puts a fresh word here, and nobody may ever read it


def scale(x):
    """Three times x, less one."""
    return 3 * x - 1


def running(x):
    """Partial sums."""
    return torch.cumsum(x, dim=0)


def softmax(x):
    """Shares that add up to one."""
    return torch.softmax(x, dim=-1)


def distinct(tokens):
    """How many different tokens there are."""
    return len(set(tokens))


def spell(word):
    """The word from its end."""
    return word[::-1]


class Tank(torch.nn.Module):
    """A level that follows its input."""

    def __init__(self, size):
        super().__init__()
        self.rate = torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))
        self.level = torch.zeros(size, dtype=torch.float64)

    def step(self, x):
        """The level after x."""
        self.level = torch.lerp(self.level, x, self.rate.detach())
        return self.level


REFERENCE = {one.__name__: one for one in (scale, running, softmax, distinct, spell, Tank)}


@mistake("Each step forgets the sum before it.", replaces="running")
def forgets(x):
    """Returns its input."""
    return x.clone()


@inputs
def series(case):
    """Some numbers."""
    return case.randn(case.randint(4, 6))


@inputs
def word(case):
    """A word that nobody can guess."""
    return "w" + "".join(str(case.randint(0, 9)) for _ in range(18))


@check(points=20, uses=["scale"], limit_s=3)
def scaling(student, case):
    """Three times the input, less one."""
    x = case.series()
    case.close(student.scale(x), lambda: REFERENCE["scale"](x), what="scale(x)")


@check(points=20, mistakes=[forgets], uses=["running"], limit_s=3)
def running_sum(student, case):
    """All partial sums."""
    x = case.series()
    case.close(student.running(x), lambda: REFERENCE["running"](x), what="running(x)")


@check(points=20, uses=["softmax"], limit_s=3)
def shares(student, case):
    """Shares that add up to one."""
    x = case.randn(case.randint(2, 4), case.randint(3, 5))
    case.close(student.softmax(x), lambda: REFERENCE["softmax"](x), what="softmax(x)")


@check(points=15, uses=["distinct"], limit_s=3)
def counting(student, case):
    """How many different tokens there are."""
    tokens = case.tokens(7, 12).tolist()
    case.equal(student.distinct(tokens), lambda: REFERENCE["distinct"](tokens), what="distinct(tokens)")


@check(points=10, uses=["spell"], limit_s=3)
def spelling(student, case):
    """The word from its end."""
    word = case.word()
    case.equal(student.spell(word), lambda: REFERENCE["spell"](word), what="spell(word)")


@check(points=15, uses=["Tank"], limit_s=3)
def filling(student, case):
    """A tank goes a share of the way in each step."""
    rate, level = case.uniform(0.1, 0.9, 1), torch.zeros(1, dtype=torch.float64)
    tank = student.construct("Tank", 1)
    student.set_parameters(tank, {"rate": rate})
    for _ in range(3):
        x = case.randn(1)
        level = level + rate * (x - level)
        case.close(student.method(tank, "step", x), lambda level=level: level, what="step(x)")
