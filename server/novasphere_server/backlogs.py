"""What a loop that deletes has still to delete, for whoever looks after the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backlog:
    """Rows of one sort that are past their time, and how far their loop has come."""

    deleted: int = 0  # rows, since the start
    overdue_since_us: int | None = None  # when the oldest that is left should have gone; None: none is
    last_success_us: int = 0  # when all that was due had gone; 0 before the first time

    def age(self, now_us: int) -> float:
        """Returns how many seconds the oldest row is over its time."""
        return 0.0 if self.overdue_since_us is None else max(0, now_us - self.overdue_since_us) / 1e6

    def note(self, rows: int, overdue_since_us: int | None) -> None:
        """Notes a step: the rows it deleted, and since when the oldest of them was overdue."""
        self.deleted += rows
        if overdue_since_us is not None:
            self.overdue_since_us = overdue_since_us

    def clear(self, now_us: int) -> None:
        """Notes that nothing was left to delete."""
        self.overdue_since_us = None
        self.last_success_us = now_us
