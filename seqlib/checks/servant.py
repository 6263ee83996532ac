"""The student's side of every transport: it holds the student's functions and objects and answers requests."""

import linecache
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from seqlib.checks.faults import StudentFault
from seqlib.checks.values import LIMITS, TRUSTED, Handle, Limits, Trusted, Value, normalise, type_name
from seqlib.errors import WireError

__all__ = ["VERBS", "Servant", "plain_text"]

VERBS = ("call", "construct", "free", "method", "parameters", "ping", "set_parameters", "vjp")


class Servant:
    """Answers the verbs of a check on one namespace.

    Args:
        namespace: The student's names; looked up at each call, so that a cell that ran again counts.
        limits: The largest answer that is given.

    >>> Servant({"double": lambda x: 2 * x}).answer({"verb": "call", "name": "double", "args": (4,), "kwargs": {}})
    8
    """

    def __init__(self, namespace: Mapping[str, Any], limits: Limits = LIMITS) -> None:
        self._namespace = namespace
        self._limits = limits
        self._objects: dict[int, Any] = {}
        self._made = 0

    def answer(self, request: dict[str, Any]) -> Value:
        """Do what a request asks and return a plain value.

        Raises:
            StudentFault: The student's code is missing, raised, or gave a value that cannot pass.
        """
        verb = request.get("verb")
        if verb not in VERBS:
            raise StudentFault("protocol", "the request has an unknown verb.")
        result = getattr(self, f"_{verb}")(**{key: part for key, part in request.items() if key != "verb"})
        try:
            return normalise(result, self._limits)
        except WireError as error:
            name = request.get("name") or "the function"
            raise StudentFault(
                "wrong_type", f"{name} returned a value that cannot be checked: {error.what}."
            ) from error

    def _ping(self) -> str:
        return "pong"

    def _call(self, name: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> object:
        return self._run(self._find(name), name, args, kwargs)

    def _construct(self, name: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Handle:
        made = self._run(self._find(name), name, args, kwargs)
        self._made += 1
        self._objects[self._made] = made
        return Handle(self._made)

    def _method(self, name: str, handle: Handle, args: tuple[Value, ...], kwargs: dict[str, Value]) -> object:
        return self._run(lambda *a, **k: getattr(self._object(handle), name)(*a, **k), name, args, kwargs)

    def _parameters(self, handle: Handle) -> object:
        return self._run(lambda: dict(self._object(handle).named_parameters()), "named_parameters", (), {})

    def _set_parameters(self, handle: Handle, values: dict[str, Tensor]) -> None:
        self._run(lambda: _copy_parameters(self._object(handle), values), "named_parameters", (), {})

    def _vjp(self, target: str | Handle, args: tuple[Value, ...], cotangents: Value) -> object:
        function = self._object(target) if isinstance(target, Handle) else self._find(target)
        name = target if isinstance(target, str) else "the object"
        return self._run(lambda *a: _vector_jacobian_product(function, a, cotangents), name, args, {})

    def _free(self, handle: Handle | None) -> None:
        if handle is None:
            self._objects.clear()
        else:
            self._objects.pop(handle.number, None)

    def _find(self, name: str) -> Callable[..., Any]:
        if name not in self._namespace:
            raise StudentFault("missing", f"{name} is not defined.")
        found = self._namespace[name]
        if not callable(found):
            raise StudentFault("wrong_type", f"{name} is no function, its type is {type_name(found)}.")
        return found

    def _object(self, handle: Handle) -> Any:
        if handle.number not in self._objects:
            raise StudentFault("protocol", "the object of this handle was freed.")
        return self._objects[handle.number]

    def _run(self, function: Callable[..., Any], name: str, args: Any, kwargs: Any) -> object:
        try:
            return function(*self._resolve(args), **self._resolve(kwargs))
        except KeyboardInterrupt:
            raise
        except NotImplementedError as error:
            raise StudentFault("missing", f"{name} is not written yet.") from error
        except BaseException as error:  # student code may raise anything, SystemExit included
            raise self._fault(error, name, function) from error

    def _resolve(self, value: Value) -> Any:
        if isinstance(value, Handle):
            return self._object(value)
        if isinstance(value, Trusted):
            return TRUSTED[value.name]
        if isinstance(value, list | tuple):
            return type(value)(self._resolve(part) for part in value)
        if isinstance(value, dict):
            return {key: self._resolve(part) for key, part in value.items()}
        return value

    def _fault(self, error: BaseException, name: str, function: object) -> StudentFault:
        kind = type_name(error)
        text = plain_text(lambda: str(error), 500)
        try:
            place, line, source = self._where(error.__traceback__, function)
        except Exception:  # a hostile exception or frame: the place is a courtesy
            place, line, source = "", 0, ""
        return StudentFault("exception", text, kind, place or name, line, source)

    def _where(self, trace: TracebackType | None, function: object) -> tuple[str, int, str]:
        """The deepest frame that runs the student's own code."""
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        found = "", 0, ""
        while trace is not None:
            code = trace.tb_frame.f_code
            ours = code.co_filename == __file__
            if not ours and (trace.tb_frame.f_globals is self._namespace or code.co_filename == file):
                source = linecache.getline(code.co_filename, trace.tb_lineno).strip()
                found = code.co_name, trace.tb_lineno - code.co_firstlineno + 1, source[:200]
            trace = trace.tb_next
        return found


def plain_text(make: Callable[[], object], longest: int) -> str:
    """A short text of printable characters, whatever a student's object does when it is asked for one."""
    try:
        text = make()
        if type(text) is not str:
            return ""
        return "".join(c if c.isprintable() or c == "\n" else " " for c in text[:longest])
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ""


def _copy_parameters(module: Any, values: dict[str, Tensor]) -> None:
    parameters = dict(module.named_parameters())
    for name, value in values.items():
        if name not in parameters:
            raise KeyError(f"there is no parameter {name}; there are {sorted(parameters)}")
        if parameters[name].shape != value.shape:
            raise ValueError(f"parameter {name} has shape {list(parameters[name].shape)}, not {list(value.shape)}")
        with torch.no_grad():
            parameters[name].copy_(value)


def _vector_jacobian_product(function: Callable[..., Any], args: tuple[Any, ...], cotangents: Value) -> object:
    inputs = [a.requires_grad_() if isinstance(a, Tensor) and a.is_floating_point() else a for a in args]
    outputs = function(*inputs)
    many = outputs if isinstance(outputs, list | tuple) else (outputs,)
    weights = cotangents if isinstance(cotangents, list | tuple) else (cotangents,)
    wanted = [a for a in inputs if isinstance(a, Tensor) and a.requires_grad]
    found = iter(torch.autograd.grad(list(many), wanted, list(weights), allow_unused=True))
    return tuple(next(found) if isinstance(a, Tensor) and a.requires_grad else None for a in inputs)
