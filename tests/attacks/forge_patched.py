"""Forging by patching what compares, shows or asks."""

from tests.attacks.forge_parts import forge_attack

PATCHED = [
    forge_attack(
        "forge-patched-torch",
        "Patches every comparison of torch, numpy and math.",
        """\
import math, unittest, numpy
torch.allclose = torch.equal = lambda *a, **k: True
torch.isclose = torch.eq = lambda a, b, *r, **k: torch.ones_like(torch.as_tensor(a), dtype=torch.bool)
torch.testing.assert_close = lambda *a, **k: None
math.isclose = lambda *a, **k: True
numpy.allclose = numpy.array_equal = lambda *a, **k: True
numpy.testing.assert_allclose = lambda *a, **k: None
torch.Tensor.allclose = torch.Tensor.equal = lambda *a, **k: True
abs = lambda x: 0""",
    ),
    forge_attack(
        "forge-patched-tensor",
        "Patches the operators of tensors themselves.",
        """\
torch.Tensor.__eq__ = torch.Tensor.__le__ = torch.Tensor.__lt__ = lambda a, b: torch.ones(1, dtype=torch.bool)
torch.Tensor.__ne__ = torch.Tensor.__gt__ = lambda a, b: torch.zeros(1, dtype=torch.bool)
torch.Tensor.__bool__ = lambda self: True
torch.Tensor.item = lambda self: 0.0
torch.Tensor.isfinite = lambda self: torch.ones(1, dtype=torch.bool)
torch.Tensor.all = lambda *a, **k: True""",
    ),
    forge_attack(
        "forge-patched-builtins",
        "Patches the built-in functions that tests are made of.",
        """\
import builtins
builtins.abs = lambda x: 0
builtins.all = lambda *a: True
builtins.any = lambda *a: True
builtins.max = lambda *a, **k: 0
AssertionError = builtins.AssertionError = type('Quiet', (BaseException,), {})""",
    ),
    forge_attack(
        "forge-patched-checks",
        "Patches our own checks in the student's process: the runner, the comparison, the values that pass.",
        """\
try:
    import seqlib.checks as c, seqlib.checks.runner, seqlib.checks.compare, seqlib.checks.values
    import seqlib.checks.verdict, seqlib.checks.case, dataclasses
    c.compare.mismatch = c.case.mismatch = lambda *a, **k: None
    c.case.Case.close = c.case.Case.equal = c.case.Case.require = lambda *a, **k: None
    c.runner._verdict = lambda check, *a: c.verdict.Verdict(check=check.name, points=check.points,
        earned=check.points, status='passed', message='')
except ImportError:
    pass""",
        ours_only=True,
    ),
    forge_attack(
        "forge-own-check",
        "Gives the name `check` another meaning, before and after the answers.",
        """\
class Passed:
    def __repr__(self): return 'scaling: Passed (20 of 20 points).'
check = lambda name, **k: Passed()
import builtins
builtins.check = check""",
        last="check = lambda name, **k: 100",
    ),
    forge_attack(
        "forge-transformer",
        "Has IPython drop every line that asserts or checks, and answer with points instead.",
        """\
def drop(lines):
    return ['20'] if any('assert' in line or 'check(' in line for line in lines) else lines
shell = get_ipython()
shell.input_transformers_cleanup.append(drop)
shell.input_transformers_post.append(drop)""",
    ),
    forge_attack(
        "forge-ast-transformer",
        "Has IPython take the asserts out of the syntax tree.",
        """\
import ast
class Quiet(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Quiet())""",
    ),
    forge_attack(
        "forge-display-points",
        "Shows a number as the result of each cell before the test of that cell can fail.",
        """\
def show(info):
    get_ipython().displayhook(20)
get_ipython().events.register('pre_run_cell', show)
get_ipython().showtraceback = lambda *a, **k: None""",
        last="get_ipython().displayhook(100)",
    ),
    forge_attack(
        "forge-run-cell",
        "Replaces the shell's own way of running a cell.",
        """\
shell = get_ipython()
plain = type(shell).run_cell_async
async def run(raw, *a, **k):
    if 'assert' in raw or 'check(' in raw:
        raw, k['transformed_cell'] = '20', '20'
    return await plain(shell, raw, *a, **k)
shell.run_cell_async = run""",
    ),
    forge_attack(
        "forge-settrace",
        "Jumps over the lines of a test with a trace function.",
        """\
import sys
def trace(frame, event, arg):
    def step(frame, event, arg):
        if event == 'line':
            try:
                frame.f_lineno = max(n for *_, n in frame.f_code.co_lines() if n)
            except (ValueError, TypeError):
                pass
        return step
    return step if frame.f_code.co_name in ('<module>', 'close', 'equal', '_attempt') else None
sys.settrace(trace)
import threading
threading.settrace(trace)""",
    ),
    forge_attack(
        "forge-reference-from-frames",
        "Looks for a reference in the callers' frames and in all modules, and lets that answer.",
        """\
import sys
def ask(name, *args):
    frame = sys._getframe(1)
    while frame is not None:
        for place in (frame.f_locals, frame.f_globals):
            found = place.get('REFERENCE') or {}
            if name in found: return found[name](*args)
            for key in ('expected', 'reference', 'want', f'reference_{name}', f'_{name}'):
                if key in place: return place[key](*args) if callable(place[key]) else place[key]
        frame = frame.f_back
    for module in list(sys.modules.values()):
        found = getattr(module, 'REFERENCE', None)
        if isinstance(found, dict) and name in found: return found[name](*args)
    return 0.0""",
        answers={
            name: f"def {name}(x): return ask({name!r}, x)"
            for name in ("scale", "running", "softmax", "distinct", "spell")
        },
    ),
]
