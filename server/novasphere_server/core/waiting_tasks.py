"""Cancels tasks that wait, however many: what nodes have goes on."""

from __future__ import annotations

import sqlalchemy as sa

from novasphere_server.core import tasks
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.transactions import Transaction

_AT_ONCE = 200  # tasks in one mutation


def cancel_some(tx: Transaction, where: sa.ColumnElement[bool], by: str) -> bool:
    """Cancels as many as one mutation may. Returns whether those were all."""
    # In the words of an index: what has ended must not be read to find what waits.
    found = tx.find(TASKS, sa.and_(where, sa.text("state = 1")), limit=_AT_ONCE)
    cancelled = 0
    for stored in tx.fitting(found):
        tasks.request_cancel(tx, stored, by, None)
        cancelled += 1
    return cancelled == len(found) < _AT_ONCE
