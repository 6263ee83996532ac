"""Names of those who claim jobs, made so that whoever reads one on the same machine knows whether its bearer lives."""

import hashlib
import os
import re
import secrets
import socket
from functools import cache
from pathlib import Path

__all__ = ["bearer", "is_gone", "own_name"]

_NAME = re.compile(r"(?P<host>.+)-(?P<pid>\d+)-(?P<start>\d+)-(?P<place>[0-9a-f]{8})-[0-9a-f]{8}")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PIDS = Path("/proc/self/ns/pid")


def own_name() -> str:
    """A name for this process that no other one has, now or later."""
    pid = os.getpid()
    return f"{socket.gethostname()[:40]}-{pid}-{_start_time(pid) or 0}-{_place()}-{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Whether the process of this name is known to have ended; False also where that can't be told from here.

    >>> is_gone(own_name()), is_gone("somebody elsewhere")
    (False, False)
    """
    name = _NAME.fullmatch(owner)
    if name is None or name["host"] != socket.gethostname()[:40] or name["place"] != _place():
        return False
    try:
        os.kill(int(name["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's, of which /proc may show nothing
        return False
    return _start_time(int(name["pid"])) != int(name["start"])


def bearer(owner: str) -> str:
    """Whom a name means, for people.

    >>> bearer("lab-7-4711-0123abcd-89ef0123"), bearer("w1")
    ('process 7 on lab', 'w1')
    """
    name = _NAME.fullmatch(owner)
    return owner if name is None else f"process {name['pid']} on {name['host']}"


@cache
def _place() -> str:
    """This start of this machine, and the space of process numbers: containers may share a host name."""
    try:
        told = _BOOT.read_text("ascii") + str(_PIDS.stat().st_ino)
    except OSError:
        return secrets.token_hex(4)  # nothing can be told of others here
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _start_time(pid: int) -> int | None:
    """When a process started, in ticks since the machine did; None for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
