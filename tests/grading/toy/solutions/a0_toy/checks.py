"""Checks of the toy."""

import torch

from seqlib.checks.registry import check, inputs, mistake

SIZES = (2, 3)
UNUSED_PRIVATE_TABLE = {"secret": 1}


@inputs
def running_total_inputs(case):
    return case.randn(*SIZES, 4)


@inputs
def leak_inputs(case):
    return case.randn(*SIZES), case.randn(*SIZES), 0.25


def reference_running_total(x):
    return torch.cumsum(x, dim=x.dim() - 1)


def reference_leak(x, h, alpha):
    return torch.lerp(h, x.tanh(), weight=alpha)


@mistake("The totals run along the first axis; they run along the last.", replaces="running_total")
def first_axis(x):
    return torch.cumsum(x, dim=0 * x.dim())


@mistake("Each total leaves out its own entry.", replaces="running_total")
def without_itself(x):
    return torch.cumsum(x, dim=x.dim() - 1) - x


@mistake("alpha weighs the old state; it weighs the new one.", replaces="leak")
def swapped(x, h, alpha):
    return torch.lerp(x.tanh(), h, weight=alpha)


@mistake("x is not squashed by tanh.", replaces="leak")
def no_tanh(x, h, alpha):
    return torch.lerp(h, x * 1.0, weight=alpha)


@check(points=40, mistakes=[first_axis, without_itself], uses=["running_total"])
def running_total(student, case):
    """Each entry is the sum of all entries up to it."""
    x = case.running_total_inputs()
    case.close(student.running_total(x), lambda: reference_running_total(x), what="totals")


@check(points=60, mistakes=[swapped, no_tanh], uses=["leak"])
def leak(student, case):
    """The new state lies between the old one and tanh(x)."""
    x, h, alpha = case.leak_inputs()
    new = student.leak(x, h, alpha)
    case.require(_is_finite(new), "the new state has an entry that is not finite.")
    case.close(new, lambda: reference_leak(x, h, alpha), what="the new state")


def _is_finite(value):
    return bool(torch.isfinite(value).all())


REFERENCE = {"running_total": reference_running_total, "leak": reference_leak}
