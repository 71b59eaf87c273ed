"""Nodes: read, watched and deleted. How they join is in core.identities, whether they are there in
core.presence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from novasphere.node.v1 import node_pb2 as pb
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.core import etags, identities, rollups, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency, is_recorded
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.queries import LabelSelector, Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

_tasks = tables.tasks.c
_IS_PINNED = _tasks.pinned_node_id != ""

# How many tasks are settled in the transaction that deletes their node; more are settled before it.
_CASCADE = 1000


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which nodes to list or watch. Empty values choose everything."""

    status: pb.NodeStatus.ValueType = pb.NODE_STATUS_UNSPECIFIED
    node_id: str = ""
    labels: LabelSelector | None = None

    @classmethod
    def parse(
        cls,
        label_selector: str,
        *,
        status: pb.NodeStatus.ValueType = pb.NODE_STATUS_UNSPECIFIED,
        node_id: str = "",
    ) -> NodeFilter:
        """Returns the filter with the labels that a client spells. Raises InvalidArgument."""
        labels = LabelSelector.parse(label_selector) if label_selector.strip() else None
        return cls(status, node_id, labels)

    def matches(self, node: pb.Node) -> bool:
        return (not self.status or node.status == self.status) and (
            self.labels is None or self.labels.matches(node.labels)
        )


class Nodes:
    """All nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, node_id: str) -> Rendered[pb.Node]:
        """Returns a node. Raises NodeNotFound."""
        node = self._store.known(NODES, node_id) or await self._store.get(NODES, node_id)
        if node is None:
            raise errors.NodeNotFound(node_id)
        return node

    async def list(self, which: NodeFilter, *, limit: int, offset: int = 0) -> Page[pb.Node]:
        """Returns nodes in the order of their ids, and how many match in all."""
        filters = (("status", "=", which.status),) if which.status else ()
        return await self._store.list(
            Query(NODES, filters=filters, labels=which.labels, limit=limit, offset=offset)
        )

    def watch(self, which: NodeFilter, cursor: str) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch. The caller must aclose() it."""
        return self._store.watch(
            Watch(
                kind=NODES,
                cursor=cursor,
                identity=which,
                matches=which.matches,
                key=which.node_id,
            )
        )

    async def delete(
        self,
        principal: Principal,
        node_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> pb.Node:
        """Forgets a node with everything that belongs to it, and returns what it was. What only it may run goes
        too; what it was given of the rest is LOST. Its link is closed by whoever follows the log. Raises
        NodeNotFound, and PermissionDenied for a caller who is bound to namespaces: the node and its tasks are
        not theirs alone.
        """
        if principal.namespaces:
            raise errors.PermissionDenied(
                "this credential is bound to namespaces; nodes belong to all of them"
            )

        begun = ""  # the uid of the node, once some of its tasks are gone

        def find(tx: Transaction) -> pb.Node:
            node = tx.get(NODES, node_id)
            if node is None or (begun and node.uid != begun):
                raise errors.NodeNotFound(node_id)
            if not begun:  # what has begun must end, whatever the node's agent does meanwhile
                etags.check(etag, node.revision)
            return node

        def delete(tx: Transaction) -> pb.Node:
            node = find(tx)
            if not is_dry_run and not _has_room_for_tasks(tx, node.uid):
                raise _TooManyTasks
            _settle(tx, node.uid)
            rollups.delete(tx, node.uid)
            heartbeats = tables.heartbeats
            tx.execute(sa.delete(heartbeats).where(heartbeats.c.node_uid == node.uid))
            identities.retire(tx, node.uid)
            tx.delete(NODES, node_id)
            return node

        def delete_some(tx: Transaction) -> str:
            """Settles the oldest of what the node has, or alone may run. Returns the node's uid."""
            if idempotency is not None and is_recorded(tx, idempotency):
                return begun  # the same call, sent twice, was faster; delete() answers as it did
            node = find(tx)
            _settle(tx, node.uid, tasks.DELETION_STEP)
            return node.uid

        while True:
            try:
                return await self._store.write(
                    delete, idempotency=idempotency, is_dry_run=is_dry_run, result_type=pb.Node
                )
            except _TooManyTasks:
                begun = await self._store.write(delete_some)


class _TooManyTasks(Exception):
    """A node has more tasks than one mutation may delete."""


def _concerned(node_uid: str) -> sa.ColumnElement[bool]:
    """What only the node may run, and what of the rest it was given."""
    return sa.and_(_tasks.node_uid == node_uid, sa.or_(_IS_PINNED, _tasks.state.in_(states.ON_NODE)))


def _settle(tx: Transaction, node_uid: str, limit: int | None = None) -> None:
    """Deletes what only the node may run, and ends the attempts that it has of the rest: all, or of the oldest
    as many as there is room for.
    """
    statement = sa.select(_tasks.key, _IS_PINNED.label("is_pinned")).where(_concerned(node_uid))
    rows = tx.execute(statement.order_by(_tasks.id).limit(limit)).all()

    def some(run_ids: list[str]) -> Iterable[str]:
        return run_ids if limit is None else tx.fitting(run_ids)

    tasks.delete(tx, some([row.key for row in rows if row.is_pinned]))
    for run_id in some([row.key for row in rows if not row.is_pinned]):
        stored = tx.get(TASKS, run_id)
        if stored is not None:
            message = "its node was deleted; it may have run"
            tasks.end_attempt(tx, stored, task_pb2.WORK_STATE_LOST, "LOST", message)


def _has_room_for_tasks(tx: Transaction, node_uid: str) -> bool:
    """Returns whether a node's tasks can be settled together, in number and in size."""
    size = sa.func.length(_tasks.body)
    statement = sa.select(size).where(_concerned(node_uid)).limit(_CASCADE + 1)
    sizes = tx.execute(statement).scalars().all()
    return len(sizes) <= _CASCADE and sum(sizes) <= tx.room
