"""The one source of time. Everything that needs a time is given a Clock."""

from __future__ import annotations

import time
from typing import Protocol

_NOTICEABLE_US = 50_000  # more than it takes to ask


class Clock(Protocol):
    """Wall time for what is stored, monotonic time for what is waited for."""

    def now_us(self) -> int:
        """Returns wall time as microseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never run backwards."""
        ...

    def follow(self, now_us: int) -> None:
        """Notes the wall time of the database, which several servers share: theirs must not differ."""
        ...


class SystemClock:
    """The machine's own clocks; wall time is set by the database's once they differ noticeably."""

    def __init__(self) -> None:
        self._ahead_us = 0  # of the machine's, by as much as the database's is

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self._ahead_us

    def monotonic(self) -> float:
        return time.monotonic()

    def follow(self, now_us: int) -> None:
        off_us = now_us - self.now_us()
        if abs(off_us) > _NOTICEABLE_US:
            self._ahead_us += off_us
