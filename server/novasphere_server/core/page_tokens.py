"""Page tokens: where the page that gave one ended. Clients hand them back as they are."""

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

NUMBER = "([0-9]{1,18})"  # as many digits as the database's integers hold for certain


def token(of: str, *parts: object) -> str:
    """Returns the token of a list that goes on after what `parts` say."""
    return base64.urlsafe_b64encode(":".join(map(str, (of, *parts))).encode()).decode()


def read(token: str, of: str, *patterns: str) -> tuple[str, ...] | None:
    """Returns the parts of a token of this list; None where there is none. Raises PageTokenInvalid unless they
    match the patterns, each of which is one group.
    """
    if not token:
        return None
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        raise PageTokenInvalid from None
    found = re.fullmatch(":".join((of, *patterns)), text)
    if found is None:
        raise PageTokenInvalid
    return found.groups()


def filters(kind: Kind[Any], token: str) -> tuple[tuple[str, str, Any], ...]:
    """Returns what a query of rows from the newest to the oldest needs to go on after the page that gave `token`."""
    parts = read(token, kind.name, NUMBER)
    return () if parts is None else (("id", "<", int(parts[0])),)


async def following(store: Store, kind: Kind[Any], page: Page[Any]) -> str:
    """Returns the token of the next page of such a query; empty after the last one."""
    if not page.items or page.total <= len(page.items):
        return ""
    last = kind.key(page.items[-1].message())
    columns = kind.table.c
    rows = await store.read(sa.select(columns.id).where(columns.key == last))
    return token(kind.name, rows[0].id) if rows else ""
