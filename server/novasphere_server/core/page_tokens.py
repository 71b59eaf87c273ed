"""Page tokens of lists that run from the newest row to the oldest."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import sqlalchemy as sa

from novasphere_server.errors import PageTokenInvalid
from novasphere_server.store.kinds import Kind
from novasphere_server.store.queries import Page
from novasphere_server.store.store import Store

_ROW = re.compile(r"[0-9]{1,18}")


def filters(kind: Kind[Any], token: str) -> tuple[tuple[str, str, Any], ...]:
    """Returns what a query needs to go on after the page that gave `token`."""
    if not token:
        return ()
    try:
        name, _, row = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        # As many digits as the database's integers hold for certain.
        if name != kind.name or not _ROW.fullmatch(row):
            raise PageTokenInvalid
        return (("id", "<", int(row)),)
    except (ValueError, binascii.Error):
        raise PageTokenInvalid from None


async def following(store: Store, kind: Kind[Any], page: Page[Any]) -> str:
    """Returns the token of the next page; empty after the last one."""
    if not page.items or page.total <= len(page.items):
        return ""
    last = kind.key(page.items[-1].message())
    columns = kind.table.c
    rows = await store.read(sa.select(columns.id).where(columns.key == last))
    if not rows:
        return ""
    return base64.urlsafe_b64encode(f"{kind.name}:{rows[0].id}".encode()).decode()
