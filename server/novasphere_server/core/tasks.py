"""Tasks: the work that is kept, whichever face made it. What nodes make of them is in core.reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.backlogs import Backlog
from novasphere_server.core import instants, output_chunks, task_ids
from novasphere_server.core import task_states as states
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.log import Change
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

DELETION_STEP = 200  # tasks deleted in one transaction

_table = tables.tasks.c

Listener = Callable[[str, pb.StoredTask | None], None]


class Tasks:
    """All tasks: what follows them, and what ends and forgets them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Listener] = []
        self._expecting: list[Callable[[str], None]] = []
        self.backlog = Backlog()  # of those that ended; its loop keeps it
        store.on_commit(self._follow)

    def on_change(self, listener: Listener) -> None:
        """Calls `listener` on the event loop with the run id of every task that changed and the task after
        the change; None when it was deleted. Of changes that were committed together it hears the last one
        of each task.
        """
        self._listeners.append(listener)

    def on_expected(self, listener: Callable[[str], None]) -> None:
        """Calls `listener` with the id of the node that is about to be given a task.

        What it has written in its next step on the event loop is written behind the task, mostly in the
        same commit. The task may still be refused.
        """
        self._expecting.append(listener)

    def expect(self, node_id: str) -> None:
        """Tells those who wait for it that a node is about to be given a task."""
        for listener in self._expecting:
            listener(node_id)

    async def next_queue_deadline_us(self) -> int | None:
        """Returns when the first waiting task will have waited for too long."""
        rows = await self._store.read(
            sa.select(sa.func.min(_table.queue_deadline_us)).where(_table.state == pb.WORK_STATE_PENDING)
        )
        return None if rows[0][0] is None else int(rows[0][0])

    async def expire_queued(self) -> int:
        """Ends up to a batch of tasks that waited too long for a node. Returns how many."""

        def expire(tx: Transaction) -> int:
            due = tx.find(
                TASKS,
                _table.state == pb.WORK_STATE_PENDING,
                _table.queue_deadline_us <= tx.now_us,
                limit=DELETION_STEP,
            )
            expired = 0
            for stored in tx.fitting(due):
                expire_queued(tx, stored)
                expired += 1
            return expired

        return await self._store.write(expire)

    async def timed_runs(self) -> Sequence[tuple[str, int]]:
        """Returns the unfinished tasks that the server times, and when the time of each is up."""
        rows = await self._store.read(
            sa.select(_table.key, _table.body).where(_table.state.in_(states.ON_NODE))
        )
        unfinished = ((row.key, pb.StoredTask.FromString(row.body).instance) for row in rows)
        return [
            (run_id, instants.microseconds(instance.run_deadline))
            for run_id, instance in unfinished
            if instance.HasField("run_deadline")
        ]

    async def expire_runs(self, run_ids: Sequence[str]) -> int:
        """Ends tasks whose time is up on foreign nodes, as many as one mutation may. Returns how many of
        them need no second look.
        """

        def expire(tx: Transaction) -> int:
            settled = 0
            for run_id in tx.fitting(run_ids):
                settled += 1
                stored = tx.get(TASKS, run_id)
                if stored is None or stored.task.state not in states.ON_NODE:
                    continue  # its result came in the meantime
                states.end(
                    stored,
                    pb.WORK_STATE_TIMED_OUT,
                    tx.now_us,
                    "TIMEOUT",
                    f"no result came within {stored.task.config.timeout_seconds} s after it was sent; "
                    "a foreign node cannot be told, so it may still run there",
                )
                tx.put(TASKS, stored)
            return settled

        return await self._store.write(expire)

    async def lose_work(self, node_id: str, node_uid: str) -> int:
        """Ends up to a batch of what a lost node was sent. Returns how many tasks that were."""

        def lose(tx: Transaction) -> int:
            node = tx.get(NODES, node_id)
            if node is None or node.uid != node_uid or node.connection != node_pb2.CONNECTION_STATE_LOST:
                return 0  # it came back, or was deleted
            unfinished = tx.find(
                TASKS,
                _table.node_uid == node_uid,
                _table.state.in_(states.ON_NODE),
                limit=DELETION_STEP,
            )
            lost = 0
            for stored in tx.fitting(unfinished):
                states.end(
                    stored,
                    pb.WORK_STATE_LOST,
                    tx.now_us,
                    "LOST",
                    f"node {node_id!r} stayed away too long; the command may have run",
                )
                tx.put(TASKS, stored)
                lost += 1
            return lost

        return await self._store.write(lose)

    async def oldest_end_us(self, older_than_us: int) -> int | None:
        """Returns when the task ended that ended first, if that was before a time."""
        # Spelled so that the index of what has ended serves.
        ended = sa.select(_table.completed_at_us).where(_table.completed_at_us < older_than_us)
        rows = await self._store.read(ended.order_by(_table.completed_at_us).limit(1))
        return int(rows[0][0]) if rows else None

    async def forget_ended(self, older_than_us: int) -> int:
        """Takes a step in deleting tasks that ended before a time. Returns how many went: none, when there
        was first some of their output to delete.
        """

        def forget(tx: Transaction) -> int:
            keys = (
                tx.execute(
                    sa.select(_table.key)
                    .where(_table.completed_at_us < older_than_us)
                    .order_by(_table.completed_at_us)
                    .limit(DELETION_STEP)
                )
                .scalars()
                .all()
            )
            if keys and not output_chunks.delete_some(tx, keys):
                return 0
            return delete(tx, tx.fitting(keys))

        return await self._store.write(forget)

    def _follow(self, changes: Sequence[Change]) -> None:
        last = {change.key: change.after for change in changes if change.kind_name == TASKS.name}
        for run_id, body in last.items():
            after = None if body is None else TASKS.message.FromString(body)
            for listener in self._listeners:
                listener(run_id, after)


