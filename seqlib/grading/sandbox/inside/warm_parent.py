"""The warm parent: everything is imported once, then every submission starts as a fork of it.

It runs no student code, keeps to one thread (a copy of a process that has computed with two would hang),
never talks to a GPU, and reads nothing but the host's orders.

Run as `python -m inside.warm_parent CONTROL SETTINGS`; the host does.
"""

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from . import kernel_calls
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
    host = socket.socket(fileno=control)
    user = os.getuid(), os.getgid()
    host.send(json.dumps({"ready": True, "threads": len(os.listdir("/proc/self/task"))}).encode())
    while True:
        order, handles, _, _ = socket.recv_fds(host, _LARGEST_ORDER, 2)
        if not order:
            return
        try:
            pid = fork_into_namespaces()
        except OSError as error:
            host.send(json.dumps({"fault": f"fork: {error.strerror}"}).encode())
            for handle in handles:
                os.close(handle)
            continue
        if pid == 0:
            host.close()
            _begin(settings, json.loads(order), made, user, *map(_socket, handles))
        for handle in handles:
            os.close(handle)


def prepare(modules: list[str]) -> Any:
    """Import everything that submissions use and do once what is slow the first time; returns the shell."""
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
        leash.send(b"?")  # the host puts this process into its group and says go
        if leash.recv(1) == b"!":
            rlimits = {int(number): value for number, value in order["rlimits"].items()}
            program = bytes.fromhex(settings["filter"])
            proc = lock(Isolation(filter=program, scratch_bytes=order["scratch_bytes"], rlimits=rlimits))
            supervise(leash, cells, proc, made, Path(HOME), Path(settings["public"]), settings["environment"])
    except BaseException as error:
        leash.send(json.dumps({"fault": f"{type(error).__name__}: {error}"}).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
