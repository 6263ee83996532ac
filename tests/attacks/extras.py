# ruff: noqa: E501 - what is handed in is text, and its longest lines stay as they would be written
"""What people add to their notebooks, by what it is: cells of a kind and their text, none of which is meant badly."""

__all__ = ["EXTRAS"]


def _code(*texts: str) -> list[tuple[str, str]]:
    return [("code", text) for text in texts]


EXTRAS: dict[str, list[tuple[str, str]]] = {
    "nothing": [],
    "text": [("markdown", """\
## My notes

- $h_t$ is *state*

| a | b |
|---|---|
| 1 | 2 |"""), ("raw", "draft")],
    "warnings": _code("""\
import sys, warnings
warnings.warn('careful')
print('note', file=sys.stderr)"""),
    "warnings as errors": _code("import warnings\nwarnings.filterwarnings('error')"),
    "logging": _code("""\
import logging
logging.basicConfig(level=logging.DEBUG)
logging.getLogger().info('started')"""),
    "long output": _code("for i in range(20_000): print(i, 'spam ' * 10)"),
    "large value": _code("torch.randn(1000, 1000)", "list(range(100_000))"),
    "plot": _code("""\
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot(torch.randn(50).cumsum(0))
plt.title('walk')
plt.show()"""),
    "saved plot": _code("""\
import matplotlib.pyplot as plt
fig, axes = plt.subplots(2, 2)
axes[0, 0].imshow(torch.rand(8, 8))
fig.savefig('figure.png')"""),
    "time magics": _code("%%time\nsum(range(1000))", "%timeit -n 2 -r 2 sum(range(1000))", "%time sum(range(10))"),
    "shell": _code("!ls", "files = !ls -a\nprint(len(files))", "%%bash\necho $HOME\npwd", "!nvidia-smi"),
    "install": _code("!pip install --quiet torch numpy", "%pip --version"),
    "capture": _code("%%capture out\nprint('hidden')", "print(len(out.stdout))"),
    "write file": _code("%%writefile helper.py\ndef helper(x):\n    return x", "import helper\nhelper.helper(1)"),
    "autoreload": _code("%load_ext autoreload\n%autoreload 2"),
    "environment": _code("%env CUDA_VISIBLE_DEVICES=0", """\
import os
os.environ['TOKENIZERS_PARALLELISM'] = 'false'
%cd ."""),
    "help": _code("torch.cumsum?", "help(torch.cumsum)", "%who"),
    "threads": _code("""\
torch.set_num_threads(4)
torch.set_num_interop_threads(2) if torch.get_num_interop_threads() < 2 else None
(torch.randn(300, 300) @ torch.randn(300, 300)).sum()"""),
    "default dtype": _code("""\
torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=3, sci_mode=False)"""),
    "seeds": _code("""\
import random
import numpy as np
random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
torch.use_deterministic_algorithms(True)"""),
    "device": _code("""\
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
print('using', device)
torch.ones(3, device=device)"""),
    "no gradients": _code("torch.set_grad_enabled(False)"),
    "anomalies": _code("torch.autograd.set_detect_anomaly(True)"),
    "pool": _code("""\
import multiprocessing, operator
with multiprocessing.Pool(2) as pool:
    print(pool.map(operator.neg, range(8)))"""),
    "executor": _code("""\
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    print(list(pool.map(abs, range(-4, 0))))"""),
    "loader": _code("""\
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.randn(32, 2))
for (x,) in DataLoader(data, batch_size=8, num_workers=2): pass
print(x.shape)"""),
    "subprocess": _code("""\
import subprocess, sys
print(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True, text=True).stdout)"""),
    "progress": _code("""\
from tqdm.auto import tqdm, trange
for _ in tqdm(range(50)): pass
for _ in trange(10, desc='epoch'): pass"""),
    "plain progress": _code("""\
from tqdm import tqdm
import time
for _ in tqdm(range(20)): time.sleep(0.005)"""),
    "widgets": _code("""\
try:
    import ipywidgets
    display(ipywidgets.IntSlider())
except ImportError:
    pass"""),
    "display": _code("""\
from IPython.display import HTML, Markdown, clear_output, display
display(HTML('<b>bold</b>'), Markdown('**bold**'))
clear_output()
print('after')"""),
    "training": _code("""\
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(net.parameters())
for _ in range(20):
    with torch.enable_grad():
        loss = net(torch.randn(8, 2)).pow(2).mean()
        loss.backward()
    optimizer.step()
    optimizer.zero_grad()
loss.item()"""),
    "saving": _code("""\
import pathlib
pathlib.Path('data').mkdir(exist_ok=True)
torch.save({'w': torch.ones(3)}, 'data/model.pt')
torch.load('data/model.pt')"""),
    "own tests": _code("""\
x = torch.arange(4.0)
assert x.sum() == 6, 'sum'
print('all good')""", """\
import unittest
class T(unittest.TestCase):
    def test_a(self): self.assertEqual(1, 1)
unittest.main(argv=['x'], exit=False, verbosity=0)"""),
    "a broken cell": _code("undefined_name + 1", "1 / 0", "def broken(:\n    pass"),
    "an unfinished cell": _code("raise NotImplementedError", "import nothing_of_this_name", "..."),
    "globals": _code("""\
counter = 0
history = []
def count(step=1):
    global counter
    counter += step
    history.append(counter)
    return counter
count()""", "count(2)\nhistory"),
    "same names": _code("""\
x = torch.randn(3)
word = 'word'
tokens = [1, 2]
list_of = list
level = rate = 0.5""", "del x, word"),
    "shadowed built-ins": _code("sum = 3\nid = 'me'\ninput = torch.ones(2)\nmax_len = 5\ndel sum"),
    "classes": _code("""\
from dataclasses import dataclass, field
from typing import NamedTuple
from enum import Enum
@dataclass
class Config:
    size: int = 3
    names: list = field(default_factory=list)
class Pair(NamedTuple):
    a: int
    b: int
class Kind(Enum):
    A = 1
Config(), Pair(1, 2), Kind.A"""),
    "recursion": _code("""\
import sys
sys.setrecursionlimit(5000)
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
deep(2000)"""),
    "await": _code("import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')", """\
async def work(): return 1
await asyncio.gather(work(), work())"""),
    "background thread": _code("""\
import threading, time
def tick():
    for _ in range(3):
        time.sleep(0.05)
thread = threading.Thread(target=tick, daemon=True)
thread.start()"""),
    "cache": _code("""\
from functools import lru_cache
@lru_cache
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(200)"""),
    "public cases": _code("""\
try:
    print(check)
except Exception as error:
    print(error)"""),
    "reads its own files": _code("""\
import os
print(sorted(os.listdir()))
for name in os.listdir():
    if name.endswith('.json'): print(len(open(name).read()))"""),
    "asks for input": _code("""\
try:
    name = input('name? ')
except Exception as error:
    print(type(error).__name__)"""),
    "tries the network": _code("""\
import urllib.request
try:
    urllib.request.urlopen('http://127.0.0.1:9/', timeout=1)
except OSError as error:
    print('offline:', type(error).__name__)"""),
    "exits politely": _code("""\
import sys
try:
    sys.exit(0)
except SystemExit:
    print('stays')"""),
    "pdb and profile": _code("%prun -q sum(range(100))", "%pdb off", "%xmode Minimal", "%config InlineBackend.figure_format = 'retina'"),
    "unicode": _code("grüße = 'Grüße 你好 🙂'\nprint(grüße)\nα = 0.1\nα"),
    "annotations": _code("""\
from __future__ import annotations
def f(x: Undefined) -> list[int]: return [1]
f(1)"""),
    "memory": _code("""\
big = torch.zeros(20_000_000)
del big
import gc
gc.collect()"""),
    "signals": _code("""\
import signal
def on_alarm(*_): raise TimeoutError
signal.signal(signal.SIGALRM, on_alarm)
signal.alarm(50)
sum(range(1000))
signal.alarm(0)"""),
    "sleep": _code("""\
import time
start = time.time()
time.sleep(0.3)
print(f'{time.time() - start:.1f} s')"""),
    "temporary files": _code("""\
import tempfile
with tempfile.NamedTemporaryFile('w') as file:
    file.write('x')
with tempfile.TemporaryDirectory() as folder:
    print(len(folder) > 0)"""),
    "sqlite": _code("""\
import sqlite3
book = sqlite3.connect(':memory:')
book.execute('create table a (b)')
book.close()"""),
}  # fmt: skip
