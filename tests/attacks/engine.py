"""What every engine gives back, and how a submission is judged by what outside sees."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.attacks.attack import Attack

__all__ = ["AbstractEngine", "Outcome"]


@dataclass(kw_only=True)
class Outcome:
    """What an engine made of one submission.

    Attributes:
        attack: Which one.
        points: The most that any record of the engine gives it, of 100.
        statuses: The verdict of each check, where the engine has such.
        cheats: What succeeded, a sentence each; empty: the cheat failed.
        notes: What else is worth a look, such as honest points that were lost.
        seconds: How long it took.
        skipped: Why it did not run; empty if it did.
    """

    attack: Attack
    points: float = 0.0
    statuses: dict[str, str] = field(default_factory=dict)
    cheats: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str = ""

    @property
    def verdict(self) -> str:
        """What the table shows."""
        if self.skipped:
            return "skipped"
        if self.attack.category == "control":
            return "wrong" if self.cheats or self.notes else "as expected"
        return "CHEAT SUCCEEDED" if self.cheats else "FAILED"

    def judge_points(self) -> None:
        """Compare the points with what the honest part of the work earns."""
        ceiling = 100 if self.attack.earns is None else self.attack.earns
        if self.points > ceiling + 1e-9:
            self.cheats.insert(0, f"{self.points:g} points for work of {ceiling}")
        elif self.attack.earns is not None and not self.attack.may_lose and self.points < ceiling - 1e-9:
            self.notes.append(f"{self.points:g} points for work of {ceiling}")

    def as_row(self) -> dict[str, object]:
        """For the file of results."""
        return {
            "name": self.attack.name,
            "category": self.attack.category,
            "tries": self.attack.tries,
            "verdict": self.verdict,
            "points": self.points,
            "earns": self.attack.earns,
            "cheats": self.cheats,
            "notes": self.notes,
            "seconds": round(self.seconds, 2),
            "skipped": self.skipped,
        }


class AbstractEngine(ABC):
    """Grades attacks."""

    name = ""
    isolates = False
    batch = 1

    def why_not(self, attack: Attack) -> str:
        """Why an attack is not run here; empty if it is."""
        if attack.dangerous and not self.isolates:
            return "would harm this machine: the engine isolates nothing"
        return ""

    def close(self) -> None:  # noqa: B027 - most engines have nothing to tidy
        """Remove what is left over."""

    @abstractmethod
    def grade(self, attacks: Sequence[Attack]) -> list[Outcome]:
        """Grade them, in one batch, and see what happened."""
