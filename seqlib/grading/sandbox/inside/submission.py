"""The process that runs a submission: cells in order, and copies of itself that wait to be asked.

They are asked only after all cells have run and nothing more can be shown,
so that no secret case can find its way into an output.
"""

import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from seqlib.checks.agent import answer_requests

from .frames import receive_frame, send_frame
from .shell import Shell

__all__ = ["PUBLIC", "serve_submission"]

PUBLIC = "/run/seqlib/public"
"""Where the files lie that a student was given beside the notebook."""


def serve_submission(sock: socket.socket, made: Any, home: Path, public: Path, environment: dict[str, str]) -> None:
    """Do what the host says until it hangs up.

    Args:
        sock: The way to the host.
        made: The IPython shell.
        home: The folder that cells run in.
        public: Files to put there first.
        environment: Variables to set.
    """
    os.environ.update(environment)
    for file in public.iterdir():
        shutil.copy(file, home)
    os.chdir(home)
    sys.path.insert(0, "")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shell = Shell(sock, made)
    while True:
        try:
            message, handles = _receive(sock)
        except (EOFError, OSError):
            return
        if message["op"] == "run":
            shell.run(message["seq"], message["source"])
        elif message["op"] == "snapshot":
            _snapshot(shell, sock, message, handles)


def _receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One order of the host's; a handle that goes with it comes with its first byte."""
    _, handles, _, _ = socket.recv_fds(sock, 1, 1)
    message = receive_frame(sock)
    if message is None:
        raise EOFError("an order of the host's is too large")
    return message, handles


def _snapshot(shell: Shell, sock: socket.socket, message: dict[str, Any], handles: list[int]) -> None:
    """Stop a copy of this process here, to be asked later; where that can't be, answer at once."""
    link = socket.socket(fileno=handles[0])
    in_place = _accelerator_in_use()
    pid = 0 if in_place else os.fork()
    if pid == 0 and not in_place:
        shell.mute()
        answer_requests(link, message["nonce"], shell.namespace)
        os._exit(0)
    reply = {"kind": "snapshot", "seq": message["seq"], "content": {"pid": pid}}
    send_frame(sock, reply)
    if in_place:
        with shell.silenced():
            answer_requests(link, message["nonce"], shell.namespace)
    link.close()


def _accelerator_in_use() -> bool:
    """A process that has talked to a GPU can't be copied."""
    torch = sys.modules.get("torch")
    try:
        return bool(torch is not None and torch.cuda.is_initialized())
    except Exception:  # student code may have put anything there
        return False
