"""Cron expressions: what they take of the calendar, whatever the time zone.

A wall time is what a clock on the wall shows, counted in seconds from its 1970-01-01 00:00:00. Which
dialects are read, and how they are told apart, is in docs/decisions/0013-cron-dialects.md.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
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


_NEVER = 255  # in the place of a value, where none follows


def _onward(values: Collection[int], size: int) -> bytes:
    """Returns for each number up to `size` the first of the values that does not lie before it, or _NEVER."""
    following = bytearray([_NEVER] * (size + 1))
    for number in range(size - 1, -1, -1):
        following[number] = number if number in values else following[number + 1]
    return bytes(following)


@dataclass(slots=True, eq=False)
class _Days:
    """Which days of a month are taken. Weekdays count from Sunday, which is 0."""

    days: frozenset[int]
    from_the_end: frozenset[int]  # 0: the last day of the month
    weekdays: frozenset[int]
    weeks: frozenset[tuple[int, int]]  # a weekday, and which of the month's
    takes_either: bool  # a day of the month or a weekday is enough
    # There are 28 sorts of months: by the weekday they begin with and by length.
    _sorts: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def are_all(self) -> bool:
        return len(self.days) == 31 and len(self.weekdays) == 7

    def onward(self, sort: tuple[int, int]) -> bytes:
        """Returns for each day of a month of that sort, from 1 on, the first that is taken from it on."""
        known = self._sorts.get(sort)
        if known is None:
            first_weekday, length = sort
            taken = {day for day in range(1, length + 1) if self._takes(day, first_weekday, length)}
            known = self._sorts[sort] = _onward(taken, length + 1)
        return known

    def _takes(self, day: int, first_weekday: int, length: int) -> bool:
        weekday = (first_weekday + day - 1) % 7
        by_day = day in self.days or length - day in self.from_the_end
        by_weekday = (
            weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.weeks
            or (day + 7 > length and (weekday, _LAST) in self.weeks)
        )
        return by_day or by_weekday if self.takes_either else by_day and by_weekday


@dataclass(slots=True, eq=False)
class Expression:
    """What an expression takes. Of seconds, minutes and hours it is known which follows on which."""

    seconds: bytes
    minutes: bytes
    hours: bytes
    months: tuple[int, ...]
    years: Sequence[int]
    end: int  # of its last year, as a wall time
    names_hours: bool  # it takes some hours of the day only
    takes_every_day: bool
    _days: _Days

    def walls(self, start: int, end: int) -> Iterator[int]:
        """Yields the wall times from `start` until before `end`."""
        while (wall := self.next_wall(start, end)) is not None:
            yield wall
            start = wall + 1

    def next_wall(self, start: int, end: int) -> int | None:
        """Returns the first wall time from `start` until before `end`; None if there is none."""
        day, rest = divmod(start, DAY)
        found, time = self._next_day(day, end), self._next_time(rest)
        if found == day and time is None:
            found = self._next_day(day + 1, end)
        if found is None:
            return None
        if found > day or time is None:
            time = self._next_time(0) or 0
        wall = found * DAY + time
        return wall if wall < end else None

    def _next_time(self, rest: int) -> int | None:
        """Returns the first time of day from `rest` on, in seconds; None if there is none."""
        minute, second = divmod(rest, 60)
        hour, minute = divmod(minute, 60)
        second = self.seconds[second]
        if second == _NEVER:
            second, minute = self.seconds[0], minute + 1
        later = self.minutes[minute]
        if later == _NEVER:
            hour += 1
        later_hour = self.hours[hour]
        if later_hour == _NEVER:
            return None
        if later_hour > hour or later == _NEVER:
            later, second = self.minutes[0], self.seconds[0]
        elif later > minute:
            second = self.seconds[0]
        return later_hour * 3600 + later * 60 + second

    def _next_day(self, day: int, end: int) -> int | None:
        """Returns the first day since 1970 from `day` on, of those that begin before `end`; None if there is none."""
        if self.takes_every_day:
            return day
        start = date.fromordinal(EPOCH + day)
        month_from = start.month
        for year in self.years[bisect_left(self.years, start.year) :]:
            if year > start.year:
                month_from = 1
            for month in self.months[bisect_left(self.months, month_from) :]:
                first, sort = _month(year, month)
                if first * DAY >= end:
                    return None
                number = self._days.onward(sort)[max(day - first + 1, 1)]
                if number != _NEVER:
                    return first + number - 1
        return None


@cache  # every month of every year that there is
def _month(year: int, month: int) -> tuple[int, tuple[int, int]]:
    """Returns the month's first day since 1970, and its sort."""
    weekday, length = calendar.monthrange(year, month)
    return date(year, month, 1).toordinal() - EPOCH, ((weekday + 1) % 7, length)


