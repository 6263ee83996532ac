"""The few calls to the Linux kernel that Python has no function for."""

import ctypes
import os
import platform
import signal

__all__ = [
    "NEW_NAMESPACES",
    "drop_capabilities",
    "drop_capability_bounds",
    "forbid_new_privileges",
    "fork_into",
    "hide_with_empty_folder",
    "load_filter",
    "mount_scratch",
    "set_dumpable",
    "unshare",
]

# CLONE_NEWUSER, NEWPID, NEWNS, NEWIPC, NEWNET, NEWUTS, NEWCGROUP, from <linux/sched.h>
NEW_NAMESPACES = 0x10000000 | 0x20000000 | 0x00020000 | 0x08000000 | 0x40000000 | 0x04000000 | 0x02000000

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 24, 22, 38, 47
_AMBIENT_CLEAR_ALL, _SECCOMP_MODE_FILTER = 4, 2
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63

_CLONE = {"x86_64": 56, "aarch64": 220}  # the number of clone(2), from <asm/unistd.h>

_libc = ctypes.CDLL(None, use_errno=True)
_libc_at_once = ctypes.PyDLL(None, use_errno=True)  # without letting go of the interpreter in between


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones."""
    _require(_libc.unshare(flags), "unshare")


def fork_into(namespaces: int) -> int:
    """Fork, and the new process is the first of new namespaces; only where there is one thread.

    What is registered for `os.fork` is not called: it would touch some 350 pages, each of which is then copied, and
    prepares for threads that are not there. The C library is not told either, so the new process must not end itself
    by a signal; a process that it forks in the usual way may.
    """
    number = ctypes.c_long(_CLONE[platform.machine()])
    pid = _libc_at_once.syscall(number, ctypes.c_ulong(namespaces | signal.SIGCHLD), *[ctypes.c_ulong(0)] * 4)
    if pid < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"clone: {os.strerror(error)}")
    return int(pid)


def set_dumpable(value: bool) -> None:
    """Say whether processes of the same user may trace this one and open its files in `/proc`."""
    _require(_libc.prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0), "prctl(PR_SET_DUMPABLE)")


def mount_scratch(place: str, size_bytes: int, files: int) -> None:
    """Mount an empty private folder of limited size, from which nothing can be executed."""
    options = f"size={size_bytes},nr_inodes={files},mode=1777"
    _mount(place, _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, options)


def hide_with_empty_folder(place: str) -> None:
    """Cover a folder by an empty one that nothing can be written to."""
    _mount(place, _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555")


def _mount(place: str, flags: int, options: str) -> None:
    result = _libc.mount(b"tmpfs", place.encode(), b"tmpfs", flags, options.encode())
    _require(result, f"mount on {place}")


def drop_capability_bounds() -> None:
    """See to it that no program which is started can bring a capability back, where this process may say so."""
    for capability in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails beyond the last one that this kernel knows


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    drop_capability_bounds()
    _libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    header, data = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    _require(_libc.capset(header, data), "capset")


def forbid_new_privileges() -> None:
    """Make set-user-id programs run without what they would gain."""
    _require(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def load_filter(program: bytes) -> None:
    """Load a system-call filter: a compiled BPF program, 8 bytes an instruction."""
    code = ctypes.create_string_buffer(program, len(program))
    loaded = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    _require(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(loaded), 0, 0), "prctl(PR_SET_SECCOMP)")


def _require(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
