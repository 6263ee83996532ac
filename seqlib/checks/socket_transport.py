"""The host's end of the wire: each answer in time, in order and in form, or the student's side is at fault."""

import socket
import time
from functools import partial

from seqlib.checks.faults import KINDS, StudentFault
from seqlib.checks.proxy import AbstractTransport
from seqlib.checks.servant import plain_text
from seqlib.checks.values import LIMITS, Limits, Value, normalise
from seqlib.checks.wire import Message, receive, send
from seqlib.errors import WireError

__all__ = ["SocketTransport"]

TEXTS = {"message": 1000, "error": 100, "function": 100, "source": 200}


class SocketTransport(AbstractTransport):
    """The student's functions in another process.

    After one answer that is late, malformed or out of order nothing more is asked: a later answer could be to
    another question.

    Args:
        sock: Connected to the agent.
        nonce: Must come back in every answer.
        limits: The largest message that is read.
        call_limit_s: Time for one answer where `allow` set none.
    """

    def __init__(
        self, sock: socket.socket, nonce: str, limits: Limits = LIMITS, call_limit_s: float | int = 10.0
    ) -> None:
        self._sock = sock
        self._nonce = nonce
        self._limits = limits
        self._call_limit_s = call_limit_s
        self._end: float | None = None
        self._seq = 0
        self._broken: tuple[str, str] | None = None

    def allow(self, seconds: float | int) -> None:
        """Set the time that all following requests may take together."""
        self._end = time.monotonic() + seconds

    def request(self, request: dict[str, Value]) -> Value:
        if self._broken is not None:
            raise StudentFault(*self._broken)
        try:
            answer = self._exchange(normalise(request, self._limits, arguments=True))
        except TimeoutError as error:
            raise self._break("over_limit", "Your code did not answer in time.") from error
        except WireError as error:
            raise self._break("protocol", error.what) from error
        except (EOFError, OSError) as error:
            raise self._break("gone", "Your process ended before it answered.") from error
        if set(answer) == {"ok"}:
            return answer["ok"]
        raise self._fault(answer.get("fault"))

    def _exchange(self, request: dict[str, Value]) -> dict[str, Value]:
        self._seq += 1
        deadline = self._end if self._end is not None else time.monotonic() + self._call_limit_s
        if self._has_spoken():
            raise WireError("an answer came before its question.", "only the agent may write to the socket.")
        send(self._sock, Message(self._seq, self._nonce, request), deadline, self._limits)
        reply = receive(self._sock, self._limits, deadline)
        if reply.seq != self._seq or reply.nonce != self._nonce:
            raise WireError("an answer belongs to another question.", "only the agent may write to the socket.")
        if type(reply.value) is not dict or set(reply.value) not in ({"ok"}, {"fault"}):
            raise WireError("an answer is neither a value nor a fault.", "only the agent may write to the socket.")
        return reply.value

    def _has_spoken(self) -> bool:
        self._sock.settimeout(0)
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    def _fault(self, told: Value) -> StudentFault:
        """A fault as the student's side tells it: every field is theirs, so each is checked and shortened."""
        if type(told) is not dict or set(told) != {"kind", "line", *TEXTS}:
            return self._break("protocol", "a fault has no proper form.")
        if told["kind"] not in KINDS or type(told["line"]) is not int or not 0 <= told["line"] < 1_000_000:
            return self._break("protocol", "a fault has no proper form.")
        if any(type(told[name]) is not str for name in TEXTS):
            return self._break("protocol", "a fault has no proper form.")
        text = {name: plain_text(partial(told.__getitem__, name), longest) for name, longest in TEXTS.items()}
        kind = told["kind"] if told["kind"] in ("exception", "missing", "wrong_type") else "protocol"
        return StudentFault(kind, text["message"], text["error"], text["function"], told["line"], text["source"])

    def _break(self, kind: str, message: str) -> StudentFault:
        self._broken = kind, message
        return StudentFault(kind, message)
