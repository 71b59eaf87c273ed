"""What a schedule says of its times."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from novasphere_server.core.calendars import expressions, zones
from novasphere_server.errors import InvalidArgument, InvalidTimeRange


class Kind(StrEnum):
    CRON = "cron"
    INTERVAL = "interval"


class GapPolicy(StrEnum):
    """What becomes of a wall time that does not exist since the clocks jump over it."""

    SHIFT = "shift"  # it fires at the first instant after the gap
    SKIP = "skip"


class FoldPolicy(StrEnum):
    """When a wall time fires that the clocks show twice."""

    FIRST = "first"
    LAST = "last"
    BOTH = "both"


class Timing(NamedTuple):
    """The timing of one schedule; instants are microseconds since 1970 in UTC.

    A cron timing needs `expression`, an interval `interval_seconds`: it fires at `anchor_us` and every so
    many seconds of elapsed time after it, whatever the clocks do.
    """

    kind: Kind
    expression: str = ""
    interval_seconds: int = 0
    anchor_us: int = 0
    timezone: str = "UTC"
    start_us: int | None = None  # inclusive
    end_us: int | None = None  # exclusive
    gap_policy: GapPolicy = GapPolicy.SHIFT
    fold_policy: FoldPolicy = FoldPolicy.FIRST

    def check(self) -> None:
        """Raises InvalidArgument, naming the field, unless every other function here takes the timing."""
        zones.check(self.timezone)
        if self.kind is Kind.CRON:
            expressions.parse(self.expression)
        elif self.interval_seconds < 1:
            raise InvalidArgument("interval_seconds", f"is {self.interval_seconds}; use 1 or more")
        if self.start_us is not None and self.end_us is not None and self.start_us >= self.end_us:
            raise InvalidTimeRange
