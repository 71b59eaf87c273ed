"""How much output may be on its way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

# Small enough to pass the slowest useful link (64 kbit/s) within a second or two.
_SMALLEST_BYTES = 8 * 1024
_FIRST_BYTES = 64 * 1024
# A heartbeat waits behind what is on its way: more than what is acknowledged in this time is too much.
_SLOW_SECONDS = 1.0
_QUICK_SECONDS = 0.3


class Flow:
    """A window that grows while acknowledgements come quickly, and never above what the server allows.

    The server's window keeps the server's memory in bounds; this one keeps heartbeats prompt on thin
    links, where any larger buffer would only fill up in front of them.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = min(_FIRST_BYTES, limit)
        self._clock = clock
        self._sent = 0
        self._acked = 0
        self._marks: deque[tuple[int, float]] = deque()

    @property
    def room(self) -> int:
        return max(self._window - (self._sent - self._acked), 0)

    def sent(self, count: int) -> None:
        self._sent += count
        self._marks.append((self._sent, self._clock()))

    def acknowledged(self, count: int) -> None:
        self._acked += count
        slowest = 0.0
        while self._marks and self._marks[0][0] <= self._acked:
            slowest = max(slowest, self._clock() - self._marks.popleft()[1])
        if slowest > _SLOW_SECONDS:
            self._window = max(self._window // 2, min(_SMALLEST_BYTES, self._limit))
        elif slowest < _QUICK_SECONDS:
            self._window = min(self._window + count, self._limit)
