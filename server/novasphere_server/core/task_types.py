"""Types of tasks: those that are built in, and those that an agent was ever seen with."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from novasphere.node.v1 import node_pb2

from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.transactions import Transaction

BUILT_IN = ("command", "echo", "http_request", "python_eval", "sleep", "system_info")


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
    for body in tx.execute(sa.select(tables.nodes.c.body)).scalars():
        known.update(node_pb2.Node.FromString(body).capabilities)
    for field, task_type in unusual:
        if task_type not in known:
            raise errors.InvalidTaskType(task_type, sorted(known)).at(field)
