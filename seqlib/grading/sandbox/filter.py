"""The system-call filter of a submission: what a notebook never needs is refused, whatever rights it might have.

It narrows what of the kernel student code can reach; namespaces and capabilities are what isolates it.
"""

import errno
import os
from functools import cache

from seqlib.errors import GradingError

__all__ = ["REFUSED", "compiled_filter"]

REFUSED = (
    # other namespaces, other roots, other file systems
    *("unshare", "setns", "mount", "umount2", "umount", "pivot_root", "chroot", "move_mount", "open_tree"),
    *("open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "listmount", "statmount"),
    *("swapon", "swapoff", "quotactl", "quotactl_fd", "name_to_handle_at", "open_by_handle_at", "acct"),
    # other processes' memory and handles
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_getfd"),
    *("kcmp", "migrate_pages", "move_pages"),
    # parts of the kernel with a long record of faults
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "vmsplice"),
    *("keyctl", "add_key", "request_key", "fanotify_init", "lookup_dcookie", "uselib", "ustat", "sysfs"),
    *("modify_ldt", "vm86", "vm86old", "personality", "memfd_secret"),
    # what others have read of files, in which a process could leave a message for a later one
    *("fadvise64", "fadvise64_64", "mincore", "cachestat"),
    # the machine
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module"),
    *("reboot", "syslog", "sethostname", "setdomainname", "settimeofday", "clock_settime", "clock_settime64"),
    *("clock_adjtime", "clock_adjtime64", "adjtimex", "stime", "iopl", "ioperm", "nfsservctl", "_sysctl"),
    *("vhangup", "set_mempolicy", "mbind", "set_mempolicy_home_node"),
    # device nodes
    *("mknod", "mknodat"),
)
_NEW_ANY = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C


@cache
def compiled_filter() -> bytes:
    """The filter as the kernel takes it.

    Raises:
        GradingError: libseccomp is not there.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise GradingError(
            f"no system-call filter can be made: {error}.",
            "install libseccomp2 (sudo apt-get install libseccomp2) and python -m pip install -e '.[grading]'.",
        ) from error
    made = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in REFUSED:
        try:
            made.add_rule(refuse, name)
        except (OSError, ValueError, RuntimeError):
            continue  # this machine's library or kernel does not know it, so nobody can call it by this filter's arch
    for bit in (1 << n for n in range(32) if _NEW_ANY >> n & 1):
        made.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
    made.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory, where a filter can't look
    for name in ("preadv2", "pwritev2"):  # with flags they tell what is cached; the C library then goes without
        made.add_rule(seccomp.ERRNO(errno.ENOSYS), name)
    for name in ("socket", "socketpair"):
        # Not EPERM, at which ZeroMQ, and with it a Jupyter kernel, ends the process.
        made.add_rule(seccomp.ERRNO(errno.EOPNOTSUPP), name, seccomp.Arg(0, seccomp.NE, _AF_UNIX))
    for request in (_TIOCSTI, _TIOCLINUX):
        made.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
    return _exported(made)


def _exported(made: object) -> bytes:
    with open(os.memfd_create("filter"), "w+b") as file:
        made.export_bpf(file)  # type: ignore[attr-defined]
        file.flush()
        file.seek(0)
        return file.read()
