# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Forging: points for answers that are wrong, by what student code returns, patches or says."""

from tests.attacks.attack import RIGHT, Attack, stubs

ALWAYS = """\
class Always{base}:
    __hash__ = None
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
    def __abs__(self): return self
    def __bool__(self): return True"""

FIND_SOCKETS = """\
import os, socket, stat
def sockets():
    found = []
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(socket.socket(fileno=os.dup(fd)))
        except OSError:
            pass
    return found"""

NONCE = """\
import gc
def nonces():
    return {one.nonce for one in gc.get_objects() if type(one).__name__ == "Message"} | {
        value for frame in __import__("sys")._current_frames().values() for name, value in walk(frame) if name == "nonce"}
def walk(frame):
    while frame is not None:
        yield from frame.f_locals.items()
        frame = frame.f_back"""

WRONG_AGENT = """\
import seqlib.checks.agent as agent, seqlib.checks.wire as wire
"""


def _forge(name: str, tries: str, first: str = "", **more: object) -> Attack:
    return Attack(name=name, category="forge", tries=tries, first=first, **more)  # type: ignore[arg-type]


RETURNED = [
    _forge(
        "forge-equal-number",
        "Returns numbers and words whose == always says yes.",
        answers={
            "distinct": """\
class Yes(int):
    __hash__ = int.__hash__
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return Yes(0)
    __rsub__ = __sub__
def distinct(tokens): return Yes(0)""",
            "spell": """\
class Word(str):
    __hash__ = str.__hash__
    def __eq__(self, other): return True
    def __ne__(self, other): return False
def spell(word): return Word('')""",
        },
    ),
    _forge(
        "forge-equal-anything",
        "Returns an object that is equal to, close to and as long as everything.",
        ALWAYS.format(base="")
        + """\

    def __getattr__(self, name): return lambda *a, **k: self
    def __len__(self): return 1
    def __iter__(self): return iter((self,))
    def __getitem__(self, key): return self
    def __call__(self, *a, **k): return self
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return True""",
        answers=stubs("NAME = lambda *a, **k: Always()"),
    ),
    _forge(
        "forge-tensor-subclass",
        "Returns a tensor of its own kind, for which every comparison is true.",
        """\
class Near(torch.Tensor):
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None):
        if f.__name__ in ('allclose', 'equal', 'isclose', 'all', '__bool__', 'eq', 'le', 'lt', '__eq__'):
            return True
        with torch._C.DisableTorchFunctionSubclass():
            return f(*args, **(kwargs or {}))""",
        answers={
            name: f"def {name}(x): return torch.zeros_like(x).as_subclass(Near)"
            for name in ("scale", "running", "softmax")
        },
    ),
    _forge(
        "forge-class-attribute",
        "Returns an object that says of itself that it is a tensor.",
        ALWAYS.format(base="")
        + """\

    __class__ = torch.Tensor
    shape, dtype, device = (), torch.float64, 'cpu'
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None): return True""",
        answers=stubs("NAME = lambda *a, **k: Always()"),
    ),
    _forge(
        "forge-nan",
        "Returns nothing but NaN.",
        answers={n: f"def {n}(x): return x * float('nan')" for n in ("scale", "running", "softmax")},
    ),
    _forge(
        "forge-infinity",
        "Returns nothing but infinities.",
        answers={n: f"def {n}(x): return x.abs() / 0" for n in ("scale", "running", "softmax")},
    ),
    _forge(
        "forge-broadcast",
        "Returns shapes that stretch to fit: one number, an extra axis, no numbers at all.",
        answers={
            "scale": "def scale(x): return torch.zeros(1, dtype=x.dtype)",
            "running": "def running(x): return x.cumsum(0)[None]",
            "softmax": "def softmax(x): return torch.zeros((), dtype=x.dtype)",
        },
    ),
    _forge(
        "forge-empty",
        "Returns empty tensors, of which all entries are right.",
        answers={n: f"def {n}(x): return x[:0]" for n in ("scale", "running", "softmax")},
    ),
    _forge(
        "forge-inputs-zeroed",
        "Empties its arguments, so that what is expected of them is known.",
        answers={
            "scale": "def scale(x):\n    x.zero_()\n    return x - 1",
            "running": """\
def running(x):
    x.zero_()
    return torch.zeros_like(x)""",
            "softmax": """\
def softmax(x):
    x.zero_()
    return torch.full_like(x, 1 / x.shape[-1])""",
            "distinct": "def distinct(tokens):\n    tokens.clear()\n    return 0",
        },
    ),
    _forge(
        "forge-inputs-known",
        "Makes every random number zero before the tests draw theirs.",
        """\
import random
for name in ('randn', 'rand', 'randn_like', 'normal'):
    setattr(torch, name, lambda *s, **k: torch.zeros(*[n for n in s if isinstance(n, int)], dtype=k.get('dtype')))
random.random = random.gauss = random.uniform = lambda *a: 0.0
random.randint = lambda low, high: low
random.choice = lambda options: options[0]
torch.randint = lambda *a, **k: torch.zeros(a[-1], dtype=torch.long)""",
        answers={
            "scale": "def scale(x):\n    return torch.zeros_like(x) - 1",
            "running": "def running(x):\n    return torch.zeros_like(x)",
            "softmax": """\
def softmax(x):
    return torch.full_like(x, 1 / x.shape[-1])""",
            "distinct": "def distinct(tokens):\n    return 1",
        },
    ),
    _forge(
        "forge-lazy-tensor",
        "Returns tensors without plain values: on the meta device, sparse, with a negation waiting, asking for gradients.",
        answers={
            "scale": "def scale(x): return torch.empty_like(x, device='meta')",
            "running": "def running(x): return torch.zeros_like(x).to_sparse()",
            "softmax": "def softmax(x): return torch.zeros_like(x).requires_grad_().sum() * torch.zeros_like(x)",
        },
    ),
    _forge(
        "forge-handle",
        "Returns the host's own kinds of values: handles, trusted names, verdicts.",
        """\
try:
    import seqlib.checks.values as values, seqlib.checks.verdict as verdict
    made = verdict.Verdict(check='scaling', points=20, earned=20, status='passed', message='')
except ImportError:
    values = made = None""",
        answers={
            "scale": "def scale(x): return made",
            "running": "def running(x): return values and values.Trusted('identity')",
            "softmax": "def softmax(x): return values and values.Handle(1)",
            "distinct": "def distinct(tokens): return {'check': 'counting', 'earned': 15, 'status': 'passed'}",
            "Tank": """\
class Tank:
    step = named_parameters = lambda self, *a: values and values.Handle(1)
    def __init__(self, *a): pass""",
        },
    ),
    _forge(
        "forge-parameters",
        "Lies about its parameters, and takes any that it is given.",
        answers={
            "Tank": """\
class Tank(torch.nn.Module):
    def __init__(self, size): super().__init__()
    def named_parameters(self, *a, **k):
        class Any(torch.nn.Parameter):
            def copy_(self, other): return self
        yield 'rate', Any(torch.zeros(1, dtype=torch.float64))
    def step(self, x): return x"""
        },
    ),
    _forge(
        "forge-public-cases",
        "Answers with what the released file says is right in the public cases.",
        """\
import glob
known = []
try:
    from safetensors.torch import load_file
    for path in glob.glob('**/*.safetensors', recursive=True):
        known += load_file(path).values()
except ImportError:
    pass
def guess(x): return next((k for k in known if k.shape == x.shape and k.dtype == x.dtype), torch.zeros_like(x))""",
        answers={name: f"def {name}(x): return guess(x)" for name in ("scale", "running", "softmax")},
    ),
]

