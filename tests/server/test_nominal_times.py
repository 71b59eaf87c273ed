"""When schedules fire: where clocks are changed, in parts of a range, and by elapsed time."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from novasphere_server import errors
from novasphere_server.core.calendars import nominal_times
from novasphere_server.core.calendars.nominal_times import Note
from novasphere_server.core.calendars.timings import FoldPolicy, GapPolicy, Kind, Timing

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
BERLIN = "Europe/Berlin"  # jumps from 2:00 to 3:00, and goes back from 3:00 to 2:00
LORD_HOWE = "Australia/Lord_Howe"  # jumps from 2:00 to 2:30, and goes back from 2:00 to 1:30
APIA = "Pacific/Apia"  # had no 30 December 2011


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def cron(expression: str, timezone: str = "UTC", **others: object) -> Timing:
    timing = Timing(Kind.CRON, expression, timezone=timezone, **others)
    timing.check()
    return timing


def told(timing: Timing, after: str, until: str) -> list[str]:
    """Returns what fires, as the time in UTC, the wall time and what is said of it."""
    return [
        f"{datetime.fromtimestamp(time.at_us // SECOND, UTC):%H:%M} {time.wall:%H:%M}"
        + ("" if time.note is Note.NONE else f" {time.note}{time.wall.fold or ''}")
        + (f" +{time.merged}" if time.merged else "")
        for time in nominal_times.times(timing, instant(after), instant(until))
    ]


def told_of_gap(expression: str, policy: GapPolicy = GapPolicy.SHIFT) -> list[str]:
    timing = cron(expression, BERLIN, gap_policy=policy)
    return told(timing, "2026-03-29T00:29:59", "2026-03-29T01:30")


def told_of_fold(expression: str, policy: FoldPolicy = FoldPolicy.FIRST) -> list[str]:
    timing = cron(expression, BERLIN, fold_policy=policy)
    return told(timing, "2026-10-24T23:29:59", "2026-10-25T02:30")


def test_a_time_that_does_not_exist_fires_once_the_gap_is_over():
    assert told_of_gap("30 2 * * *") == ["01:00 02:30 dst_shifted"]
    assert told_of_gap("30 2 * * *", GapPolicy.SKIP) == []


def test_times_that_shift_onto_one_instant_are_one_time():
    """Six do not exist, and that at the end of the gap does: 6 are merged into the earliest."""
    merged = ["00:30 01:30", "00:50 01:50", "01:00 02:10 dst_shifted +2", "01:10 03:10", "01:30 03:30"]
    assert told_of_gap("10-50/20 1-3 * * *") == merged
    assert told_of_gap("*/10 2-3 * * *")[0] == "01:00 02:00 dst_shifted +6"
    assert told_of_gap("*/10 2-3 * * *", GapPolicy.SKIP)[0] == "01:00 03:00"


def test_what_takes_every_hour_goes_through_a_gap_by_elapsed_time():
    through = ["00:45 01:45", "01:05 03:05", "01:25 03:25"]
    assert told_of_gap("5-59/20 * * * *") == through
    assert told_of_gap("5-59/20 0-23 * * *", GapPolicy.SKIP) == through
    assert told_of_gap("30 * * * *") == ["00:30 01:30", "01:30 03:30"]


def test_a_time_that_is_shown_twice_fires_as_the_policy_says():
    first, last = "00:30 02:30 dst_fold", "01:30 02:30 dst_fold1"
    assert told_of_fold("30 2 * * *") == [first]
    assert told_of_fold("30 2 * * *", FoldPolicy.LAST) == [last]
    assert told_of_fold("30 2 * * *", FoldPolicy.BOTH) == [first, last]


@pytest.mark.parametrize("policy", FoldPolicy)
def test_what_takes_every_hour_is_not_silent_for_an_hour(policy: FoldPolicy):
    fired = told_of_fold("*/30 * * * *", policy)
    assert fired == [
        "23:30 01:30",
        "00:00 02:00 dst_fold",
        "00:30 02:30 dst_fold",
        "01:00 02:00 dst_fold1",
        "01:30 02:30 dst_fold1",
        "02:00 03:00",
        "02:30 03:30",
    ]


def test_hours_that_are_named_fire_once_however_often_in_an_hour():
    fired = told_of_fold("*/30 2-3 * * *")
    assert fired == ["00:00 02:00 dst_fold", "00:30 02:30 dst_fold", "02:00 03:00", "02:30 03:30"]
    fired = told_of_fold("*/30 2-3 * * *", FoldPolicy.LAST)
    assert fired == ["01:00 02:00 dst_fold1", "01:30 02:30 dst_fold1", "02:00 03:00", "02:30 03:30"]


def test_half_an_hour_may_be_missing():
    gap = cron("0,15,30 2 * * *", LORD_HOWE)
    assert told(gap, "2026-10-03T15:00", "2026-10-03T16:00") == ["15:30 02:00 dst_shifted +2"]
    fold = cron("45 1 * * *", LORD_HOWE)
    assert told(fold, "2026-04-04T14:00", "2026-04-04T16:00") == ["14:45 01:45 dst_fold"]


def test_a_day_may_be_missing():
    twice = cron("0 9,21 * * *", APIA)
    fired = told(twice, "2011-12-30T00:00", "2011-12-30T20:00")
    assert fired == ["07:00 21:00", "10:00 09:00 dst_shifted +1", "19:00 09:00"]
    by_date = cron("0 9 30 12 *", APIA, gap_policy=GapPolicy.SKIP)
    assert told(by_date, "2011-01-01", "2012-12-01") == []


def test_a_zone_may_change_without_daylight_saving():
    """Pyongyang went from +8:30 to +9:00 in May 2018, at 23:30 of its clocks."""
    timing = cron("45 23 * * *", "Asia/Pyongyang")
    fired = told(timing, "2018-05-03T15:30", "2018-05-05T15:30")
    assert fired == ["15:00 23:45 dst_shifted", "14:45 23:45"]


class Stretch(NamedTuple):
    """A timing, and a range near a change of its zone's clocks."""

    timing: Timing
    after: int
    until: int


