"""Cron expressions: what they take of the calendar, whatever the time zone.

A wall time is what a clock on the wall shows, counted in seconds from its 1970-01-01 00:00:00. Which
dialects are read, and how they are told apart, is in docs/decisions/0013-cron-dialects.md.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache

from novasphere_server.core.calendars import fields
from novasphere_server.core.calendars.fields import Field, InvalidExpression

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()

_YEARS = range(fields.FIRST_YEAR, fields.LAST_YEAR + 1)

_LONGEST = 500  # characters: every minute of an hour by its number takes 170
_ALIASES = {
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
    "@MONTHLY": "0 0 1 * *",
    "@WEEKLY": "0 0 * * 0",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@HOURLY": "0 * * * *",
}
_LAST_DAY = re.compile(r"L(?:-([0-9]{1,2}))?")
_NEAREST_WEEKDAY = re.compile(r"(?:[0-9]+|L)?W")
_LAST_WEEKDAY = re.compile(r"([A-Z]+|[0-9]+)L")
_WEEKS = ("1", "2", "3", "4", "5")  # of a month
_NUMBERED = re.compile(r"(?:^|[,-])[0-9]")  # a weekday, and neither a step nor a week
_LAST = -1  # in place of the week that `#` counts


@dataclass(frozen=True, slots=True)
class _Days:
    """Which days of a month are taken. Weekdays count from Sunday, which is 0."""

    days: frozenset[int]
    from_the_end: frozenset[int]  # 0: the last day of the month
    weekdays: frozenset[int]
    weeks: frozenset[tuple[int, int]]  # a weekday, and which of the month's
    takes_either: bool  # a day of the month or a weekday is enough

    def of(self, first_weekday: int, length: int) -> tuple[int, ...]:
        """Returns the days of a month of `length` days that begins with `first_weekday`."""
        return tuple(day for day in range(1, length + 1) if self._takes(day, first_weekday, length))

    def _takes(self, day: int, first_weekday: int, length: int) -> bool:
        weekday = (first_weekday + day - 1) % 7
        by_day = day in self.days or length - day in self.from_the_end
        by_weekday = (
            weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.weeks
            or (day + 7 > length and (weekday, _LAST) in self.weeks)
        )
        return by_day or by_weekday if self.takes_either else by_day and by_weekday


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """What an expression takes, sorted."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: Sequence[int]
    end: int  # of its last year, as a wall time
    _days: _Days
    _takes_every_day: bool
    # There are 28 sorts of months: by the weekday they begin with and by length.
    _sorts: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    @property
    def names_hours(self) -> bool:
        """Tells whether it takes some hours of the day only."""
        return len(self.hours) < 24

    def walls(self, start: int, end: int) -> Iterator[int]:
        """Yields the wall times from `start` until before `end`."""
        first_day, rest = divmod(start, DAY)
        every_day = range(first_day, -(-end // DAY))
        for day in every_day if self._takes_every_day else self._days_from(first_day, end):
            hour, minute, second = (
                (rest // 3600, rest // 60 % 60, rest % 60) if day == first_day else (0, 0, 0)
            )
            for h in self.hours[bisect_left(self.hours, hour) :]:
                if h > hour:
                    minute = second = 0
                for m in self.minutes[bisect_left(self.minutes, minute) :]:
                    if m > minute:
                        second = 0
                    base = day * DAY + h * 3600 + m * 60
                    for s in self.seconds[bisect_left(self.seconds, second) :]:
                        if base + s >= end:
                            return
                        yield base + s
                    second = 0
                minute = second = 0

    def _days_from(self, day: int, end: int) -> Iterator[int]:
        """Yields the days since 1970 on which something may happen before `end`."""
        start = date.fromordinal(EPOCH + day)
        month_from = start.month
        for year in self.years[bisect_left(self.years, start.year) :]:
            if year > start.year:
                month_from = 1
            for month in self.months[bisect_left(self.months, month_from) :]:
                first, sort = _month(year, month)
                if first * DAY >= end:
                    return
                days = self._sorts.get(sort)
                if days is None:
                    days = self._sorts[sort] = self._days.of(*sort)
                for number in days[bisect_left(days, day - first + 1) :]:
                    yield first + number - 1


@cache  # every month of every year that there is
def _month(year: int, month: int) -> tuple[int, tuple[int, int]]:
    """Returns the month's first day since 1970, and its sort."""
    weekday, length = calendar.monthrange(year, month)
    return date(year, month, 1).toordinal() - EPOCH, ((weekday + 1) % 7, length)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Reads an expression; raises InvalidExpression."""
    given = _words(text)
    is_quartz = len(given) > 5 and "?" in given
    # Fields that are not given are never wrong, wherever their places are.
    words = [*([] if len(given) > 5 else ["0"]), *given, *([] if len(given) == 7 else ["*"])]
    places = [
        replace(place, position=number)
        for number, place in enumerate(
            (
                fields.SECONDS,
                fields.MINUTES,
                fields.HOURS,
                fields.DAYS,
                fields.MONTHS,
                fields.QUARTZ_WEEKDAYS if is_quartz else fields.WEEKDAYS,
                fields.YEARS,
            ),
            1 if len(given) > 5 else 0,
        )
    ]
    _check_question_marks(places, words)
    _check_numbering(places[5], words[5], given, is_quartz=is_quartz)
    words = ["*" if word == "?" else word for word in words]
    seconds, minutes, hours, months = (_plain(places[n], words[n]) for n in (0, 1, 2, 4))
    years = _YEARS if words[6] == "*" else _plain(places[6], words[6])
    days, from_the_end = _month_days(places[3], words[3])
    weekdays, weeks = _weekdays(places[5], words[5])
    # As cron does: two fields that both choose add up, unless one of them begins with a star.
    takes_either = not (words[3].startswith("*") or words[5].startswith("*"))
    expression = Expression(
        seconds,
        minutes,
        hours,
        months,
        years,
        (date(years[-1] + 1, 1, 1).toordinal() - EPOCH) * DAY,
        _Days(days, from_the_end, weekdays, weeks, takes_either),
        _takes_every_day=(len(days), len(weekdays), len(months), len(years)) == (31, 7, 12, len(_YEARS)),
    )
    if next(expression.walls(0, expression.end), None) is None:
        raise places[3].refused(
            f"the days, months, weekdays and years of {text!r} never come together from {fields.FIRST_YEAR} "
            f"to {fields.LAST_YEAR}, so it would never fire; change one of them"
        )
    return expression


def _words(text: str) -> list[str]:
    """Returns the fields of an expression, which are 5, 6 or 7."""
    if len(text) > _LONGEST:
        raise InvalidExpression(f"is longer than {_LONGEST} characters; use ranges and steps")
    words = text.upper().split()
    if words and words[0].startswith(("TZ=", "CRON_TZ=")):
        raise InvalidExpression(f"{words[0]!r} does not belong here; give the zone as timezone")
    if words and words[0].startswith("@"):
        alias = _ALIASES.get(" ".join(words))
        if alias is None:
            raise InvalidExpression(
                f"{text!r} is not known; use {', '.join(_ALIASES).lower()}, or an interval in place of @every"
            )
        return alias.split()
    if not 5 <= len(words) <= 7:
        raise InvalidExpression(
            f"{text!r} has {len(words)} fields; write 5 (minutes hours days months weekdays), 6 (seconds "
            "first), or 7 (seconds first, years last)"
        )
    return words


def _check_question_marks(places: list[Field], words: list[str]) -> None:
    """Raises InvalidExpression where `?` cannot stand."""
    for place, word in zip(places, words, strict=True):
        if "?" in word and (word != "?" or place.name not in ("days", "weekdays")):
            raise place.refused(
                f"{word!r} cannot stand here: ? means no particular day, alone in days or in weekdays; use *, "
                "and put a 0 for the seconds in front of an expression of AWS"
            )
    if words[3] == words[5] == "?":
        raise places[5].refused("? stands in days and in weekdays; write * or the days in one of them")


def _check_numbering(place: Field, word: str, given: list[str], *, is_quartz: bool) -> None:
    """Raises InvalidExpression for weekdays by number if nothing tells which of them is the first."""
    if is_quartz or (len(given) < 7 and "?" not in given):
        return
    if _NUMBERED.search(word):
        raise place.refused(
            f"{word!r} may count from Sunday as 0, as cron does, or from Sunday as 1, as Quartz does; "
            "use names such as MON"
        )


def _plain(place: Field, word: str) -> tuple[int, ...]:
    return tuple(sorted(set().union(*map(place.values, place.items(word)))))


def _month_days(place: Field, word: str) -> tuple[frozenset[int], frozenset[int]]:
    """Returns days of the month, and days counted from its last one, which is 0."""
    days: set[int] = set()
    from_the_end: set[int] = set()
    for item in place.items(word):
        if _NEAREST_WEEKDAY.fullmatch(item):
            raise place.refused(
                f"{item!r}: W, the nearest weekday, is not supported; say the weekday instead, such as MON#1 for "
                "the month's first Monday or FRIL for its last Friday, in weekdays"
            )
        if last := _LAST_DAY.fullmatch(item):
            if int(last[1] or 0) > 30:
                raise place.refused(f"{item!r} is in no month; use L-0 to L-30")
            from_the_end.add(int(last[1] or 0))
        else:
            days |= place.values(item)
    return frozenset(days), frozenset(from_the_end)


def _weekdays(place: Field, word: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Returns weekdays, and those of certain weeks of the month, all counted from Sunday, which is 0."""
    weekdays: set[int] = set()
    weeks: set[tuple[int, int]] = set()
    for item in place.items(word):
        if item == "L":
            raise place.refused(
                "L alone says no weekday; write FRIL for the month's last Friday, SAT for Saturday"
            )
        if last := _LAST_WEEKDAY.fullmatch(item):
            weeks.add((_from_sunday(place, place.value(last[1])), _LAST))
        elif "#" in item:
            weekday, _, week = item.partition("#")
            if week not in _WEEKS:
                raise place.refused(
                    f"{item!r} cannot be read; write a weekday and which of the month's it is, 1 to 5, such as MON#1"
                )
            weeks.add((_from_sunday(place, place.value(weekday)), int(week)))
        else:
            weekdays |= {_from_sunday(place, value) for value in place.values(item)}
    return frozenset(weekdays), frozenset(weeks)


def _from_sunday(place: Field, value: int) -> int:
    return (value - place.low) % 7
