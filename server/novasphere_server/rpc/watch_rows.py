"""Pages of a watch as response messages, made once for everybody who is sent the same page."""

from __future__ import annotations

from typing import Any, TypeVar

from google.protobuf.message import Message

from novasphere_server.rpc.views import STANDS, Many, One
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.watches import WatchEvent, WatchPage

R = TypeVar("R", bound=Message)


def response(page: WatchPage, response_type: type[R], event_type: type[Any]) -> Many[R]:
    """Returns the page as a message whose field `events` holds its rows; STANDS for one without."""
    if not page.events:
        return STANDS

    def make() -> Many[R]:
        rows = [_row(event, event_type) for event in page.events]
        return Many(response_type(), "events", rows)

    return page.memo(response_type.DESCRIPTOR.full_name, make)


def _row(event: WatchEvent, event_type: type[Any]) -> Rendered[Any]:
    row = event_type(type=event.type, cursor=event.cursor)
    if event.gap is not None:
        row.gap.CopyFrom(event.gap)
    wire = row.SerializeToString() if event.object is None else One(row, "object", event.object).wire()
    return Rendered(event_type, wire, event.cursor)
