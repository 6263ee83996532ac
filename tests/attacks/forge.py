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

WRONG_AGENT = "import seqlib.checks.agent as agent, seqlib.checks.wire as wire\n"


def _forge(name: str, tries: str, first: str = "", **more: object) -> Attack:
    return Attack(name=name, category="forge", tries=tries, first=first, **more)  # type: ignore[arg-type]


RETURNED = [
    _forge(
        "forge-equal-number",
        "Returns numbers and words whose == always says yes.",
        answers={
            "distinct": "class Yes(int):\n    __hash__ = int.__hash__\n    def __eq__(self, other): return True\n"
            "    def __ne__(self, other): return False\n    def __sub__(self, other): return Yes(0)\n"
            "    __rsub__ = __sub__\ndef distinct(tokens): return Yes(0)",
            "spell": "class Word(str):\n    __hash__ = str.__hash__\n    def __eq__(self, other): return True\n"
            "    def __ne__(self, other): return False\ndef spell(word): return Word('')",
        },
    ),
    _forge(
        "forge-equal-anything",
        "Returns an object that is equal to, close to and as long as everything.",
        ALWAYS.format(base="") + "\n    def __getattr__(self, name): return lambda *a, **k: self\n"
        "    def __len__(self): return 1\n    def __iter__(self): return iter((self,))\n"
        "    def __getitem__(self, key): return self\n    def __call__(self, *a, **k): return self\n"
        "    @classmethod\n    def __torch_function__(cls, function, types, args=(), kwargs=None): return True",
        answers=stubs("NAME = lambda *a, **k: Always()"),
    ),
    _forge(
        "forge-tensor-subclass",
        "Returns a tensor of its own kind, for which every comparison is true.",
        "class Near(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None):\n"
        "        if f.__name__ in ('allclose', 'equal', 'isclose', 'all', '__bool__', 'eq', 'le', 'lt', '__eq__'):\n"
        "            return True\n        with torch._C.DisableTorchFunctionSubclass():\n"
        "            return f(*args, **(kwargs or {}))",
        answers={
            name: f"def {name}(x): return torch.zeros_like(x).as_subclass(Near)"
            for name in ("scale", "running", "softmax")
        },
    ),
    _forge(
        "forge-class-attribute",
        "Returns an object that says of itself that it is a tensor.",
        ALWAYS.format(base="") + "\n    __class__ = torch.Tensor\n    shape, dtype, device = (), torch.float64, 'cpu'\n"
        "    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None): return True",
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
            "running": "def running(x):\n    x.zero_()\n    return torch.zeros_like(x)",
            "softmax": "def softmax(x):\n    x.zero_()\n    return torch.full_like(x, 1 / x.shape[-1])",
            "distinct": "def distinct(tokens):\n    tokens.clear()\n    return 0",
        },
    ),
    _forge(
        "forge-inputs-known",
        "Makes every random number zero before the tests draw theirs.",
        "import random\nfor name in ('randn', 'rand', 'randn_like', 'normal'):\n"
        "    setattr(torch, name, lambda *s, **k: torch.zeros(*[n for n in s if isinstance(n, int)], dtype=k.get('dtype')))\n"
        "random.random = random.gauss = random.uniform = lambda *a: 0.0\nrandom.randint = lambda low, high: low\n"
        "random.choice = lambda options: options[0]\ntorch.randint = lambda *a, **k: torch.zeros(a[-1], dtype=torch.long)",
        answers={
            "scale": "def scale(x):\n    return torch.zeros_like(x) - 1",
            "running": "def running(x):\n    return torch.zeros_like(x)",
            "softmax": "def softmax(x):\n    return torch.full_like(x, 1 / x.shape[-1])",
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
        "try:\n    import seqlib.checks.values as values, seqlib.checks.verdict as verdict\n"
        "    made = verdict.Verdict(check='scaling', points=20, earned=20, status='passed', message='')\n"
        "except ImportError:\n    values = made = None",
        answers={
            "scale": "def scale(x): return made",
            "running": "def running(x): return values and values.Trusted('identity')",
            "softmax": "def softmax(x): return values and values.Handle(1)",
            "distinct": "def distinct(tokens): return {'check': 'counting', 'earned': 15, 'status': 'passed'}",
            "Tank": "class Tank:\n    step = named_parameters = lambda self, *a: values and values.Handle(1)\n"
            "    def __init__(self, *a): pass",
        },
    ),
    _forge(
        "forge-parameters",
        "Lies about its parameters, and takes any that it is given.",
        answers={
            "Tank": "class Tank(torch.nn.Module):\n    def __init__(self, size): super().__init__()\n"
            "    def named_parameters(self, *a, **k):\n        class Any(torch.nn.Parameter):\n"
            "            def copy_(self, other): return self\n        yield 'rate', Any(torch.zeros(1, dtype=torch.float64))\n"
            "    def step(self, x): return x"
        },
    ),
    _forge(
        "forge-public-cases",
        "Answers with what the released file says is right in the public cases.",
        "import glob\nknown = []\ntry:\n    from safetensors.torch import load_file\n"
        "    for path in glob.glob('**/*.safetensors', recursive=True):\n        known += load_file(path).values()\n"
        "except ImportError:\n    pass\n"
        "def guess(x): return next((k for k in known if k.shape == x.shape and k.dtype == x.dtype), torch.zeros_like(x))",
        answers={name: f"def {name}(x): return guess(x)" for name in ("scale", "running", "softmax")},
    ),
]

