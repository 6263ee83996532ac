"""The curves of one training run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass
class History:
    """What happened at each optimiser step.

    Attributes:
        loss: One number a step, before that step's update.
        gradient_norm: The norm over all parameters a step, before clipping.
        evaluations: After how many steps, and what `evaluate` said.
        seconds: Wall clock over all steps, a resumed run's earlier ones counted in.
        diverged_at: The step, counted from 0, whose loss or gradient could not be used; None where all could.
    """

    loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    evaluations: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    seconds: float = 0.0
    diverged_at: int | None = None

    def __len__(self) -> int:
        return len(self.loss)

    def smoothed(self, window: int) -> list[float]:
        """Average the loss over the last `window` steps, over fewer at the start.

        >>> History(loss=[4.0, 2.0, 0.0]).smoothed(2)
        [4.0, 3.0, 1.0]
        """
        recent = [self.loss[max(0, end - window) : end] for end in range(1, len(self.loss) + 1)]
        return [sum(losses) / len(losses) for losses in recent]
