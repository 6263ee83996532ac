"""Checks of the toy assignment."""

import torch

from seqlib.checks.registry import check, inputs, mistake


def double(x):
    """Twice x."""
    return 2 * x


def running(x):
    """Partial sums."""
    return torch.cumsum(x, dim=0)


def mean(x):
    """Mean over time."""
    return x.mean(dim=0)


REFERENCE = {"double": double, "running": running, "mean": mean}


@mistake("You add 2 where the task multiplies by 2.", replaces="double")
def adds_two(x):
    """Adds."""
    return x + 2


@mistake("Each step forgets the sum before it: carry the total from step to step.", replaces="running")
def forgets(x):
    """Returns its input."""
    return x.clone()


@inputs
def series(case):
    """A few steps."""
    return case.randn(case.randint(3, 6))


@check(points=20, mistakes=[adds_two], uses=["double"])
def doubling(student, case):
    """Twice the input."""
    x = case.series()
    case.close(student.double(x), lambda: REFERENCE["double"](x), what="double(x)")


@check(points=50, mistakes=[forgets], uses=["running"], limit_s=3)
def running_sum(student, case):
    """All partial sums."""
    x = case.series()
    case.close(student.running(x), lambda: REFERENCE["running"](x), what="running(x)")


@check(points=30, uses=["mean"], limit_s=3)
def time_mean(student, case):
    """The mean over time."""
    x = case.series()
    case.close(student.mean(x), lambda: REFERENCE["mean"](x), what="mean(x)")