CHANGES = [
    (BERLIN, "2026-03-29T01:00"),
    (BERLIN, "2026-10-25T01:00"),
    (LORD_HOWE, "2026-04-04T15:00"),
    (LORD_HOWE, "2026-10-03T15:30"),
    (APIA, "2011-12-30T10:00"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    ("UTC", "2026-10-25T01:00"),
]
EXPRESSIONS = [
    "*/10 * * * *",
    "30 * * * *",
    "7-59/10 0-4 * * *",
    "30 2 * * *",
    "*/40 * 1,2,3 * * *",
    "0 0 * * *",
]


PATIENT = settings(deadline=None)


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    zone, change = draw(st.sampled_from(CHANGES))
    moments = st.integers(-180, 240).map(lambda minutes: instant(change) + minutes * 60 * SECOND)
    start, end = sorted([draw(moments), draw(moments)])
    offset = draw(st.sampled_from([0, 0, 1, -1, 17 * SECOND]))
    if draw(st.integers(0, 4)):
        timing = Timing(
            Kind.CRON,
            draw(st.sampled_from(EXPRESSIONS)),
            timezone=zone,
            start_us=draw(st.none() | moments),
            end_us=draw(st.none() | moments),
            gap_policy=draw(st.sampled_from(GapPolicy)),
            fold_policy=draw(st.sampled_from(FoldPolicy)),
        )
    else:
        seconds = draw(st.integers(60, 10_000))
        timing = Timing(Kind.INTERVAL, interval_seconds=seconds, anchor_us=draw(moments), timezone=zone)
    return Stretch(timing, start + offset, end + offset)


@PATIENT
@given(stretches())
def test_times_increase_and_lie_in_their_bounds(stretch: Stretch):
    timing = stretch.timing
    found = [time.at_us for time in nominal_times.times(*stretch)]
    assert found == sorted(set(found))
    for at in found:
        assert stretch.after < at <= stretch.until
        assert timing.start_us is None or at >= timing.start_us
        assert timing.end_us is None or at < timing.end_us


@PATIENT
@given(stretches(), st.data())
def test_a_range_may_be_cut_anywhere(stretch: Stretch, data: st.DataObject):
    timing, after, until = stretch
    whole = list(nominal_times.times(timing, after, until))
    # Where something fires is where a cut may hurt.
    instants = st.integers(after, until) | st.sampled_from([after, *(time.at_us for time in whole)])
    for cut in data.draw(st.lists(instants, min_size=3, max_size=3)):
        parts = [nominal_times.times(timing, after, cut), nominal_times.times(timing, cut, until)]
        assert [time for part in parts for time in part] == whole


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("fold_policy", FoldPolicy)
def test_a_range_may_be_cut_while_clocks_are_changed(zone: str, change: str, fold_policy: FoldPolicy):
    after, until = instant(change) - 3 * HOUR, instant(change) + 3 * HOUR
    for expression in EXPRESSIONS:
        timing = cron(expression, zone, fold_policy=fold_policy)
        whole = list(nominal_times.times(timing, after, until))
        for cut in range(after + 600 * SECOND, until, 600 * SECOND):
            for at in (cut - 1, cut):
                rest = [time for time in whole if time.at_us > at]
                assert list(nominal_times.times(timing, at, until)) == rest


@PATIENT
@given(stretches())
def test_every_way_to_ask_answers_the_same(stretch: Stretch):
    timing, at, _ = stretch
    first = nominal_times.preview(timing, at, 5)
    one_by_one = []
    while len(one_by_one) < 5 and (time := nominal_times.next_time(timing, at)):
        one_by_one.append(time)
        at = time.at_us
    assert one_by_one == first
    if first:
        assert nominal_times.count(timing, stretch.after, at, 100) == len(first)
        assert nominal_times.count(timing, stretch.after, at, 3) == min(3, len(first))


def test_bounds_are_inclusive_at_the_start_and_exclusive_at_the_end():
    bounded = cron("0 * * * *", start_us=instant("2026-01-01T01:00"), end_us=instant("2026-01-01T03:00"))
    assert told(bounded, "2025-12-31", "2026-12-31") == ["01:00 01:00", "02:00 02:00"]
    interval = Timing(
        Kind.INTERVAL,
        interval_seconds=3600,
        anchor_us=instant("2026-01-01"),
        start_us=instant("2026-01-01T01:00"),
        end_us=instant("2026-01-01T03:00"),
    )
    assert told(interval, "2025-12-31", "2026-12-31") == ["01:00 01:00", "02:00 02:00"]


def test_instants_between_seconds_round_to_none_that_fires_early():
    timing = cron("* * * * * *", start_us=SECOND + 1, end_us=4 * SECOND + 1)
    assert [time.at_us for time in nominal_times.times(timing, 0, 10 * SECOND)] == [
        2 * SECOND,
        3 * SECOND,
        4 * SECOND,
    ]
    assert [time.at_us for time in nominal_times.times(timing, 2 * SECOND - 1, 3 * SECOND - 1)] == [
        2 * SECOND
    ]


def test_intervals_are_elapsed_time_from_their_anchor():
    """A time of day that moves with the clocks is what cron is for."""
    anchor = instant("2026-03-28T12:00") + 5
    daily = Timing(Kind.INTERVAL, interval_seconds=86_400, anchor_us=anchor, timezone=BERLIN)
    found = nominal_times.preview(daily, 0, 3)
    assert [time.at_us - anchor for time in found] == [0, DAY, 2 * DAY]
    assert [f"{time.wall:%H:%M}" for time in found] == ["13:00", "14:00", "14:00"]
    assert found[0].wall.microsecond == 5
    # However late it is asked, it has not drifted.
    late = nominal_times.next_time(daily, anchor + 10_000 * DAY - 1)
    assert late is not None
    assert late.at_us == anchor + 10_000 * DAY


def test_what_is_over_never_fires_again_and_says_so_at_once():
    assert nominal_times.next_time(cron("0 0 0 1 1 ? 2020", BERLIN), instant("2026-01-01")) is None
    ended = cron("0 0 * * *", end_us=instant("2020-01-01"))
    assert nominal_times.next_time(ended, instant("2026-01-01")) is None
    assert nominal_times.preview(cron("0 0 * * *"), instant("2199-12-30T12:00"), 5)[1:] == []
    forever = 2**62
    assert nominal_times.next_time(cron("0 0 * * *"), forever) is None
    hourly = Timing(Kind.INTERVAL, interval_seconds=3600)
    assert nominal_times.next_time(hourly, forever) is None
    assert [time.at_us for time in nominal_times.times(hourly, -forever, HOUR)] == [0, HOUR]


def test_the_rarest_of_days_is_found():
    """The 29th of February on a Sunday, 40 years apart around a century without one."""
    timing = cron("0 0 29 2 */7", BERLIN)
    found = nominal_times.preview(timing, instant("2060-01-01"), 3)
    assert [f"{time.wall:%Y-%m-%d}" for time in found] == ["2060-02-29", "2088-02-29", "2128-02-29"]


@pytest.mark.parametrize(
    ("timing", "field", "says"),
    [
        (
            Timing(Kind.CRON, "0 0 * * *", timezone="Asia/Shangai"),
            "timezone",
            "did you mean 'Asia/Shanghai'",
        ),
        (
            Timing(Kind.CRON, "0 0 * * *", timezone="europe/berlin"),
            "timezone",
            "did you mean 'Europe/Berlin'",
        ),
        (Timing(Kind.CRON, "0 0 * * *", timezone="CST"), "timezone", "IANA"),
        (Timing(Kind.CRON, "0 0 * * *", timezone=""), "timezone", "'Asia/Shanghai' or 'UTC'"),
        (Timing(Kind.CRON, "0 0 * * *", timezone="../../etc/passwd"), "timezone", "IANA"),
        (Timing(Kind.CRON, "0 0 * * *", timezone="X" * 100_000), "timezone", "'Asia/Shanghai' or 'UTC'"),
        (Timing(Kind.CRON, "0 0 * * *", timezone="America"), "timezone", "IANA"),
        (Timing(Kind.CRON, "0 0 * * *", timezone="localtime"), "timezone", "IANA"),
        (Timing(Kind.CRON, "0 25 * * *"), "expression", "field 2 (hours)"),
        (Timing(Kind.INTERVAL), "interval_seconds", "1 or more"),
        (Timing(Kind.INTERVAL, interval_seconds=-5), "interval_seconds", "is -5"),
    ],
)
def test_a_timing_that_cannot_fire_is_refused_by_field(timing: Timing, field: str, says: str):
    with pytest.raises(errors.InvalidArgument) as refused:
        timing.check()
    assert refused.value.violations[0].field == field
    assert says in refused.value.violations[0].description


def test_an_end_that_is_no_later_than_the_start_is_refused():
    with pytest.raises(errors.InvalidTimeRange):
        Timing(Kind.INTERVAL, interval_seconds=1, start_us=5, end_us=5).check()


def test_a_machine_without_time_zones_has_them_all_the_same():
    script = """
from novasphere_server.core.calendars import nominal_times
from novasphere_server.core.calendars.timings import Kind, Timing
timing = Timing(Kind.CRON, "0 9 * * *", timezone="Asia/Shanghai")
timing.check()
print(nominal_times.next_time(timing, 0).at_us)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(ran.stdout) == HOUR
