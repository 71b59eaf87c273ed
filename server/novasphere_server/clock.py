"""The one source of time. Everything that needs a time is given a Clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is stored, monotonic time for what is waited for."""

    def now_us(self) -> int:
        """Returns wall time as microseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never run backwards."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()
