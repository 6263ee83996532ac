"""The program that a probe runs: it takes more processes and more memory than it may. It imports no seqlib.

Read from standard input: one line of JSON, sent when this process is in its group.
Written: `forks N` when a fork fails or all are made, then `touched N` for every step of memory, then `end`.
"""

import ctypes
import json
import os
import sys

_CLONE_NEWUSER = 0x10000000


def main() -> None:
    order = json.loads(sys.stdin.readline())
    if order["rlimits"] is not None:
        import resource  # before the change of user, who may not be able to read this Python

        _become_ordinary()
        for which, value in order["rlimits"].items():
            resource.setrlimit(int(which), (value, value))
    _say(f"forks {_fork(order['forks'])}")
    _touch(order["memory_bytes"], order["step_bytes"])
    _say("end")


def _become_ordinary() -> None:
    """As in the sandbox: no root, and where it is allowed a user namespace, in which nobody else's processes count."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER)


def _fork(wanted: int) -> int:
    """How many children could be had at once; they end when this function does, or this process."""
    wait_at, hold = os.pipe()
    children = []
    for _ in range(wanted):
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            os.close(hold)
            os.read(wait_at, 1)
            os._exit(0)
        children.append(pid)
    os.close(hold)
    os.close(wait_at)
    for pid in children:
        os.waitpid(pid, 0)
    return len(children)


def _touch(wanted: int, step: int) -> None:
    held = []
    for touched in range(step, wanted + 1, step):
        try:
            held.append(b"\1" * step)
        except MemoryError:
            return
        _say(f"touched {touched}")


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()
