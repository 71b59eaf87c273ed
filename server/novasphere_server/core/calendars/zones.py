"""What the clocks of a time zone show, and when they are changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from novasphere_server.errors import InvalidArgument

_LONGEST = 60  # characters of a name that is none: enough to recognize it
_DAY = 86_400
_REACH = 2 * _DAY  # no clock was ever changed by as much
_CHUNK = 400 * _DAY  # what is looked at in one go, and remembered


class Span(NamedTuple):
    """A stretch of time in which a zone's clocks go on evenly, in seconds.

    Instants are counted from 1970 in UTC, wall times as the clocks show them. Between `shown` and the
    span's first wall time lie those that the clocks left out, if it is earlier, and those that they show
    again, if it is later; those from `shown_next` on, the next span will show again.
    """

    start: int
    end: int  # exclusive
    offset: int  # of wall times to instants
    shown: int  # the wall time that the clocks had come to
    shown_next: int  # the wall time that the next span begins with


class _Change(NamedTuple):
    at: int
    before: int
    after: int


def check(name: str) -> None:
    """Raises InvalidArgument unless it is a time zone's name."""
    names = _names()
    if name in names:
        return
    known = {each.lower(): each for each in names}
    name = name[:_LONGEST]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {known[near[0]]!r}?" if near else "use one such as 'Asia/Shanghai' or 'UTC'"
    raise InvalidArgument(
        "timezone", f"{name!r} is not the name of a time zone in the IANA database; {hint}"
    )


@cache
def _names() -> frozenset[str]:
    # Not those of the machine, which has some that mean another thing on the next one, as `localtime`.
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


def wall_time(name: str, at_us: int) -> datetime:
    """Returns what the clocks show at an instant; its `fold` tells which time it is if they do twice."""
    seconds, rest = divmod(at_us, 1_000_000)
    return datetime.fromtimestamp(seconds, ZoneInfo(name)).replace(microsecond=rest, tzinfo=None)


def span(name: str, at: int) -> Span:
    """Returns the span of a zone that the instant `at` lies in."""
    for found in _spans_of(name, at // _CHUNK):
        if found.end > at:
            return found
    raise AssertionError("the spans of a chunk leave none of it out")


@lru_cache(maxsize=8192)
def _spans_of(name: str, chunk: int) -> tuple[Span, ...]:
    zone = ZoneInfo(name)
    first, last = chunk * _CHUNK, (chunk + 1) * _CHUNK
    changes = list(_changes(zone, first - _REACH, last + _REACH))
    made = []
    for start, end in pairwise([first, *(c.at for c in changes if first < c.at < last), last]):
        offset = _offset(zone, start)
        shown, shown_next = start + offset, end + offset
        for change in changes:
            if change.at == start:
                shown = change.at + change.before
            elif change.at < start:
                shown = max(shown, change.at + change.before)
            else:
                shown_next = min(shown_next, change.at + change.after)
        made.append(Span(start, end, offset, shown, shown_next))
    return tuple(made)


def _changes(zone: ZoneInfo, start: int, end: int) -> Iterator[_Change]:
    """Yields when the zone's offset changes from `start` until `end`."""
    # Nowhere were there two changes within a day, nor within six, since 1970.
    for day in range(start, end, _DAY):
        before, after = _offset(zone, day), _offset(zone, day + _DAY)
        if before != after:
            unchanged, at = day, day + _DAY
            while at - unchanged > 1:
                middle = (unchanged + at) // 2
                if _offset(zone, middle) == before:
                    unchanged = middle
                else:
                    at = middle
            yield _Change(at, before, after)


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return 0 if offset is None else offset.days * _DAY + offset.seconds
