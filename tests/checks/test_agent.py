"""The agent answers every verb, in another process and in this one alike."""

import secrets
import socket
import subprocess
import sys

import pytest
import torch

from seqlib.checks.proxy import Handle, Student, StudentFault, local_student
from seqlib.checks.socket_transport import SocketTransport
from seqlib.checks.values import Trusted

STUDENT = """
import sys, torch
from seqlib.checks.agent import serve

class Cube(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size, dtype=torch.float64))
    def forward(self, x):
        return self.weight * x**3
    def twice(self, x, *, plus=0.0):
        return 2 * x + plus

def apply(function, x):
    return function(x)

def product(x, y, scale=2):
    return scale * x * y, x.sum()

def draw(generator):
    return torch.rand(3, generator=generator)
"""


@pytest.fixture(params=["here", "elsewhere"])
def student(request, tmp_path):
    """The same student in this process and in another one."""
    if request.param == "here":
        namespace = {}
        exec(STUDENT, namespace)
        yield local_student(namespace)
        return
    path, nonce = tmp_path / "s", secrets.token_hex(8)
    program = f"{STUDENT}\nserve({str(path)!r}, {nonce!r}, globals()).join()"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(100)
        process = subprocess.Popen([sys.executable, "-c", program])
        link, _ = listener.accept()
    with link:
        yield Student(SocketTransport(link, nonce))
    assert process.wait(timeout=30) == 0


def test_every_verb(student):
    """Functions, objects, methods, parameters, gradients: one answer each, the same in both processes."""
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    y = torch.tensor([3.0, 5.0], dtype=torch.float64)

    product, total = student.product(x, y, scale=3)
    assert (product.tolist(), total.item()) == ([9.0, 30.0], 3.0)

    cube = student.construct("Cube", 2)
    assert isinstance(cube, Handle)
    student.set_parameters(cube, {"weight": y})
    assert torch.equal(student.parameters(cube)["weight"], y)
    assert student.method(cube, "forward", x).tolist() == [3.0, 40.0]
    assert student.method(cube, "twice", x, plus=1.0).tolist() == [3.0, 5.0]
    assert student.apply(cube, x).tolist() == [3.0, 40.0]

    one = torch.ones(2, dtype=torch.float64)
    zero = torch.zeros((), dtype=torch.float64)
    dx, dy = student.vjp("product", (x, y), (one, zero))
    assert (dx.tolist(), dy.tolist()) == ([6.0, 10.0], [2.0, 4.0])
    assert student.vjp(cube, (x,), one)[0].tolist() == [9.0, 60.0]

    assert torch.equal(student.apply(Trusted("tanh"), x), x.tanh())
    generator = torch.Generator().manual_seed(1)
    state = generator.get_state()
    assert torch.equal(student.draw(generator), torch.rand(3, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(generator.get_state(), state)


def test_faults_have_the_same_words(student):
    """A missing name, wrong parameters and a wrong call are told the same way in both processes."""
    cube = student.construct("Cube", 2)
    told = []
    wrong = (
        lambda: student.no_such(1),
        lambda: student.product(1),
        lambda: student.set_parameters(cube, {"bias": torch.ones(2)}),
        lambda: student.set_parameters(cube, {"weight": torch.ones(3)}),
        lambda: student.method(cube, "no_such"),
        lambda: student.construct("no_such"),
        lambda: student.call("torch"),
    )
    for attempt in wrong:
        with pytest.raises(StudentFault) as fault:
            attempt()
        told.append((fault.value.kind, fault.value.error, fault.value.what.split("\n")[0]))

    assert told == [
        ("missing", "", "no_such is not defined."),
        ("exception", "TypeError", "product() missing 1 required positional argument: 'y'"),
        ("exception", "KeyError", "\"there is no parameter bias; there are ['weight']\""),
        ("exception", "ValueError", "parameter weight has shape [2], not [3]"),
        ("exception", "AttributeError", "'Cube' object has no attribute 'no_such'"),
        ("missing", "", "no_such is not defined."),
        ("wrong_type", "", "torch is no function, its type is module."),
    ]


def test_calls_are_counted_outside(student):
    """How often a function was called is counted by the check's side."""
    for _ in range(3):
        student.apply(Trusted("identity"), 1.0)

    assert student.calls == {"apply": 3}
