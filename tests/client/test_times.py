from __future__ import annotations

from datetime import UTC, datetime

import pytest
from novasphere_client.cli import times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (12, "12s"),
        (119, "119s"),
        (180, "3m"),
        (7199, "119m"),
        (7200, "2h"),
        (200000, "2d"),
        (-5, "0s"),
    ],
)
def test_ages_are_short(seconds: int, text: str) -> None:
    assert times.age(1000, now=1000 + seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15M", 900), ("12h", 43200), ("2w", 1209600)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert times.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "1.5h", "-3s", "soon", "3 s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        times.parse_duration(text)


def test_moments_are_durations_from_now_or_rfc_3339() -> None:
    assert times.parse_moment("2030-01-31T12:00:00Z") == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert times.parse_moment("1h") > datetime.now(UTC)
    for text in ("2030-01-31", "2030-01-31T12:00:00", "tomorrow"):
        with pytest.raises(ValueError, match="neither a duration"):
            times.parse_moment(text)


def test_what_is_past_has_no_time_left() -> None:
    assert times.until(1000, now=1001) == ""
    assert times.until(1090, now=1000) == "90s"
