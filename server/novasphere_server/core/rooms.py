"""How much work a node takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """How much an agent takes: attempts in slots, and those that it answers by itself. None: they take slots."""

    slots: int
    answers: int | None = None

    def of(self, *, is_answered: bool) -> int:
        """Returns how many more of one kind of work it takes."""
        return self.slots if self.answers is None or not is_answered else self.answers

    def at_most(self, slots: int, answers: int) -> Room:
        """Returns as much of it as that."""
        left = None if self.answers is None else max(0, min(self.answers, answers))
        return Room(max(0, min(self.slots, slots)), left)

    def counts(self) -> list[int]:
        """Returns what takes slots, and what is answered, to be counted down."""
        return [self.slots, self.answers or 0]

    def __bool__(self) -> bool:
        return self.slots > 0 or (self.answers or 0) > 0


NOTHING = Room(0)
