"""Cron expressions: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st
from novasphere_server.core.calendars import expressions, nominal_times, timings
from novasphere_server.core.calendars.fields import InvalidExpression


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def fires(expression: str, after: str, count: int = 3) -> list[str]:
    """Returns when the expression fires, in UTC."""
    timing = timings.Timing(timings.Kind.CRON, expression)
    return [
        f"{time.wall:%Y-%m-%d %H:%M:%S}" for time in nominal_times.preview(timing, instant(after), count)
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/20 * * * *", ["2026-11-20 00:20:00", "2026-11-20 00:40:00", "2026-11-20 01:00:00"]),
        ("*/25 * * * * *", ["2026-11-20 00:00:25", "2026-11-20 00:00:50", "2026-11-20 00:01:00"]),
        ("15,45 8-9 * * *", ["2026-11-20 08:15:00", "2026-11-20 08:45:00", "2026-11-20 09:15:00"]),
        ("5/30 3 * * *", ["2026-11-20 03:05:00", "2026-11-20 03:35:00", "2026-11-21 03:05:00"]),
        ("0 22-2/2 * * *", ["2026-11-20 02:00:00", "2026-11-20 22:00:00", "2026-11-21 00:00:00"]),
        ("0 0 1 jan *", ["2027-01-01 00:00:00", "2028-01-01 00:00:00", "2029-01-01 00:00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00", "2036-02-29 00:00:00"]),
        ("0 0 31 * *", ["2026-12-31 00:00:00", "2027-01-31 00:00:00", "2027-03-31 00:00:00"]),
        ("0 0 L * *", ["2026-11-30 00:00:00", "2026-12-31 00:00:00", "2027-01-31 00:00:00"]),
        ("0 0 L-1,1 * *", ["2026-11-29 00:00:00", "2026-12-01 00:00:00", "2026-12-30 00:00:00"]),
        ("@weekly", ["2026-11-22 00:00:00", "2026-11-29 00:00:00", "2026-12-06 00:00:00"]),
        ("@Hourly", ["2026-11-20 01:00:00", "2026-11-20 02:00:00", "2026-11-20 03:00:00"]),
        ("  0\t0 * *  * ", ["2026-11-21 00:00:00", "2026-11-22 00:00:00", "2026-11-23 00:00:00"]),
        # Two fields that choose add up, unless one of them begins with a star.
        ("0 0 25 * SUN", ["2026-11-22 00:00:00", "2026-11-25 00:00:00", "2026-11-29 00:00:00"]),
        ("0 0 */10 * FRI", ["2026-12-11 00:00:00", "2027-01-01 00:00:00", "2027-05-21 00:00:00"]),
        # Years.
        ("0 0 0 1 1 ? 2028,2030", ["2028-01-01 00:00:00", "2030-01-01 00:00:00"]),
        ("0 0 0 1 1 * *", ["2027-01-01 00:00:00", "2028-01-01 00:00:00", "2029-01-01 00:00:00"]),
    ],
)
def test_expressions_fire_when_they_say(expression: str, expected: list[str]):
    assert fires(expression, "2026-11-20T00:00:00", len(expected)) == expected


# 2026-11-22 is a Sunday.
@pytest.mark.parametrize(
    ("expression", "day"),
    [
        ("0 0 * * 0", "2026-11-22"),
        ("0 0 * * 7", "2026-11-22"),
        ("0 0 * * 1", "2026-11-23"),
        ("0 0 * * SUN", "2026-11-22"),
        ("0 0 * * 5-7", "2026-11-22"),
        ("0 0 * * SAT-SUN", "2026-11-22"),
        ("0 0 * * 1#4", "2026-11-23"),
        ("0 0 * * 1#5", "2026-11-30"),
        ("0 0 * * 5L", "2026-11-27"),
        ("0 0 * * 7L", "2026-11-29"),
        ("0 0 ? * MON", "2026-11-23"),
        # Six fields of a cron that has seconds.
        ("0 0 0 * * 1", "2026-11-23"),
        ("0 0 0 * * 0", "2026-11-22"),
        ("0 0 0 * * 1#4", "2026-11-23"),
        # A question mark makes it Quartz's, which counts from Sunday as 1.
        ("0 0 0 ? * 1", "2026-11-22"),
        ("0 0 0 ? * 2", "2026-11-23"),
        ("0 0 0 ? * 2-6", "2026-11-23"),
        ("0 0 0 ? * 2#4", "2026-11-23"),
        ("0 0 0 ? * 6L", "2026-11-27"),
        ("0 0 0 ? * FRIL", "2026-11-27"),
        ("0 0 0 ? * 1 *", "2026-11-22"),
        ("0 0 0 ? * SUN *", "2026-11-22"),
        ("0 0 0 23 * ?", "2026-11-23"),
    ],
)
def test_weekdays_are_counted_as_the_dialect_does(expression: str, day: str):
    assert fires(expression, "2026-11-21T12:00:00", 1) == [f"{day} 00:00:00"]


@pytest.mark.parametrize(
    ("expression", "field", "position", "says"),
    [
        ("61 * * * *", "minutes", 1, ["'61'", "0 to 59"]),
        ("0 24 * * *", "hours", 2, ["'24'", "0 to 23"]),
        ("0 0 24 * * *", "hours", 3, ["'24'", "0 to 23"]),
        ("-1 * * * *", "minutes", 1, ["'-1'", "cannot be read"]),
        ("0 0 0 * *", "days", 3, ["'0'", "1 to 31"]),
        ("0 0 * 13 *", "months", 4, ["'13'", "JAN to DEC"]),
        ("0 0 * JUNE *", "months", 4, ["'JUNE'", "JAN to DEC"]),
        ("0 0 * * 8", "weekdays", 5, ["'8'", "0 to 7", "SUN to SAT"]),
        ("0 0 0 ? * 0", "weekdays", 6, ["'0'", "1 to 7"]),
        ("0 0 0 ? * 2 1969", "years", 7, ["'1969'", "1970 to 2199"]),
        ("0 0 0 ? * 2 2030-2028", "years", 7, ["backwards"]),
        ("*/0 * * * *", "minutes", 1, ["step of 0", "1 to 60"]),
        ("*/90 * * * *", "minutes", 1, ["step of 90", "interval"]),
        ("1,,2 * * * *", "minutes", 1, ["comma"]),
        ("0 0-x * * *", "hours", 2, ["'X'"]),
        ("*-5 * * * *", "minutes", 1, ["'*-5'", "cannot be read"]),
        ("٣ * * * *", "minutes", 1, ["cannot be read"]),
        ("0\x00 * * * *", "minutes", 1, ["'0\\x00'"]),
        ("0 0 15W * *", "days", 3, ["W", "not supported", "MON#1"]),
        ("0 0 0 LW * ?", "days", 4, ["W", "not supported", "FRIL"]),
        ("0 0 L-31 * *", "days", 3, ["L-30"]),
        ("0 0 * * L", "weekdays", 5, ["FRIL", "SAT"]),
        ("0 0 * * 1#6", "weekdays", 5, ["'1#6'", "1 to 5"]),
        ("0 0 * * 1-5#2", "weekdays", 5, ["'1-5'"]),
        ("0 0 * * 1/2", "weekdays", 5, ["where it ends", "1-5/2"]),
        ("? * * * *", "minutes", 1, ["use *"]),
        ("0 10 * * ? *", "months", 5, ["AWS"]),
        ("0 0 0 ? * ?", "weekdays", 6, ["in one of them"]),
        ("0 0 ? * 1", "weekdays", 5, ["Quartz", "MON"]),
        ("0 0 0 * * 1 2030", "weekdays", 6, ["Quartz", "MON"]),
        ("0 0 30 2 *", "days", 3, ["never", "1970 to 2199"]),
        ("0 0 0 31 4,6,9,11 ?", "days", 4, ["never"]),
        ("0 0 */15 * MON#2", "days", 3, ["never"]),
        ("0 0 0 29 2 ? 2100", "days", 4, ["never"]),
    ],
)
def test_errors_name_the_field_and_the_way_out(
    expression: str, field: str, position: int, says: list[str]
):
    with pytest.raises(InvalidExpression) as refused:
        expressions.parse(expression)
    assert refused.value.metadata == {"cron_field": field, "cron_position": str(position)}
    [violation] = refused.value.violations
    assert violation.field == "expression"
    for words in [f"field {position} ({field})", *says]:
        assert words in violation.description


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("0 0 0 * * ? * *", "8 fields"),
        ("@reboot", "@hourly"),
        ("@every 5m", "interval"),
        ("@", "@hourly"),
        ("TZ=Asia/Shanghai 0 2 * * *", "timezone"),
        ("CRON_TZ=Asia/Shanghai 0 2 * * *", "timezone"),
        ("0 " * 2000, "500 characters"),
    ],
)
def test_what_is_no_expression_is_refused_as_a_whole(expression: str, says: str):
    with pytest.raises(InvalidExpression) as refused:
        expressions.parse(expression)
    assert says in refused.value.message
    assert refused.value.metadata == {}


PATIENT = settings(deadline=None)


@PATIENT
@given(st.text(alphabet="0123456789*/,-#?LW @MONJAN", max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str):
    with contextlib.suppress(InvalidExpression):
        expression = expressions.parse(text)
        assert 0 <= next(expression.walls(0, expression.end)) < expression.end


def fields_of(low: int, high: int) -> st.SearchStrategy[str]:
    """Fields that every cron reads in one way."""
    values = st.integers(low, high)
    # cronsim takes 1-1/2 for 1/2, so the ends differ.
    ends = st.lists(values, min_size=2, max_size=2, unique=True)
    ranges = ends.map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.integers(1, high)
    items = st.one_of(
        st.just("*"),
        values.map(str),
        ranges,
        st.tuples(ranges | st.just("*"), steps).map(lambda parts: f"{parts[0]}/{parts[1]}"),
    )
    return st.one_of(st.just("*"), items, st.lists(items, min_size=2, max_size=3).map(",".join))


WEEKDAYS = st.one_of(
    fields_of(0, 6),
    st.sampled_from(["MON-FRI", "SUN", "1#1", "5L", "2#5,4", "0-7", "SAT,3#3", "7"]),
)
EXPRESSIONS = st.tuples(
    st.one_of(st.just(""), fields_of(0, 59).map("{} ".format)),
    fields_of(0, 59),
    fields_of(0, 23),
    fields_of(1, 31) | st.just("L"),
    fields_of(1, 12) | st.sampled_from(["FEB", "JAN-JUN"]),
    WEEKDAYS,
).map(lambda parts: parts[0] + " ".join(parts[1:]))


@PATIENT
@given(EXPRESSIONS, st.integers(instant("2000-01-01"), instant("2050-01-01")))
def test_fires_as_cronsim_does_in_utc(expression: str, after: int):
    moment = datetime.fromtimestamp(after // 1_000_000, UTC)
    try:
        peer = CronSim(expression, moment)
        expected = [next(peer) for _ in range(5)]
    except (CronSimError, StopIteration):
        with pytest.raises(InvalidExpression):
            expressions.parse(expression)
        return
    timing = timings.Timing(timings.Kind.CRON, expression)
    found = nominal_times.preview(timing, after // 1_000_000 * 1_000_000, 5)
    assert [datetime.fromtimestamp(time.at_us // 1_000_000, UTC) for time in found] == expected
