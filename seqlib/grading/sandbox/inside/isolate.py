"""One submission's own namespaces: made together with their first process, which locks them behind itself."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass

from . import kernel_calls

__all__ = ["HOME", "Isolation", "become_nobody", "enter_namespaces", "fork_into_namespaces", "lock"]

HOME = "/home/student"
_HIDDEN = ("/proc",)
_SCRATCH_FILES = 20_000
_SHARED_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What a submission may use.

    Args:
        filter: The compiled system-call filter; empty: none.
        scratch_bytes: Size of its folder, and of its `/tmp`.
        rlimits: Limits by number that it sets on itself.
    """

    filter: bytes
    scratch_bytes: int
    rlimits: Mapping[int, int]


def become_nobody(uid: int) -> None:
    """Give up root's rights where there are any."""
    if os.getuid() == 0 and uid:
        kernel_calls.drop_capability_bounds()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def fork_into_namespaces() -> int:
    """`os.fork`, but the new process is the first of its own namespaces.

    It must call `enter_namespaces` and then `lock` before it runs anything of a student's.
    """
    return kernel_calls.fork_into(kernel_calls.NEW_NAMESPACES)


def enter_namespaces(uid: int, gid: int) -> None:
    """Go on as the same user in the new namespaces: the numbers are those from before the fork."""
    kernel_calls.set_dumpable(True)  # else the files below belong to root
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        handle = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(handle, text.encode())
        os.close(handle)


def lock(isolation: Isolation) -> None:
    """Take away what the namespaces leave."""
    kernel_calls.mount_scratch(HOME, isolation.scratch_bytes, _SCRATCH_FILES)
    kernel_calls.mount_scratch("/tmp", isolation.scratch_bytes, _SCRATCH_FILES)
    kernel_calls.mount_scratch("/dev/shm", _SHARED_MEMORY_BYTES, _SCRATCH_FILES)
    for place in _HIDDEN:
        kernel_calls.hide_with_empty_folder(place)
    limit_itself(isolation.rlimits)
    kernel_calls.drop_capabilities()
    kernel_calls.forbid_new_privileges()
    if isolation.filter:
        kernel_calls.load_filter(isolation.filter)
    os.setsid()


def limit_itself(rlimits: Mapping[int, int]) -> None:
    """Set limits, hard and soft, on this process and all that it starts."""
    for number, value in rlimits.items():
        hard = resource.getrlimit(number)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (allowed, allowed))
