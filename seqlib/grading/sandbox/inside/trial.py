"""Tries what the sandboxes need, and prints a line for each thing that works: `filter`, `namespaces`.

Run as `python -m inside.trial UID FILTER`; the host does. It imports neither torch nor the library.
"""

import os
import sys
from collections.abc import Callable

from . import kernel_calls
from .isolate import Isolation, become_nobody, enter_namespaces, fork_into_namespaces, lock

__all__ = ["main"]

_SCRATCH_BYTES = 1 << 20


def main(uid: int, program: bytes) -> None:
    """Try each in a process of its own."""
    become_nobody(uid)
    _try(lambda: _filter(program))
    _try(lambda: _namespaces(program))


def _try(body: Callable[[], None]) -> None:
    """Run it; what it could not do it says on the error stream."""
    end, kept = os.pipe()  # whoever holds the other end is not done
    pid = os.fork()
    if pid == 0:
        os.close(end)
        try:
            body()
        except OSError as error:
            os.write(2, f"{error.strerror}\n".encode())
        os._exit(0)
    os.close(kept)
    os.read(end, 1)
    os.close(end)
    os.waitpid(pid, 0)


def _filter(program: bytes) -> None:
    kernel_calls.forbid_new_privileges()
    kernel_calls.load_filter(program)
    try:
        kernel_calls.unshare(0)  # asks for nothing, so without the filter it is granted
    except PermissionError:
        _say("filter")


def _namespaces(program: bytes) -> None:
    user = os.getuid(), os.getgid()
    if fork_into_namespaces():
        return
    enter_namespaces(*user)
    lock(Isolation(filter=program, scratch_bytes=_SCRATCH_BYTES, rlimits={}))
    if os.getpid() == 1 and not os.listdir("/proc"):
        _say("namespaces")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))
