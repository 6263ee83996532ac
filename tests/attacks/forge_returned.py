# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""Forging by what the functions return."""

from tests.attacks.attack import stubs
from tests.attacks.forge_parts import ALWAYS, forge_attack

RETURNED = [
    forge_attack(
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
    forge_attack(
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
    forge_attack(
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
    forge_attack(
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
    forge_attack(
        "forge-nan",
        "Returns nothing but NaN.",
        answers={n: f"def {n}(x): return x * float('nan')" for n in ("scale", "running", "softmax")},
    ),
    forge_attack(
        "forge-infinity",
        "Returns nothing but infinities.",
        answers={n: f"def {n}(x): return x.abs() / 0" for n in ("scale", "running", "softmax")},
    ),
    forge_attack(
        "forge-broadcast",
        "Returns shapes that stretch to fit: one number, an extra axis, no numbers at all.",
        answers={
            "scale": "def scale(x): return torch.zeros(1, dtype=x.dtype)",
            "running": "def running(x): return x.cumsum(0)[None]",
            "softmax": "def softmax(x): return torch.zeros((), dtype=x.dtype)",
        },
    ),
    forge_attack(
        "forge-empty",
        "Returns empty tensors, of which all entries are right.",
        answers={n: f"def {n}(x): return x[:0]" for n in ("scale", "running", "softmax")},
    ),
    forge_attack(
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
    forge_attack(
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
    forge_attack(
        "forge-lazy-tensor",
        "Returns tensors without plain values: on the meta device, sparse, with a negation waiting, asking for gradients.",
        answers={
            "scale": "def scale(x): return torch.empty_like(x, device='meta')",
            "running": "def running(x): return torch.zeros_like(x).to_sparse()",
            "softmax": "def softmax(x): return torch.zeros_like(x).requires_grad_().sum() * torch.zeros_like(x)",
        },
    ),
    forge_attack(
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
    forge_attack(
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
    forge_attack(
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
