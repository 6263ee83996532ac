"""The warm parent: everything is imported once, then every submission starts as a fork of it.

It runs no student code, keeps to one thread (a copy of a process that has computed with two would hang),
never talks to a GPU, and reads nothing but the orders of the host and of the workers that the host has connected.

Run as `python -m inside.warm_parent CONTROL SETTINGS`; the host does.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from . import kernel_calls
from .fonts import bring_font_lists
from .isolate import HOME, Isolation, become_nobody, enter_namespaces, fork_into_namespaces, lock
from .supervise import supervise

__all__ = ["main"]

_LARGEST_ORDER = 1 << 16


def main(control: int, settings: dict[str, Any]) -> None:
    """Prepare, say so, and fork at each order until the host hangs up."""
    become_nobody(settings["uid"])
    made = prepare(settings["modules"])
    kernel_calls.set_dumpable(False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a first process gets from inside only what it has a handler for
    user = os.getuid(), os.getgid()
    host = socket.socket(fileno=control)
    callers = {control: host}
    heard = select.poll()
    heard.register(host, select.POLLIN)
    while host.fileno() in callers:
        for number, _ in heard.poll():
            caller = callers[number]
            order, handles = _receive(caller)
            if not order:
                heard.unregister(number)
                callers.pop(number).close()
            elif order == b"connect" and caller is host:
                worker = _socket(handles[0])
                callers[worker.fileno()] = worker
                heard.register(worker, select.POLLIN)
                _send(worker, _ready())
            elif order == b"ping":
                _send(caller, _ready())
            else:
                _fork(settings, json.loads(order), made, user, callers, *map(_socket, handles))


def _fork(
    settings: dict[str, Any],
    order: dict[str, Any],
    made: Any,
    user: tuple[int, int],
    callers: dict[int, socket.socket],
    leash: socket.socket,
    cells: socket.socket,
) -> None:
    """Fork a submission's first process, which has no way to anybody but by these two sockets."""
    with leash, cells:
        try:
            pid = fork_into_namespaces()
        except OSError as error:
            _send(leash, {"fault": f"fork: {error.strerror}"})
            return
        if pid == 0:
            for caller in callers.values():
                caller.close()
            _begin(settings, order, made, user, leash, cells)


def _ready() -> dict[str, Any]:
    return {"ready": True, "threads": len(os.listdir("/proc/self/task"))}


def _send(caller: socket.socket, message: dict[str, Any]) -> None:
    with suppress(OSError):  # it is gone
        caller.send(json.dumps(message).encode())


def _receive(caller: socket.socket) -> tuple[bytes, list[int]]:
    """An order and what comes with it; no bytes from a caller that is gone."""
    try:
        order, handles, _, _ = socket.recv_fds(caller, _LARGEST_ORDER, 2)
    except OSError:
        return b"", []
    return order, handles


def prepare(modules: list[str]) -> Any:
    """Import everything that submissions use and do once what is slow the first time; returns the shell."""
    bring_font_lists()
    import torch

    torch.set_num_threads(1)
    for name in modules:
        import_module(name)
    _compute_once(torch)
    from .shell import make_shell

    made = make_shell()
    gc.collect()
    gc.freeze()  # else every fork copies pages for the collector's marks
    return made


def _compute_once(torch: Any) -> None:
    """Run what is slow, or wants to read `/proc`, the first time only."""
    torch.manual_seed(0)
    x = torch.ones(8, 8, requires_grad=True)
    torch.nn.functional.cross_entropy(torch.tanh(x @ x), torch.zeros(8, dtype=torch.long)).backward()
    repr(x)


def _socket(handle: int) -> socket.socket:
    return socket.socket(fileno=handle)


def _begin(
    settings: dict[str, Any],
    order: dict[str, Any],
    made: Any,
    user: tuple[int, int],
    leash: socket.socket,
    cells: socket.socket,
) -> None:
    """From a fork of the warm parent to a submission's first process."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        enter_namespaces(*user)
        leash.send(b"?")  # the host puts this process into its group, which takes a while, and says go
        rlimits = {int(number): value for number, value in order["rlimits"].items()}
        program = bytes.fromhex(settings["filter"])
        lock(Isolation(filter=program, scratch_bytes=order["scratch_bytes"], rlimits=rlimits))
        if leash.recv(1) == b"!":
            supervise(leash, cells, made, Path(HOME), Path(settings["public"]), settings["environment"])
    except BaseException as error:
        leash.send(json.dumps({"fault": f"{type(error).__name__}: {error}"}).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
