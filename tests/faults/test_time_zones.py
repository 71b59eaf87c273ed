"""Schedules fire as the clocks of every time zone show, compared with somebody who watches them."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Sequence
from importlib import resources

import pytest
import wall_clocks
from novasphere_server.core.calendars import nominal_times, zones
from novasphere_server.core.calendars.timings import FoldPolicy, GapPolicy, Kind, Timing

pytestmark = pytest.mark.timeout(1800)
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"

EXPRESSIONS = [
    "*/10 * * * *",
    "5-59/10 * * * *",
    "*/10 0-4 * * *",
    "30 * * * *",
    "0 */2 * * *",
    "30 2 * * *",
    "0 0 * * *",
    "45 23 * * 0-4",
    "15,45 0-3,22-23 L,5-31 * 0,6",
    "0 3 * 3,4,9,10 *",
    "30 1 * * 0L",
    "0 2 * * 0#1,0#2",
    "10,50 59 1,2 * * *",
    "*/20 */30 0-1,2,3 * * *",
]
SELDOM = EXPRESSIONS[3:12]  # what fires once an hour, or less often
CRONS = {expression: wall_clocks.Cron(expression) for expression in EXPRESSIONS}
POLICIES = [
    (GapPolicy.SHIFT, FoldPolicy.FIRST),
    (GapPolicy.SKIP, FoldPolicy.LAST),
    (GapPolicy.SHIFT, FoldPolicy.BOTH),
]
HOUR = 60

# Half hours, days that were left out, two hours, changes at midnight, changes that are no daylight saving.
ZONES = re.findall(r"\S+", """
    UTC Europe/Berlin Europe/London Europe/Lisbon Europe/Istanbul Europe/Moscow Europe/Chisinau Africa/Cairo
    Africa/Casablanca Africa/Khartoum Africa/Sao_Tome America/New_York America/St_Johns America/Santiago
    America/Asuncion America/Havana America/Caracas America/Sao_Paulo America/Nuuk America/Scoresbysund
    Antarctica/Troll Antarctica/Casey Asia/Shanghai Asia/Tehran Asia/Pyongyang Asia/Gaza Asia/Beirut Asia/Amman
    Atlantic/Azores Australia/Lord_Howe Australia/Adelaide Pacific/Apia Pacific/Chatham Pacific/Fakaofo
    Pacific/Norfolk Pacific/Easter
""")  # fmt: skip
EVERY_ZONE = resources.files("tzdata").joinpath("zones").read_text().split()


def compare(zone: str, start: int, end: int, expressions: Sequence[str] = EXPRESSIONS) -> int:
    """Compares all that fires after one minute, up to another; returns how much that was.

    The clocks are watched for longer, to know what they had shown and were to show again.
    """
    shown = wall_clocks.watch(zone, start - 25 * HOUR, end + 25 * HOUR)
    compared = 0
    for expression in expressions:
        cron = CRONS[expression]
        taken = wall_clocks.narrow(shown, cron, start, end)
        for gap, fold in POLICIES:
            timing = Timing(Kind.CRON, expression, timezone=zone, gap_policy=gap, fold_policy=fold)
            found = [
                wall_clocks.Seen(
                    time.at_us // 1_000_000, time.wall, time.wall.fold, time.note, time.merged
                )
                # A minute of the oracle has 60 seconds.
                for time in nominal_times.times(
                    timing, start * 60_000_000 + 59_000_000, end * 60_000_000 + 59_000_000
                )
            ]
            assert found == wall_clocks.fires(cron, taken, gap, fold), (
                f"{expression} in {zone}, {gap} and {fold}"
            )
            compared += len(found)
    return compared


def compare_changes(zone: str, years: range) -> None:
    """Compares what fires around each change of the clocks."""
    start, end = wall_clocks.minute_of(years[0]), wall_clocks.minute_of(years[-1] + 1)
    for change in wall_clocks.changes(zone, start, end):
        assert compare(zone, change - 6 * HOUR, change + 24 * HOUR)


@pytest.mark.parametrize("zone", ZONES)
def test_changes_of_the_clocks_are_heeded(zone: str):
    compare_changes(zone, range(2010, 2020))


@pytest.mark.parametrize("zone", EVERY_ZONE if LONG else ["Europe/Berlin", "Africa/Casablanca"])
def test_changes_to_come_are_heeded(zone: str):
    compare_changes(zone, range(2026, 2036))


@pytest.mark.parametrize("zone", ZONES[::3] if LONG else ["America/Nuuk"])
def test_nothing_is_amiss_between_changes(zone: str):
    for year in range(2010, 2020) if LONG else [2025]:
        start, end = wall_clocks.minute_of(year), wall_clocks.minute_of(year + 1)
        assert compare(zone, start if LONG else end - 40 * 24 * HOUR, end, SELDOM)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_change_may_be_near_the_end_of_what_is_looked_at(zone: str, monkeypatch: pytest.MonkeyPatch):
    """Zones are looked at in pieces: here so small that every change is near the ends of some."""
    zones._spans_of.cache_clear()
    monkeypatch.setattr(zones, "_CHUNK", 700)
    compare_changes(zone, range(2011, 2012))
    zones._spans_of.cache_clear()


@pytest.mark.parametrize("zone", EVERY_ZONE if LONG else ["Asia/Gaza"])
def test_no_change_of_the_clocks_is_overlooked(zone: str):
    """Two of them on one day would be: there have been none since 1970, and none is announced."""
    end = wall_clocks.minute_of(2060)
    seen = [0]
    while seen[-1] < end * 60:
        seen.append(zones.span(zone, seen[-1]).end)
    for change in wall_clocks.changes(zone, wall_clocks.minute_of(1970, 1, 3), end):
        index = bisect_right(seen, change * 60)
        assert seen[index] <= (change + 6 * HOUR) * 60
