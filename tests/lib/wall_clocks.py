"""When cron expressions fire, found out by watching a clock on the wall minute after minute.

Slow and plain, and shares nothing with the server: it looks at every minute of UTC, asks zoneinfo what the
clocks show, and compares. Knows `*`, numbers, ranges, steps and lists; weekdays count from Sunday as 0, and
may be as 1#2 or 5L; days may be L.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60
DAY = 1440  # minutes
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


class Seen(NamedTuple):
    """An instant at which something fires, as `NominalTime` tells it."""

    at: int  # seconds
    wall: datetime
    fold: int
    note: str
    merged: int


class Shown(NamedTuple):
    """What the clocks showed: minutes of wall time, by minutes since 1970 in UTC."""

    walls: list[tuple[int, int]]
    twice: dict[int, int]  # wall minutes that were shown twice, and when for the last time
    left_out: list[tuple[int, int]]  # the minute after the jump, and a wall minute that it left out


def watch(zone: str, start: int, end: int) -> Shown:
    """Watches from one minute until another."""
    clock = ZoneInfo(zone)
    walls, left_out = [], []
    first_shown: dict[int, int] = {}
    twice: dict[int, int] = {}
    previous = None
    for minute in range(start, end):
        shown = datetime.fromtimestamp(minute * MINUTE, clock)
        wall = shown.toordinal() * DAY + shown.hour * 60 + shown.minute - _EPOCH.toordinal() * DAY
        walls.append((minute, wall))
        if previous is not None and wall != previous + 1:
            left_out += [(minute, missing) for missing in range(previous + 1, wall)]
        if wall in first_shown:
            twice[wall] = minute
        first_shown.setdefault(wall, minute)
        previous = wall
    return Shown(walls, twice, left_out)


def changes(zone: str, start: int, end: int) -> list[int]:
    """Returns minutes near which the zone's offset changes, at most six hours before."""
    clock = ZoneInfo(zone)
    offsets = {
        minute: datetime.fromtimestamp(minute * MINUTE, clock).utcoffset()
        for minute in range(start, end, 360)
    }
    return [minute for minute, after in pairwise(offsets) if offsets[minute] != offsets[after]]


class Cron:
    """An expression of 5 or 6 fields."""

    def __init__(self, expression: str) -> None:
        texts = expression.split()
        if len(texts) == 5:
            texts.insert(0, "0")
        seconds, minutes, hours, self._days, months, self._weekdays = texts
        self.seconds = [second for second in range(60) if _listed(seconds, second, 0, 59)]
        self._minutes = {
            hour * 60 + minute
            for hour in range(24)
            for minute in range(60)
            if _listed(hours, hour, 0, 23) and _listed(minutes, minute, 0, 59)
        }
        self._months = {month for month in range(1, 13) if _listed(months, month, 1, 12)}
        self.takes_every_hour = all(_listed(hours, hour, 0, 23) for hour in range(24))
        self._known: dict[int, bool] = {}

    def takes(self, wall: int) -> bool:
        """Tells whether it fires in a minute of wall time."""
        if wall % DAY not in self._minutes:
            return False
        day = wall // DAY
        if day not in self._known:
            self._known[day] = self._takes_day(_EPOCH.date() + timedelta(days=day))
        return self._known[day]

    def _takes_day(self, day: date) -> bool:
        if day.month not in self._months:
            return False
        last = calendar.monthrange(day.year, day.month)[1]
        by_day = any(
            day.day == last if item == "L" else _listed(item, day.day, 1, 31)
            for item in self._days.split(",")
        )
        by_weekday = any(_takes_weekday(item, day, last) for item in self._weekdays.split(","))
        if self._days[0] == "*" or self._weekdays[0] == "*":
            return by_day and by_weekday
        return by_day or by_weekday


def _takes_weekday(item: str, day: date, last: int) -> bool:
    weekday = day.isoweekday() % 7
    if item.endswith("L"):
        return weekday == int(item[0]) and day.day + 7 > last
    if "#" in item:
        return weekday == int(item[0]) and -(-day.day // 7) == int(item[2])
    return _listed(item, weekday, 0, 6)


def _listed(text: str, value: int, low: int, high: int) -> bool:
    for item in text.split(","):
        span, _, step = item.partition("/")
        start, _, end = (f"{low}-{high}" if span == "*" else span).partition("-")
        last = int(end) if end else high if step else int(start)
        if int(start) <= value <= last and (value - int(start)) % int(step or 1) == 0:
            return True
    return False


def narrow(shown: Shown, cron: Cron, start: int, end: int) -> Shown:
    """Returns what an expression takes of that which the clocks showed after `start` and up to `end`."""
    offset = shown.walls[0][0] - 1
    return Shown(
        [
            (minute, wall)
            for minute, wall in shown.walls[start - offset : end - offset]
            if cron.takes(wall)
        ],
        shown.twice,
        [
            (minute, wall)
            for minute, wall in shown.left_out
            if start < minute <= end and cron.takes(wall)
        ],
    )


def fires(cron: Cron, taken: Shown, gap: str, fold: str) -> list[Seen]:
    """Returns when an expression fires, of that which it takes.

    `gap` is shift or skip, `fold` first, last or both. An expression that takes every hour heeds neither:
    it fires whenever the clocks show one of its times.
    """
    if cron.takes_every_hour:
        gap, fold = "skip", "both"
    fired: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for minute, wall in taken.left_out if gap == "shift" else ():
        for second in cron.seconds:
            fired[minute * MINUTE].append((wall * MINUTE + second, 0, "dst_shifted"))
    for minute, wall in taken.walls:
        last = taken.twice.get(wall)
        if last is not None and fold != "both" and (minute == last) != (fold == "last"):
            continue
        note = "none" if last is None else "dst_fold"
        for second in cron.seconds:
            fired[minute * MINUTE + second].append((wall * MINUTE + second, int(minute == last), note))
    return [
        Seen(at, _EPOCH + timedelta(seconds=walls[0][0]), walls[0][1], walls[0][2], len(walls) - 1)
        for at, walls in sorted(fired.items())
    ]


def minute_of(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) // MINUTE
