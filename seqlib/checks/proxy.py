"""The student as a check sees them: a few verbs over a transport that gives plain values or a fault."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from seqlib.checks.faults import StudentFault
from seqlib.checks.servant import Servant
from seqlib.checks.values import LIMITS, Handle, Limits, Value, normalise

__all__ = ["AbstractTransport", "Handle", "LocalTransport", "Student", "StudentFault", "local_student"]


class AbstractTransport(ABC):
    """A way to the student's side."""

    @abstractmethod
    def request(self, request: dict[str, Value]) -> Value:
        """Send one request and wait for its answer.

        Raises:
            StudentFault: No usable answer came.
        """

    @abstractmethod
    def allow(self, seconds: float | int) -> None:
        """Set the time that all following requests may take together."""


class LocalTransport(AbstractTransport):
    """The student's functions in this process; values are copied and normalised both ways.

    Args:
        namespace: The student's names.
    """

    def __init__(self, namespace: Mapping[str, Any], limits: Limits = LIMITS) -> None:
        self._servant = Servant(namespace, limits)
        self._limits = limits

    def request(self, request: dict[str, Value]) -> Value:
        return self._servant.answer(normalise(request, self._limits, arguments=True))

    def allow(self, seconds: float | int) -> None:
        """Without effect: in the student's own notebook, interrupting the kernel ends a loop."""


class Student:
    """The student's functions, by name.

    `student.rnn_step(x, h)` is short for `student.call("rnn_step", x, h)`.

    >>> student = Student(LocalTransport({"double": lambda x: 2 * x}))
    >>> student.double(21), student.calls["double"]
    (42, 1)
    """

    def __init__(self, transport: AbstractTransport) -> None:
        self._transport = transport
        self._constructed = False
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.call(name, *args, **kwargs)

    def call(self, name: str, /, *args: Value, **kwargs: Value) -> Value:
        """Call a function of the student's."""
        self.calls[name] += 1
        return self._transport.request({"verb": "call", "name": name, "args": args, "kwargs": kwargs})

    def construct(self, name: str, /, *args: Value, **kwargs: Value) -> Handle:
        """Construct an object on the student's side and return its handle."""
        self.calls[name] += 1
        self._constructed = True
        made = self._transport.request({"verb": "construct", "name": name, "args": args, "kwargs": kwargs})
        if not isinstance(made, Handle):
            raise StudentFault("protocol", "constructing an object gave no handle.")
        return made

    def method(self, handle: Handle, name: str, /, *args: Value, **kwargs: Value) -> Value:
        """Call a method of an object; `"__call__"` calls the object itself."""
        self.calls[name] += 1
        return self._transport.request(
            {"verb": "method", "name": name, "handle": handle, "args": args, "kwargs": kwargs}
        )

    def parameters(self, handle: Handle) -> dict[str, Tensor]:
        """Copies of the parameters of a module, by name."""
        found = self._transport.request({"verb": "parameters", "handle": handle})
        if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
            raise StudentFault("wrong_type", "the parameters are not a dict of tensors.")
        return found

    def set_parameters(self, handle: Handle, values: dict[str, Tensor]) -> None:
        """Overwrite parameters of a module, each of exactly its shape."""
        self._transport.request({"verb": "set_parameters", "handle": handle, "values": values})

    def vjp(self, target: str | Handle, args: tuple[Value, ...], cotangents: Value) -> tuple[Tensor | None, ...]:
        """The cotangent of each argument by the student's own autograd; None where it is no float tensor."""
        found = self._transport.request({"verb": "vjp", "target": target, "args": args, "cotangents": cotangents})
        if not isinstance(found, tuple) or len(found) != len(args):
            raise StudentFault("wrong_type", "the gradients are not one for each argument.")
        return found

    def free(self, handle: Handle | None = None) -> None:
        """Forget an object; None forgets all, and asks nothing where none was constructed."""
        if handle is None and not self._constructed:
            return
        self._transport.request({"verb": "free", "handle": handle})

    def allow(self, seconds: float | int) -> None:
        """Set the time that all following requests may take together."""
        self._transport.allow(seconds)


def local_student(namespace: Mapping[str, Any]) -> Student:
    """A student whose functions live in this process."""
    return Student(LocalTransport(namespace))