def new(
    tx: Transaction,
    run_id: str,
    config: pb.TaskConfig,
    *,
    namespace: str,
    node: node_pb2.Node | None = None,
    priority: int = 0,
) -> pb.StoredTask:
    """Returns a new task, PENDING, to be stored: for one node, or for any that will do. All times of the
    config that have a default must be set.
    """
    now = instants.timestamp(tx.now_us)
    task_id = task_ids.task_id(run_id)
    stored = pb.StoredTask(
        task=pb.Task(
            id=task_id,
            number=tx.next_id("tasks"),
            namespace_id=namespace,
            priority=priority,
            schedule_kind=pb.SCHEDULE_KIND_EVENT,
            scheduled_at=now,
            created_at=now,
            config=config,
        ),
        instance=pb.TaskInstance(id=task_ids.new_uuid(), created_at=now),
    )
    if node is not None:
        stored.task.node_id = stored.instance.agent_id = node.node_id
        stored.task.node_uid = stored.instance.node_uid = node.uid
    states.move(stored, pb.WORK_STATE_PENDING, tx.now_us)
    return stored


def request_cancel(
    tx: Transaction, stored: pb.StoredTask, principal: Principal, grace_seconds: int | None
) -> None:
    """Ends a task that waits, or that a foreign node has; of one that another node has, notes that it is to
    be killed, once.
    """
    task = stored.task
    if task.cancel_requested:
        return
    task.cancel_requested = True
    task.cancel_requested_at.CopyFrom(instants.timestamp(tx.now_us))
    task.cancel_requested_by = principal.name
    if task.state == pb.WORK_STATE_PENDING:
        states.end(
            stored,
            pb.WORK_STATE_CANCELLED,
            tx.now_us,
            "CANCELLED",
            "cancelled before it was sent to its node",
        )
    elif stored.instance.HasField("run_deadline"):
        # Nobody could confirm it: the node's protocol has no word for it.
        states.end(
            stored,
            pb.WORK_STATE_CANCELLED,
            tx.now_us,
            "CANCELLED",
            "cancelled; a foreign node cannot be told, so it may still run there",
        )
    extra = {} if grace_seconds is None else {"cancel_grace_ms": grace_seconds * 1000}
    tx.put(TASKS, stored, **extra)


def expire_queued(tx: Transaction, stored: pb.StoredTask) -> None:
    """Ends a task that no node took in time."""
    states.end(
        stored,
        pb.WORK_STATE_TIMED_OUT,
        tx.now_us,
        "QUEUE_TIMEOUT",
        f"its node did not take it within {stored.task.config.queue_timeout_seconds} s",
    )
    tx.put(TASKS, stored)


def delete(tx: Transaction, run_ids: Iterable[str]) -> int:
    """Deletes tasks through the log, and all that was kept beside them. Returns how many."""
    deleted = []
    for run_id in run_ids:
        tx.delete(TASKS, run_id)
        deleted.append(run_id)
    output_chunks.delete(tx, deleted)
    reports = tables.stale_reports
    for start in range(0, len(deleted), DELETION_STEP):
        step = deleted[start : start + DELETION_STEP]
        tx.execute(sa.delete(reports).where(reports.c.run_id.in_(step)))
    return len(deleted)


def check_namespace(principal: Principal, namespace: str) -> None:
    """Raises PermissionDenied where the caller is bound to other namespaces."""
    if not principal.may_touch(namespace):
        raise errors.PermissionDenied(
            f"this credential does not reach the namespace {namespace!r}",
            metadata={"namespace": namespace},
        )
