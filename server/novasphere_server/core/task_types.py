"""Types of tasks: those that are built in, and those that an agent was ever seen with."""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from novasphere_server import errors
from novasphere_server.core import task_configs
from novasphere_server.store import seeks, tables
from novasphere_server.store.transactions import Transaction

BUILT_IN = ("command", "echo", "http_request", "python_eval", "sleep", "system_info")


def _announced() -> sa.Select[tuple[str]]:
    """Returns what finds every list of capabilities that nodes have, once each, however many nodes there are."""
    nodes = tables.nodes.c
    found = seeks.values(nodes.capabilities_sha256).subquery()
    # The first from the digest on, which is of a row that has it: asked for any that equals it, PostgreSQL may read
    # the whole table, where it takes one match in so many rows to come soon.
    one = (
        sa.select(nodes.capabilities)
        .where(nodes.capabilities_sha256 >= found.c.value)
        .order_by(nodes.capabilities_sha256)
        .limit(1)
    )
    return sa.select(one.scalar_subquery()).select_from(found)


ANNOUNCED = _announced()


def check(tx: Transaction, wanted: Iterable[tuple[str, str]]) -> None:
    """Raises InvalidTaskType for a type that nobody could run: it would wait for ever. `wanted` are fields of a
    request and the types in them, empty for none.
    """
    unusual = [
        (field, task_type) for field, task_type in wanted if task_type and task_type not in BUILT_IN
    ]
    if not unusual:
        return
    known = set(BUILT_IN)
    for capabilities in tx.execute(ANNOUNCED).scalars():
        known.update(json.loads(capabilities))
    for field, task_type in unusual:
        if task_type not in known:
            raise errors.InvalidTaskType(task_type, sorted(known.difference(task_configs.KINDS))).at(
                field
            )
