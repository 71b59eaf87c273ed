"""The times at which a timing fires.

A nominal time is an instant. Which wall times it stands for, where clocks are changed, is in
docs/decisions/0013-cron-dialects.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from novasphere_server.core.calendars import expressions, zones
from novasphere_server.core.calendars.expressions import DAY, Expression
from novasphere_server.core.calendars.fields import LAST_YEAR
from novasphere_server.core.calendars.timings import FoldPolicy, GapPolicy, Kind, Timing

_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  wall times have no zone
LAST_US = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) * _SECOND - 1


class Note(StrEnum):
    """What is special about the wall time of a nominal time."""

    NONE = "none"
    DST_SHIFTED = "dst_shifted"  # it does not exist; the instant is the first after the gap
    DST_FOLD = "dst_fold"  # it is shown twice; its `fold` is 0 the first time, 1 the second


class NominalTime(NamedTuple):
    """An instant at which a schedule is to fire."""

    at_us: int
    shown_us: int  # the wall time, counted from 1970; the earliest, if several fell on the instant
    note: Note = Note.NONE
    merged: int = 0  # how many other wall times fell on the instant
    fold: int = 0

    @property
    def wall(self) -> datetime:
        """The wall time, without a zone."""
        return (_EPOCH + timedelta(microseconds=self.shown_us)).replace(fold=self.fold)


def times(timing: Timing, after_us: int, until_us: int) -> Iterator[NominalTime]:
    """Yields the times after `after_us` up to and including `until_us`, strictly increasing.

    Nothing fires before 1970, nor later than 2199. Cutting a range anywhere changes none of its times.
    """
    first, last = max(after_us + 1, 0), min(until_us, LAST_US)
    if timing.start_us is not None:
        first = max(first, timing.start_us)
    if timing.end_us is not None:
        last = min(last, timing.end_us - 1)
    if first > last:
        return iter(())
    if timing.kind is Kind.INTERVAL:
        return _interval_times(timing, first, last)
    return _cron_times(timing, -(-first // _SECOND), last // _SECOND)


def next_time(timing: Timing, after_us: int) -> NominalTime | None:
    """Returns the first time after `after_us`; None if there is none."""
    return next(times(timing, after_us, LAST_US), None)


def come(
    timing: Timing, after_us: int, now_us: int, limit: int
) -> tuple[list[NominalTime], NominalTime | None]:
    """Returns the times after `after_us` that have come by `now_us`, at most `limit` of them, and the first that
    is not among them; None if there is none.
    """
    found: list[NominalTime] = []
    for time in times(timing, after_us, LAST_US):
        if time.at_us > now_us or len(found) == limit:
            return found, time
        found.append(time)
    return found, None


def preview(timing: Timing, after_us: int, count: int) -> list[NominalTime]:
    """Returns the first `count` times after `after_us`, or as many as there are."""
    return list(islice(times(timing, after_us, LAST_US), count))


def count(timing: Timing, after_us: int, until_us: int, limit: int) -> int:
    """Returns how many times there are in the range, at most `limit`."""
    return sum(1 for _ in islice(times(timing, after_us, until_us), limit))


def _interval_times(timing: Timing, first: int, last: int) -> Iterator[NominalTime]:
    period = timing.interval_seconds * _SECOND
    periods = -(-max(0, first - timing.anchor_us) // period)
    # Without notes: whatever clocks show, to elapsed time it is nothing special.
    for at in range(timing.anchor_us + periods * period, last + 1, period):
        span = zones.span(timing.timezone, at // _SECOND)
        shown_us = at + span.offset * _SECOND
        yield NominalTime(at, shown_us, fold=int(shown_us < span.shown * _SECOND))


def _cron_times(timing: Timing, first: int, last: int) -> Iterator[NominalTime]:
    """Yields the times from the second `first` to the second `last`."""
    expression = expressions.parse(timing.expression)
    while first <= last:
        span = zones.span(timing.timezone, first)
        offset = span.offset
        begin, end = first + offset, min(last + 1, span.end) + offset
        if expression.names_hours:
            if first == span.start and span.shown < begin and timing.gap_policy is GapPolicy.SHIFT:
                if shifted := _shifted(expression, span):
                    yield shifted
                    begin += 1  # which it stands for, too
            elif span.shown > begin and timing.fold_policy is FoldPolicy.FIRST:
                begin = span.shown
            if span.shown_next < end and timing.fold_policy is FoldPolicy.LAST:
                end = span.shown_next
        for wall in expression.walls(begin, end):
            at_us, shown_us = (wall - offset) * _SECOND, wall * _SECOND
            if wall < span.shown:
                yield NominalTime(at_us, shown_us, Note.DST_FOLD, fold=1)
            elif wall >= span.shown_next:
                yield NominalTime(at_us, shown_us, Note.DST_FOLD)
            else:
                yield NominalTime(at_us, shown_us)
        # Where nothing happens for years, its changes of the clocks need not be looked at: no clock is a day off.
        following = expression.next_wall(span.end - DAY, expression.end)
        if following is None:
            return
        first = max(span.end, following - DAY)


def _shifted(expression: Expression, span: zones.Span) -> NominalTime | None:
    """Returns the time at the start of `span` if wall times before it are left out."""
    gone = expression.walls(span.shown, span.start + span.offset)
    wall = next(gone, None)
    if wall is None:
        return None
    begin = span.start + span.offset
    merged = sum(1 for _ in gone) + sum(1 for _ in expression.walls(begin, begin + 1))
    return NominalTime(span.start * _SECOND, wall * _SECOND, Note.DST_SHIFTED, merged)