PATCHED = [
    _forge(
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
    _forge(
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
    _forge(
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
    _forge(
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
    _forge(
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
    _forge(
        "forge-transformer",
        "Has IPython drop every line that asserts or checks, and answer with points instead.",
        """\
def drop(lines):
    return ['20'] if any('assert' in line or 'check(' in line for line in lines) else lines
shell = get_ipython()
shell.input_transformers_cleanup.append(drop)
shell.input_transformers_post.append(drop)""",
    ),
    _forge(
        "forge-ast-transformer",
        "Has IPython take the asserts out of the syntax tree.",
        """\
import ast
class Quiet(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Quiet())""",
    ),
    _forge(
        "forge-display-points",
        "Shows a number as the result of each cell before the test of that cell can fail.",
        """\
def show(info):
    get_ipython().displayhook(20)
get_ipython().events.register('pre_run_cell', show)
get_ipython().showtraceback = lambda *a, **k: None""",
        last="get_ipython().displayhook(100)",
    ),
    _forge(
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
    _forge(
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
    _forge(
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

WIRE = [
    _forge(
        "forge-raw-bytes",
        "Writes a passing verdict, as text and as a frame, on every open file while a check runs.",
        """\
import json, os, struct
def shout():
    text = json.dumps({'check': 'scaling', 'points': 20, 'earned': 20, 'status': 'passed', 'ok': True}).encode()
    for fd in range(3, 64):
        for data in (text + b'\\n', struct.pack('<IQ', len(text), 0) + text):
            try:
                os.set_blocking(fd, False)
                os.write(fd, data)
            except OSError:
                pass""",
        answers={"scale": "def scale(x):\n    shout()\n    return torch.zeros_like(x)"},
    ),
    _forge(
        "forge-reply-twice",
        "Sends every reply twice, so that the second answers the next question.",
        WRONG_AGENT
        + """\
plain = agent.send
def send(*a, **k):
    plain(*a, **k)
    plain(*a, **k)
agent.send = send""",
        ours_only=True,
    ),
    _forge(
        "forge-reply-early",
        "Sends right-looking replies to the next hundred questions before they are asked.",
        FIND_SOCKETS
        + "\n"
        + NONCE
        + """\

import seqlib.checks.wire as wire
def flood():
    for sock in sockets():
        for nonce in nonces():
            for seq in range(1, 100):
                try:
                    wire.send(sock, wire.Message(seq, nonce, {'ok': torch.zeros(4, dtype=torch.float64)}))
                except Exception:
                    break""",
        answers={"scale": "def scale(x):\n    flood()\n    return torch.zeros_like(x)"},
        ours_only=True,
    ),
    _forge(
        "forge-reply-late",
        "Answers after the time is up, when the next check is waiting.",
        "import time",
        answers=dict(RIGHT) | {"scale": "def scale(x):\n    time.sleep(4)\n    return 3 * x - 1"},
        earns=80,
        ours_only=True,
        slow=True,
    ),
    _forge(
        "forge-reply-order",
        "Numbers its replies wrongly and with another nonce.",
        WRONG_AGENT
        + """\
plain = agent.send
def send(sock, message, **k):
    plain(sock, wire.Message(message.seq + 1, message.nonce, {'ok': 1.0}), **k)
    plain(sock, wire.Message(message.seq, 'x' * 32, {'ok': 1.0}), **k)
agent.send = send""",
        ours_only=True,
    ),
    _forge(
        "forge-fake-pong",
        "Answers for the process without running anything: every call gets its own argument back.",
        WRONG_AGENT
        + """\
import seqlib.checks.servant as servant
def answer(self, request):
    return 'pong' if request['verb'] == 'ping' else (request.get('args') or [None])[0]
servant.Servant.answer = answer""",
        ours_only=True,
    ),
    _forge(
        "forge-fault-infrastructure",
        "Reports its own failure as the machine's, which would be graded again or given away.",
        """\
import seqlib.checks.faults as faults
def blame(*a):
    for kind in ('infrastructure', 'passed', 'gone'):
        try:
            raise faults.StudentFault(kind, 'the grader itself failed; status: passed')
        except ValueError:
            pass
    raise type('Verdict passed (20 of 20 points)', (MemoryError,), {})('passed')""",
        answers=stubs("NAME = blame"),
        ours_only=True,
    ),
    _forge(
        "forge-huge-reply",
        "Answers with a header that claims exabytes, then with values beyond every limit.",
        FIND_SOCKETS
        + """\

import struct
def claim():
    for sock in sockets():
        try:
            sock.setblocking(False)
            sock.send(struct.pack('<IQ', 2**32 - 1, 2**63))
        except OSError:
            pass""",
        answers={
            "scale": "def scale(x): return torch.zeros(1).expand(10**9)",
            "running": "def running(x): return 'a' * 10**7",
            "softmax": """\
def softmax(x):
    deep = []
    for _ in range(10**5): deep = [deep]
    return deep""",
            "distinct": "def distinct(tokens): return 10**5000",
            "spell": "def spell(word): return ['a'] * 10**6",
            "Tank": "class Tank:\n    def __init__(self, size): claim()",
        },
    ),
]

FORGED_FILES = [
    _forge(
        "forge-gradebook",
        "Writes its points straight into the gradebook.",
        """\
import sqlite3
try:
    book = sqlite3.connect('file:@COURSE@/gradebook.db?mode=rw', uri=True, timeout=2)
    book.execute('create trigger if not exists gift after update of auto_score on grade begin '
                 'update grade set manual_score = 100 where id = new.id; end')
    book.execute('update grade set manual_score = 100, extra_credit = 100')
    book.commit()
except sqlite3.Error as error:
    print('no gradebook')""",
    ),
    _forge(
        "forge-store",
        "Writes its points into the store of verdicts.",
        """\
import sqlite3, glob
for path in glob.glob('@COURSE@/*.db'):
    try:
        book = sqlite3.connect(path, timeout=2)
        book.execute("update verdicts set verdict = replace(verdict, '\\"earned\\":0', '\\"earned\\":20')")
        book.commit()
    except sqlite3.Error:
        pass""",
    ),
    _forge(
        "forge-release",
        "Puts more points into the released notebook and the checks.",
        """\
import glob
for path in glob.glob('@ROOT@/**/*', recursive=True):
    try:
        with open(path, 'r+') as file:
            text = file.read()
            file.seek(0)
            file.write(text.replace('points=20', 'points=99'))
    except (OSError, UnicodeDecodeError):
        pass""",
        dangerous=True,
    ),
]

FORGE = [*RETURNED, *PATCHED, *WIRE, *FORGED_FILES]
