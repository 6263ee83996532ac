"""The variables and the limits that processes in a sandbox get."""

import os
import resource

from seqlib.grading.sandbox.box import BoxLimits
from seqlib.grading.sandbox.bubblewrap import python_inside
from seqlib.grading.sandbox.image import Image

__all__ = ["own_limits", "parent_environment", "submission_environment"]


def own_limits(limits: BoxLimits) -> dict[int, int]:
    """Limits that a process keeps on itself, by number."""
    names = {"CORE": 0, "FSIZE": limits.file_bytes, "NOFILE": limits.open_files}
    names |= {"MEMLOCK": 0, "RTPRIO": 0, "MSGQUEUE": 0}
    return {
        getattr(resource, f"RLIMIT_{name}"): size for name, size in names.items() if hasattr(resource, f"RLIMIT_{name}")
    }


def parent_environment(image: Image, *, inside: bool = True) -> dict[str, str]:
    """The variables of a process: nothing of the grader's own.

    Args:
        image: Where modules are found.
        inside: Whether paths are those of a sandbox.
    """
    home = "/tmp" if inside else str(image.home)  # outside, anybody may have put something into `/tmp`
    return {
        "PATH": f"{os.path.dirname(python_inside())}:/usr/bin:/bin" if inside else os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": home,
        "PYTHONPATH": image.python_path(inside=inside),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "malloc",  # with the next line, memory lies in large pages, which are quicker to fork
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        "IPYTHONDIR": f"{home}/ipython",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # One thread everywhere: a copy of a process with more would wait for threads that it has not got.
        "OMP_NUM_THREADS": "1",
        "OMP_THREAD_LIMIT": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def submission_environment(home: str) -> dict[str, str]:
    """Variables that differ in a submission's own processes."""
    return {"HOME": home, "PWD": home}
