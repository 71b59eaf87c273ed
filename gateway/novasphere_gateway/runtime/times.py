"""The time of day as answers print it, made once a second."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Stamps:
    """Prints the present second."""

    __slots__ = ("_clock", "_http", "_json", "_second")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = -1
        self._http = ""
        self._json = b""

    def _refresh(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._http = email.utils.formatdate(second, usegmt=True)
            self._json = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
            self._second = second

    def http(self) -> str:
        """Returns the second as a Date header prints it."""
        self._refresh()
        return self._http

    def json(self) -> bytes:
        """Returns the second in RFC 3339, without quotes."""
        self._refresh()
        return self._json
