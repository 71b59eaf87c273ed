"""How long to wait before the next try."""

from __future__ import annotations

import random


class Backoff:
    """Full jitter: any time between nothing and a ceiling that doubles with every failure.

    It never gives up. The jitter spreads a fleet that lost its server at one moment.
    """

    def __init__(self, *, first: float = 0.5, cap: float = 60.0) -> None:
        self._first = first
        self._cap = cap
        self._failures = 0

    def next_delay(self, *, at_least: float = 0.0) -> float:
        """Returns seconds to wait, no fewer than the server asked for."""
        ceiling = min(self._cap, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return at_least + random.uniform(0.0, ceiling)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Starts over, after a connection that worked."""
        self._failures = 0