@lru_cache(maxsize=16_384)
def parse(text: str) -> Expression:
    """Reads an expression; raises InvalidExpression."""
    given = _words(text)
    is_long = len(given) > 5
    is_quartz = is_long and "?" in given
    # Fields that are not given are never wrong, wherever their places are.
    words = [*([] if is_long else ["0"]), *given, *([] if len(given) == 7 else ["*"])]
    places = _places(is_long=is_long, is_quartz=is_quartz)
    if "?" in text:
        _check_question_marks(places, words)
        words = ["*" if word == "?" else word for word in words]
    _check_numbering(places[5], words[5], given, is_quartz=is_quartz)
    seconds, minutes, hours = (_times(places[n], words[n]) for n in range(3))
    months = _plain(places[4], words[4])
    years = _YEARS if words[6] == "*" else _plain(places[6], words[6])
    days = _days(places[3], words[3], places[5], words[5])
    expression = Expression(
        seconds,
        minutes,
        hours,
        months,
        years,
        end=_end(years[-1]),
        names_hours=len(_plain(places[2], words[2])) < 24,
        takes_every_day=days.are_all and (len(months), len(years)) == (12, len(_YEARS)),
        _days=days,
    )
    if not expression.takes_every_day and expression.next_wall(0, expression.end) is None:
        raise places[3].refused(
            f"the days, months, weekdays and years of {text!r} never come together from {fields.FIRST_YEAR} "
            f"to {fields.LAST_YEAR}, so it would never fire; change one of them"
        )
    return expression


@cache
def _end(year: int) -> int:
    return (date(year + 1, 1, 1).toordinal() - EPOCH) * DAY


@cache
def _places(*, is_long: bool, is_quartz: bool) -> Sequence[Field]:
    """Returns the fields, each with its place in the expression, if it is given."""
    all_fields = (
        fields.SECONDS,
        fields.MINUTES,
        fields.HOURS,
        fields.DAYS,
        fields.MONTHS,
        fields.QUARTZ_WEEKDAYS if is_quartz else fields.WEEKDAYS,
        fields.YEARS,
    )
    return [replace(place, position=n) for n, place in enumerate(all_fields, 1 if is_long else 0)]


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


def _check_question_marks(places: Sequence[Field], words: list[str]) -> None:
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


# Many expressions share what one of their fields says.


@lru_cache(maxsize=4096)
def _plain(place: Field, word: str) -> tuple[int, ...]:
    return tuple(sorted(set().union(*map(place.values, place.items(word)))))


@lru_cache(maxsize=4096)
def _times(place: Field, word: str) -> bytes:
    return _onward(_plain(place, word), place.high + 1)


@lru_cache(maxsize=4096)
def _days(of_month: Field, days_word: str, of_week: Field, weekdays_word: str) -> _Days:
    days, from_the_end = _month_days(of_month, days_word)
    weekdays, weeks = _weekdays(of_week, weekdays_word)
    # As cron does: two fields that both choose add up, unless one of them begins with a star.
    takes_either = not (days_word.startswith("*") or weekdays_word.startswith("*"))
    return _Days(days, from_the_end, weekdays, weeks, takes_either)


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
