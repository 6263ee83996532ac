"""Mutated answers to a check: the host must neither break nor give points for any of them."""

import random
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seqlib.checks import socket_transport
from seqlib.checks.proxy import Student
from seqlib.checks.registry import load_suite
from seqlib.checks.runner import run_check
from seqlib.checks.socket_transport import SocketTransport
from seqlib.checks.sources import Grader
from seqlib.checks.values import normalise
from seqlib.checks.wire import Message, receive
from tests.fuzz.mutate import mutated

__all__ = ["Answers"]

_SUITE = Path(__file__).parents[1] / "checks" / "toy_checks.py"
_NONCE = "nonce"
_HANG_UP = 0.9


class Answers:
    """Runs one check against an agent that answers wrongly, in damaged messages.

    Use as a context manager: the host's `send` is watched meanwhile, so that no second thread is needed.

    Args:
        generator: Where chance comes from.
    """

    def __init__(self, generator: random.Random) -> None:
        suite = load_suite(_SUITE, "toy")
        self._generator = generator
        self._source = Grader(suite, b"k" * 32)
        self._check = replace(suite["splitting"], cases=1, limit_s=0.02)
        self._send = socket_transport.send
        self._agent: socket.socket | None = None

    def __enter__(self) -> "Answers":
        socket_transport.send = self._sent  # type: ignore[assignment]
        return self

    def __exit__(self, *exception: object) -> None:
        socket_transport.send = self._send

    def one(self) -> tuple[str, float | int]:
        """One check with damaged answers: the verdict's status and its points."""
        host, self._agent = socket.socketpair()
        with host, self._agent:
            verdict = run_check(self._check, Student(SocketTransport(host, _NONCE)), self._source)
        return verdict.status, verdict.earned

    def _sent(self, sock: socket.socket, message: Message, *rest: Any) -> None:
        """The host has asked: put the answer where it will read it."""
        self._send(sock, message, *rest)
        agent = self._agent
        if agent is None:
            raise AssertionError("nobody is asked")
        receive(agent, arguments=True)
        wrong = (torch.zeros((), dtype=torch.float64), torch.zeros(3, dtype=torch.float64))
        value = None if message.value["verb"] == "free" else normalise(wrong)  # type: ignore[index, call-overload]
        near, far = socket.socketpair()
        with near, far:
            self._send(near, Message(message.seq, _NONCE, {"ok": value}))
            near.shutdown(socket.SHUT_WR)
            whole = b"".join(iter(lambda: far.recv(1 << 16), b""))
        agent.sendall(mutated(whole, self._generator))
        if self._generator.random() < _HANG_UP:
            agent.shutdown(socket.SHUT_WR)
