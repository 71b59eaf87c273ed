"""The tests' own reader of server-sent events, on the examples of the HTML standard."""

from __future__ import annotations

import pytest
from event_sources import Event, EventParser


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [
                ("message", "first event", "1"),
                ("message", "second event", ""),
                ("message", " third event", ""),
            ],
        ),
        ("data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        ("data:test\n\ndata: test\n\n", [("message", "test", "")] * 2),
        ("event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
        # What has no end is nothing; an id without data is kept for what comes next.
        ("id: 7\n\ndata: a\n\ndata: b\n", [("message", "a", "7")]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_events_are_read_as_the_standard_says(
    text: str, events: list[tuple[str, str, str]], end: str, piece: int
) -> None:
    # A carriage return is the end of a line only when something else follows.
    text = text.replace("\n", end) + ": the end"
    parser = EventParser()
    cut = [text[i : i + piece] for i in range(0, len(text), piece)]
    assert [e for part in cut for e in parser.feed(part)] == [Event(*event) for event in events]


def test_the_time_to_wait_is_what_the_server_asks_for() -> None:
    parser = EventParser()
    assert list(parser.feed("retry: 1500\nretry: soon\n\n")) == []
    assert parser.retry_seconds == 1.5
