"""Trying again: how long, how often, and never in step with others."""

from __future__ import annotations

import asyncio
import random
import time

from novasphere_client.errors import NovasphereError

FIRST_DELAY = 0.2
LONGEST_DELAY = 2.0


class Patience:
    """Bounds the time spent without success. `seconds` of None is patience without end."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._failures = 0

    def renew(self) -> None:
        """Forgets earlier failures: something worked."""
        self._since = None
        self._failures = 0

    async def wait(self, error: NovasphereError) -> None:
        """Sleeps before the next try; raises `error` when there should be none."""
        if not error.is_retriable:
            raise error
        now = time.monotonic()
        if self._since is None:
            self._since = now
        ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self._failures, 10))
        delay = random.uniform(0.0, ceiling)  # noqa: S311 - spreads load, guards nothing
        delay = max(delay, error.retry_after or 0.0)
        if self._seconds is not None:
            left = self._since + self._seconds - now
            if left <= 0.0:
                raise error
            delay = min(delay, left)
        self._failures += 1
        await asyncio.sleep(delay)
