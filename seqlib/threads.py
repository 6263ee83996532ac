"""The one guard over torch's threads: small recurrent models run fastest, and predictably, on one."""

import os
from types import TracebackType

import torch

__all__ = ["limit_threads"]

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class limit_threads:  # noqa: N801 -- reads as a function, and is one: it acts when it is called
    """Set the number of threads that torch, and processes started from here, compute with.

    Call it once at an entry point, or use it in a `with` statement to set the old number back afterwards.

    Args:
        count: Threads to allow.

    >>> with limit_threads(1):
    ...     torch.get_num_threads()
    1
    """

    def __init__(self, count: int = 1) -> None:
        self._threads = torch.get_num_threads()
        self._environment = {name: os.environ.get(name) for name in _VARIABLES}
        torch.set_num_threads(count)
        os.environ.update(dict.fromkeys(_VARIABLES, str(count)))

    def __enter__(self) -> "limit_threads":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        torch.set_num_threads(self._threads)
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