PATCHED = [
    _forge(
        "forge-patched-torch",
        "Patches every comparison of torch, numpy and math.",
        "import math, unittest, numpy\ntorch.allclose = torch.equal = lambda *a, **k: True\n"
        "torch.isclose = torch.eq = lambda a, b, *r, **k: torch.ones_like(torch.as_tensor(a), dtype=torch.bool)\n"
        "torch.testing.assert_close = lambda *a, **k: None\nmath.isclose = lambda *a, **k: True\n"
        "numpy.allclose = numpy.array_equal = lambda *a, **k: True\nnumpy.testing.assert_allclose = lambda *a, **k: None\n"
        "torch.Tensor.allclose = torch.Tensor.equal = lambda *a, **k: True\nabs = lambda x: 0",
    ),
    _forge(
        "forge-patched-tensor",
        "Patches the operators of tensors themselves.",
        "torch.Tensor.__eq__ = torch.Tensor.__le__ = torch.Tensor.__lt__ = lambda a, b: torch.ones(1, dtype=torch.bool)\n"
        "torch.Tensor.__ne__ = torch.Tensor.__gt__ = lambda a, b: torch.zeros(1, dtype=torch.bool)\n"
        "torch.Tensor.__bool__ = lambda self: True\ntorch.Tensor.item = lambda self: 0.0\n"
        "torch.Tensor.isfinite = lambda self: torch.ones(1, dtype=torch.bool)\ntorch.Tensor.all = lambda *a, **k: True",
    ),
    _forge(
        "forge-patched-builtins",
        "Patches the built-in functions that tests are made of.",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = lambda *a: True\nbuiltins.any = lambda *a: True\n"
        "builtins.max = lambda *a, **k: 0\nAssertionError = builtins.AssertionError = type('Quiet', (BaseException,), {})",
    ),
    _forge(
        "forge-patched-checks",
        "Patches our own checks in the student's process: the runner, the comparison, the values that pass.",
        "try:\n    import seqlib.checks as c, seqlib.checks.runner, seqlib.checks.compare, seqlib.checks.values\n"
        "    import seqlib.checks.verdict, seqlib.checks.case, dataclasses\n"
        "    c.compare.mismatch = c.case.mismatch = lambda *a, **k: None\n"
        "    c.case.Case.close = c.case.Case.equal = c.case.Case.require = lambda *a, **k: None\n"
        "    c.runner._verdict = lambda check, *a: c.verdict.Verdict(check=check.name, points=check.points,\n"
        "        earned=check.points, status='passed', message='')\nexcept ImportError:\n    pass",
        ours_only=True,
    ),
    _forge(
        "forge-own-check",
        "Gives the name `check` another meaning, before and after the answers.",
        "class Passed:\n    def __repr__(self): return 'scaling: Passed (20 of 20 points).'\n"
        "check = lambda name, **k: Passed()\nimport builtins\nbuiltins.check = check",
        last="check = lambda name, **k: 100",
    ),
    _forge(
        "forge-transformer",
        "Has IPython drop every line that asserts or checks, and answer with points instead.",
        "def drop(lines):\n    return ['20'] if any('assert' in line or 'check(' in line for line in lines) else lines\n"
        "shell = get_ipython()\nshell.input_transformers_cleanup.append(drop)\nshell.input_transformers_post.append(drop)",
    ),
    _forge(
        "forge-ast-transformer",
        "Has IPython take the asserts out of the syntax tree.",
        "import ast\nclass Quiet(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)\n"
        "get_ipython().ast_transformers.append(Quiet())",
    ),
    _forge(
        "forge-display-points",
        "Shows a number as the result of each cell before the test of that cell can fail.",
        "def show(info):\n    get_ipython().displayhook(20)\n"
        "get_ipython().events.register('pre_run_cell', show)\nget_ipython().showtraceback = lambda *a, **k: None",
        last="get_ipython().displayhook(100)",
    ),
    _forge(
        "forge-run-cell",
        "Replaces the shell's own way of running a cell.",
        "shell = get_ipython()\nplain = type(shell).run_cell_async\nasync def run(raw, *a, **k):\n"
        "    if 'assert' in raw or 'check(' in raw:\n        raw, k['transformed_cell'] = '20', '20'\n"
        "    return await plain(shell, raw, *a, **k)\nshell.run_cell_async = run",
    ),
    _forge(
        "forge-settrace",
        "Jumps over the lines of a test with a trace function.",
        "import sys\ndef trace(frame, event, arg):\n    def step(frame, event, arg):\n        if event == 'line':\n"
        "            try:\n                frame.f_lineno = max(n for *_, n in frame.f_code.co_lines() if n)\n"
        "            except (ValueError, TypeError):\n                pass\n        return step\n"
        "    return step if frame.f_code.co_name in ('<module>', 'close', 'equal', '_attempt') else None\n"
        "sys.settrace(trace)\nimport threading\nthreading.settrace(trace)",
    ),
    _forge(
        "forge-reference-from-frames",
        "Looks for a reference in the callers' frames and in all modules, and lets that answer.",
        "import sys\ndef ask(name, *args):\n    frame = sys._getframe(1)\n    while frame is not None:\n"
        "        for place in (frame.f_locals, frame.f_globals):\n"
        "            found = place.get('REFERENCE') or {}\n            if name in found: return found[name](*args)\n"
        "            for key in ('expected', 'reference', 'want', f'reference_{name}', f'_{name}'):\n"
        "                if key in place: return place[key](*args) if callable(place[key]) else place[key]\n"
        "        frame = frame.f_back\n    for module in list(sys.modules.values()):\n"
        "        found = getattr(module, 'REFERENCE', None)\n        if isinstance(found, dict) and name in found: return found[name](*args)\n"
        "    return 0.0",
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
        "import json, os, struct\ndef shout():\n"
        "    text = json.dumps({'check': 'scaling', 'points': 20, 'earned': 20, 'status': 'passed', 'ok': True}).encode()\n"
        "    for fd in range(3, 64):\n        for data in (text + b'\\n', struct.pack('<IQ', len(text), 0) + text):\n"
        "            try:\n                os.set_blocking(fd, False)\n                os.write(fd, data)\n"
        "            except OSError:\n                pass",
        answers={"scale": "def scale(x):\n    shout()\n    return torch.zeros_like(x)"},
    ),
    _forge(
        "forge-reply-twice",
        "Sends every reply twice, so that the second answers the next question.",
        WRONG_AGENT
        + "plain = agent.send\ndef send(*a, **k):\n    plain(*a, **k)\n    plain(*a, **k)\nagent.send = send",
        ours_only=True,
    ),
    _forge(
        "forge-reply-early",
        "Sends right-looking replies to the next hundred questions before they are asked.",
        FIND_SOCKETS + "\n" + NONCE + "\nimport seqlib.checks.wire as wire\ndef flood():\n    for sock in sockets():\n"
        "        for nonce in nonces():\n            for seq in range(1, 100):\n                try:\n"
        "                    wire.send(sock, wire.Message(seq, nonce, {'ok': torch.zeros(4, dtype=torch.float64)}))\n"
        "                except Exception:\n                    break",
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
        WRONG_AGENT + "plain = agent.send\ndef send(sock, message, **k):\n"
        "    plain(sock, wire.Message(message.seq + 1, message.nonce, {'ok': 1.0}), **k)\n"
        "    plain(sock, wire.Message(message.seq, 'x' * 32, {'ok': 1.0}), **k)\nagent.send = send",
        ours_only=True,
    ),
    _forge(
        "forge-fake-pong",
        "Answers for the process without running anything: every call gets its own argument back.",
        WRONG_AGENT + "import seqlib.checks.servant as servant\n"
        "def answer(self, request):\n    return 'pong' if request['verb'] == 'ping' else (request.get('args') or [None])[0]\n"
        "servant.Servant.answer = answer",
        ours_only=True,
    ),
    _forge(
        "forge-fault-infrastructure",
        "Reports its own failure as the machine's, which would be graded again or given away.",
        "import seqlib.checks.faults as faults\ndef blame(*a):\n    for kind in ('infrastructure', 'passed', 'gone'):\n"
        "        try:\n            raise faults.StudentFault(kind, 'the grader itself failed; status: passed')\n"
        "        except ValueError:\n            pass\n    raise type('Verdict passed (20 of 20 points)', (MemoryError,), {})('passed')",
        answers=stubs("NAME = blame"),
        ours_only=True,
    ),
    _forge(
        "forge-huge-reply",
        "Answers with a header that claims exabytes, then with values beyond every limit.",
        FIND_SOCKETS
        + "\nimport struct\ndef claim():\n    for sock in sockets():\n        try:\n            sock.setblocking(False)\n"
        "            sock.send(struct.pack('<IQ', 2**32 - 1, 2**63))\n        except OSError:\n            pass",
        answers={
            "scale": "def scale(x): return torch.zeros(1).expand(10**9)",
            "running": "def running(x): return 'a' * 10**7",
            "softmax": "def softmax(x):\n    deep = []\n    for _ in range(10**5): deep = [deep]\n    return deep",
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
        "import sqlite3\ntry:\n    book = sqlite3.connect('file:@COURSE@/gradebook.db?mode=rw', uri=True, timeout=2)\n"
        "    book.execute('create trigger if not exists gift after update of auto_score on grade begin '\n"
        "                 'update grade set manual_score = 100 where id = new.id; end')\n"
        "    book.execute('update grade set manual_score = 100, extra_credit = 100')\n    book.commit()\n"
        "except sqlite3.Error as error:\n    print('no gradebook')",
    ),
    _forge(
        "forge-store",
        "Writes its points into the store of verdicts.",
        "import sqlite3, glob\nfor path in glob.glob('@COURSE@/*.db'):\n    try:\n"
        "        book = sqlite3.connect(path, timeout=2)\n"
        '        book.execute("update verdicts set verdict = replace(verdict, \'\\"earned\\":0\', \'\\"earned\\":20\')")\n'
        "        book.commit()\n    except sqlite3.Error:\n        pass",
    ),
    _forge(
        "forge-release",
        "Puts more points into the released notebook and the checks.",
        "import glob\nfor path in glob.glob('@ROOT@/**/*', recursive=True):\n    try:\n"
        "        with open(path, 'r+') as file:\n            text = file.read()\n            file.seek(0)\n"
        "            file.write(text.replace('points=20', 'points=99'))\n    except (OSError, UnicodeDecodeError):\n        pass",
        dangerous=True,
    ),
]

FORGE = [*RETURNED, *PATCHED, *WIRE, *FORGED_FILES]
