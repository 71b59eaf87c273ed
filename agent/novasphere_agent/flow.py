"""How much output may be on its way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

# The first of it is on its way before anything is known of the line: small enough to pass the slowest
# useful one (64 kbit/s) in a quarter of a second.
_SMALLEST_BYTES = 2 * 1024
# A heartbeat waits behind what is on its way: more than what is acknowledged in this time is too much.
_SLOW_SECONDS = 0.6
_QUICK_SECONDS = 0.2


class Flow:
    """A window that grows while acknowledgements come quickly, and never above what the server allows.

    The server's window keeps the server's memory in bounds; this one keeps heartbeats prompt on thin
    links, where any larger buffer would only fill up in front of them. What counts is how long bytes wait
    in line: the way to the server and back, which may be long on a link that carries much, is left out.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._smallest = min(_SMALLEST_BYTES, limit)
        self._window = self._smallest
        self._clock = clock
        self._sent = 0
        self._acked = 0
        self._way = 0.0  # seconds that an acknowledgement takes when nothing waits before it
        self._marks: deque[tuple[int, float]] = deque()

    @property
    def room(self) -> int:
        return max(self._window - (self._sent - self._acked), 0)

    def sent(self, count: int) -> None:
        self._sent += count
        self._marks.append((self._sent, self._clock()))

    def acknowledged(self, count: int) -> None:
        self._acked += count
        took: float | None = None
        while self._marks and self._marks[0][0] <= self._acked:
            at = self._marks.popleft()[1]
            took = self._clock() - at if took is None else max(took, self._clock() - at)
        if took is None:  # part of a frame tells nothing
            return
        # With the smallest window nothing of ours waits before it; ways change.
        self._way = took if self._window <= self._smallest else min(self._way, took)
        waited = took - self._way
        if waited > _SLOW_SECONDS:
            self._window = max(self._window // 2, self._smallest)
        elif waited < _QUICK_SECONDS:
            self._window = min(self._window + count, self._limit)
