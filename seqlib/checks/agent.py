"""The student's process on the wire: a thread that answers the host's requests, one after another."""

import socket
import threading
from collections.abc import Mapping
from typing import Any

from seqlib.checks.faults import StudentFault
from seqlib.checks.servant import Servant
from seqlib.checks.values import LIMITS, Limits, Value
from seqlib.checks.wire import Message, receive, send
from seqlib.errors import WireError

__all__ = ["answer_requests", "serve"]


def serve(path: str, nonce: str, namespace: Mapping[str, Any], limits: Limits = LIMITS) -> threading.Thread:
    """Connect to the host's unix socket and answer its requests in a thread until it hangs up.

    Args:
        path: The host's listening socket.
        nonce: Echoed in every answer; it orders messages and proves nothing.
        namespace: The student's names.
        limits: The largest message either way.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)
    thread = threading.Thread(target=answer_requests, args=(sock, nonce, namespace, limits), daemon=True)
    thread.start()
    return thread


def answer_requests(sock: socket.socket, nonce: str, namespace: Mapping[str, Any], limits: Limits = LIMITS) -> None:
    """Answer requests on a connected socket until the other side hangs up."""
    servant = Servant(namespace, limits)
    with sock:
        while True:
            try:
                request = receive(sock, limits, arguments=True)
                _send_answer(sock, request.seq, nonce, _answer(servant, request.value), limits)
            except (OSError, EOFError, WireError):
                return


def _answer(servant: Servant, request: Value) -> dict[str, Value]:
    try:
        return {"ok": servant.answer(request)}
    except StudentFault as fault:
        return {"fault": _fault_value(fault)}
    except BaseException as error:  # the thread must outlive whatever student code raises
        return {"fault": _fault_value(StudentFault("exception", "", type(error).__name__))}


def _send_answer(sock: socket.socket, seq: int, nonce: str, answer: dict[str, Value], limits: Limits) -> None:
    try:
        send(sock, Message(seq, nonce, answer), limits=limits)
    except WireError as error:
        fault = StudentFault("wrong_type", f"the result is too large: {error.what}")
        send(sock, Message(seq, nonce, {"fault": _fault_value(fault)}), limits=limits)


def _fault_value(fault: StudentFault) -> dict[str, Value]:
    return {
        "kind": fault.kind,
        "message": fault.what,
        "error": fault.error,
        "function": fault.function,
        "line": fault.line,
        "source": fault.source,
    }
