"""What every back end offers: groups of processes that share a limit and end together."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from seqlib.errors import GradingError

__all__ = ["AbstractGroup", "AbstractLimits", "ProcessLimits"]


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """What one submission may use at any one time.

    Args:
        memory_bytes: Memory of all its processes together (rlimit: of each).
        processes: How many processes and threads it may have, the first one included.

    Raises:
        GradingError: A limit is below one.
    """

    memory_bytes: int = 2 * 2**30
    processes: int = 64

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "processes"):
            if getattr(self, name) < 1:
                raise GradingError(f"{name} is {getattr(self, name)}.", "give a limit of at least 1.")


class AbstractGroup(ABC):
    """Some processes, their descendants, and what they may use together.

    A process is added before it runs anything that is not trusted; what it starts afterwards belongs to the group too.
    """

    @property
    @abstractmethod
    def rlimits(self) -> dict[int, int]:
        """What the process must set on itself, soft and hard, because it can't be set from outside."""

    @abstractmethod
    def add(self, pid: int) -> None:
        """Put a process, by its number as this process sees it, into the group.

        Raises:
            GradingError: The process has ended or may not be moved.
        """

    @abstractmethod
    def peak_bytes(self) -> int | None:
        """The most memory that was in use at once; None where this can't be known."""

    @abstractmethod
    def cpu_s(self) -> float | None:
        """The processor time used so far, in seconds; None where this can't be known."""

    @abstractmethod
    def killed_for_memory(self) -> bool | None:
        """Whether the system ended a process because of the memory limit; None where this can't be known."""

    @abstractmethod
    def kill(self) -> None:
        """End every process of the group and return when none is left; the group takes no new ones afterwards.

        Raises:
            GradingError: Something is still there after some seconds.
        """

    @abstractmethod
    def close(self) -> None:
        """Kill what is left and remove the group; a second call does nothing.

        Raises:
            GradingError: Something is still there after some seconds; the next `open_limits` tries again.
        """

    def __enter__(self) -> "AbstractGroup":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AbstractLimits(ABC):
    """A back end: it makes groups."""

    name: str

    @abstractmethod
    def group(self, limits: ProcessLimits) -> AbstractGroup:
        """A new, empty group."""

    @abstractmethod
    def close(self) -> None:
        """Remove what the back end itself has made; groups are closed before it."""

    def __enter__(self) -> "AbstractLimits":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
