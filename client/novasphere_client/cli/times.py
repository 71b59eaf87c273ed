"""Ages, durations and moments as people write them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+)([smhdw]?)")
_LONGEST = 2**31 - 1  # what the API's fields hold


def age(moment_seconds: int, *, now: float | None = None) -> str:
    """Returns how long ago something was: 12s, 3m, 2h, 5d."""
    return span((time.time() if now is None else now) - moment_seconds)


def span(seconds: float) -> str:
    """Returns a length of time in the largest unit that still says enough."""
    whole = max(int(seconds), 0)
    if whole < 120:
        return f"{whole}s"
    if whole < 120 * 60:
        return f"{whole // 60}m"
    if whole < 48 * 3600:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"


def until(moment_seconds: int, *, now: float | None = None) -> str:
    """Returns how far off something is, empty once it is past."""
    left = moment_seconds - (time.time() if now is None else now)
    return span(left) if left > 0 else ""


def parse_duration(text: str) -> int:
    """Returns a duration such as 90, 90s, 15m, 12h, 30d or 2w in seconds, or raises ValueError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write it as 90s, 15m, 12h or 30d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is too long; at most {span(_LONGEST)}")
    return seconds


def parse_moment(text: str) -> datetime:
    """Returns a moment written as RFC 3339, or as a duration from now; raises ValueError otherwise."""
    if _DURATION.fullmatch(text.strip().lower()):
        return datetime.fromtimestamp(time.time() + parse_duration(text), UTC)
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is neither a duration like 30d nor a time like 2030-01-31T12:00:00Z")


def parse_past_moment(text: str) -> datetime:
    """Returns a moment written as RFC 3339, or as how long ago it was; raises ValueError otherwise."""
    if _DURATION.fullmatch(text.strip().lower()):
        return datetime.fromtimestamp(time.time() - parse_duration(text), UTC)
    return parse_moment(text)
