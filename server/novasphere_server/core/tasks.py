"""Tasks: the work that is kept, whichever face made it. What nodes make of them is in core.reports."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import job_pb2
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.backlogs import Backlog
from novasphere_server.core import demands, instants, output_chunks, task_counts, task_ids
from novasphere_server.core import task_states as states
from novasphere_server.core.principals import Principal
from novasphere_server.store import failpoints, seeks, tables
from novasphere_server.store.kinds import JOBS, NODES, TASKS
from novasphere_server.store.log import Change, Read
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

DELETION_STEP = 200  # tasks deleted in one transaction

_table = tables.tasks.c
_dependencies = tables.dependencies.c

Listener = Callable[[str, pb.StoredTask | None], None]

_MAX_RETRY_INTERVAL = 3600  # seconds
# Seconds. An agent hears of its server every 6 at least, later where a machine is busy.
SHORTEST_STOP = 15.0
# Seconds from the last heartbeat to the cut of a link, and from the first signal to the end of a process.
_STOP_MARGIN = 30.0
_RELEASED = 500  # tasks in one transaction
_ASKED = 500  # nodes of one statement


class Hold(IntEnum):
    """What keeps a waiting task from being sent, whatever nodes there are. The tables hold the numbers."""

    NONE = 0
    TIME = 1  # it is not due
    DEPENDENCIES = 2  # what it depends on has not ended


# Or will do so at a time that is known: nobody hears of its coming.
_WAITS_FOR_NODES = sa.and_(_table.state == pb.WORK_STATE_PENDING, _table.hold != Hold.DEPENDENCIES)


# What waits for one node alone, and what any node may take, spelled so that their indexes serve.
WAITS_FOR_ONE = sa.text("state = 1 AND node_uid <> '' AND hold = 0")
WAITS_FOR_ANY = sa.text("state = 1 AND node_uid = '' AND hold = 0")

_WAITING_DEMANDS = seeks.values(_table.demand, WAITS_FOR_ANY)


def _waited_for() -> sa.Select[tuple[str, str | None]]:
    """Returns what finds for each node one task that waits for it alone, by one seek however many there are."""
    node = tables.nodes.c
    waiting = sa.select(_table.key).where(WAITS_FOR_ONE, _table.node_uid == node.uid)
    # In the index's order: else PostgreSQL may read the whole table, where it takes one match in so many rows to
    # come soon.
    first = waiting.order_by(_table.rank, _table.id).limit(1).scalar_subquery()
    asked = node.uid.in_(sa.bindparam("node_uids", expanding=True))
    return sa.select(node.uid, first.label("waiting")).where(asked)


WAITED_FOR = _waited_for()


def _forgettable(column: sa.Column[Any], older_than_us: int) -> sa.Select[tuple[Any]]:
    """Returns what finds tasks whose end was heard of before a time, those first that ended first."""
    is_waited_for = sa.select(_dependencies.run_id).where(_dependencies.on_run_id == _table.key)
    return (
        sa.select(column)
        .where(
            # No end is later than it was heard of, and here the index of what has ended serves.
            _table.completed_at_us < older_than_us,
            # It last changed when it ended, however long before its node had ended it.
            _table.updated_at_us < older_than_us,
            ~is_waited_for.exists(),
        )
        .order_by(_table.completed_at_us)
    )


class Tasks:
    """All tasks: what follows them, and what ends and forgets them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Listener] = []
        self._missing: list[Callable[[], None]] = []
        self._expecting: list[Callable[[str, str, int], None]] = []
        self.backlog = Backlog()  # of those that ended; its loop keeps it
        store.on_commit(self._follow, self._recall)

    def on_change(self, listener: Listener) -> None:
        """Calls `listener` on the event loop with the run id of every task that changed and the task after
        the change; None when it was deleted. Of changes that were committed together it hears the last one
        of each task.
        """
        self._listeners.append(listener)

    def on_missed(self, listener: Callable[[], None]) -> None:
        """Calls `listener` when it may have missed changes: what it remembers of tasks is out of date."""
        self._missing.append(listener)

    def on_expected(self, listener: Callable[[str, str, int], None]) -> None:
        """Calls `listener` when tasks are about to be made, or are due and for any node: with the id of the only
        node that may run them, or with what they demand of any, and with how many they are.

        What it has written in its next step on the event loop is written behind the tasks, mostly in the
        same commit. They may still be refused.
        """
        self._expecting.append(listener)

    def expect(self, node_id: str, demand: str = "", count: int = 1) -> None:
        """Tells those who wait for it that tasks are about to be made for a node, or with a demand."""
        for listener in self._expecting:
            listener(node_id, demand, count)

    async def release_due(self) -> tuple[set[str], int | None]:
        """Lets tasks go whose time has come, and tells those who wait for what any node may run. Returns the uids
        of the nodes that alone may run others of them, and when the next is due.
        """

        def release(tx: Transaction) -> tuple[list[sa.Row[Any]], int | None]:
            held = sa.and_(_table.state == pb.WORK_STATE_PENDING, _table.hold == Hold.TIME)
            due = sa.select(_table.key).where(held, _table.due_at_us <= tx.now_us)
            keys = tx.execute(due.order_by(_table.due_at_us).limit(_RELEASED)).scalars().all()
            released: list[sa.Row[Any]] = []
            if keys:
                of_them = _table.key.in_(keys)
                released += tx.execute(sa.select(_table.node_uid, _table.demand).where(of_them))
                tx.execute(sa.update(tables.tasks).where(of_them).values(hold=Hold.NONE))
            following = sa.select(sa.func.min(_table.due_at_us)).where(held)
            return released, tx.execute(following).scalar()

        released, next_us = await self._store.write(release)
        if released:
            failpoints.hit(failpoints.RELEASED)
        node_uids = {row.node_uid for row in released if row.node_uid}
        for demand, count in Counter(row.demand for row in released if not row.node_uid).items():
            self.expect("", demand, count)
        return node_uids, next_us

    async def waiting_demands(self) -> list[str]:
        """Returns every demand of any node that tasks wait with."""
        rows = await self._store.read(_WAITING_DEMANDS)
        return [row.value for row in rows]

    async def waited_for(self, node_uids: Sequence[str]) -> list[str]:
        """Returns those of these nodes for which tasks wait that only they may run."""
        found: list[str] = []
        for start in range(0, len(node_uids), _ASKED):
            some = node_uids[start : start + _ASKED]
            rows = await self._store.read(WAITED_FOR, {"node_uids": some})
            found += [row.uid for row in rows if row.waiting is not None]
        return found

    async def next_queue_deadline_us(self) -> int | None:
        """Returns when the first waiting task will have waited for too long."""
        rows = await self._store.read(
            sa.select(sa.func.min(_table.queue_deadline_us)).where(_WAITS_FOR_NODES)
        )
        return None if rows[0][0] is None else int(rows[0][0])

    async def expire_queued(self) -> int:
        """Ends up to a batch of tasks that waited too long for a node. Returns how many."""

        def expire(tx: Transaction) -> int:
            due = tx.find(
                TASKS,
                _WAITS_FOR_NODES,
                _table.queue_deadline_us <= tx.now_us,
                limit=DELETION_STEP,
            )
            expired = 0
            for stored in tx.fitting(due):
                expire_queued(tx, stored)
                expired += 1
            return expired

        return await self._store.write(expire)

    async def timed_runs(self) -> Sequence[tuple[str, pb.TaskInstance]]:
        """Returns the unfinished attempts that the server times, each with the run id of its task."""
        rows = await self._store.read(
            sa.select(_table.key, _table.body).where(_table.state.in_(states.ON_NODE))
        )
        unfinished = ((row.key, pb.StoredTask.FromString(row.body).instance) for row in rows)
        return [each for each in unfinished if each[1].HasField("run_deadline")]

    async def expire_runs(self, due: Sequence[tuple[str, int]]) -> int:
        """Ends attempts whose time is up on foreign nodes, given as run ids and numbers, as many as one mutation
        may. Returns how many of them need no second look.
        """

        def expire(tx: Transaction) -> int:
            settled = 0
            for run_id, attempt in tx.fitting(due):
                settled += 1
                stored = tx.get(TASKS, run_id)
                if stored is None or stored.task.state not in states.ON_NODE:
                    continue  # its result came in the meantime
                if stored.instance.attempt != attempt:
                    continue  # and another attempt followed
                end_attempt(
                    tx,
                    stored,
                    pb.WORK_STATE_TIMED_OUT,
                    "TIMEOUT",
                    f"no result came within {stored.task.config.timeout_seconds} s after it was sent; "
                    "a foreign node cannot be told, so it may still run there",
                )
            return settled

        return await self._store.write(expire)

    async def lose_work(self, node_id: str, node_uid: str, away: float, usual: float) -> float | None:
        """Ends what a node was sent that has been away for too long, by what each task says or for the `usual`
        seconds. Returns after how many seconds of absence to look again, if that may be needed.
        """

        def lose(tx: Transaction) -> float | None:
            node = tx.get(NODES, node_id)
            if (
                node is None
                or node.uid != node_uid
                or node.connection == node_pb2.CONNECTION_STATE_ONLINE
            ):
                return None  # it came back, or was deleted
            unfinished = tx.find(TASKS, _table.node_uid == node_uid, _table.state.in_(states.ON_NODE))
            patience = [lost_after(stored.task.config, usual) for stored in unfinished]
            due = [each for each, limit in zip(unfinished, patience, strict=True) if limit <= away]
            lost = 0
            for stored in tx.fitting(due[:DELETION_STEP]):
                message = f"node {node_id!r} stayed away too long; it may have run"
                end_attempt(tx, stored, pb.WORK_STATE_LOST, "LOST", message)
                lost += 1
            if lost < len(due):
                return away
            return min((limit for limit in patience if limit > away), default=None)

        return await self._store.write(lose)

    async def oldest_end_us(self, older_than_us: int) -> int | None:
        """Returns when the end was heard of that forget_ended() forgets first, if there is one."""
        rows = await self._store.read(_forgettable(_table.updated_at_us, older_than_us).limit(1))
        return int(rows[0][0]) if rows else None

    async def forget_ended(self, older_than_us: int) -> int:
        """Takes a step in deleting tasks whose end was heard of before a time, and by what waited for it. Returns
        how many went: none, when there was first some of their output to delete.
        """

        def forget(tx: Transaction) -> int:
            wanted = _forgettable(_table.key, older_than_us).limit(DELETION_STEP)
            keys = tx.execute(wanted).scalars().all()
            if keys and not output_chunks.delete_some(tx, keys):
                return 0
            return delete(tx, task_counts.counting(tx, keys, tx.fitting(keys)))

        return await self._store.write(forget)

    async def _recall(self, read: Read) -> None:
        for listener in self._missing:
            listener()

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
    created_by: int = 0,
) -> pb.StoredTask:
    """Returns a new task, PENDING, to be stored by add(): for one node, or for any that will do. All times
    of the config that have a default must be set.
    """
    common = draft(tx, config, namespace=namespace, node=node, priority=priority, created_by=created_by)
    return like(tx, common, task_ids.task_id(run_id))


def draft(
    tx: Transaction,
    config: pb.TaskConfig,
    *,
    namespace: str,
    node: node_pb2.Node | None = None,
    priority: int = 0,
    created_by: int = 0,
) -> pb.StoredTask:
    """Returns what tasks of a config that are made in this mutation have in common, for like()."""
    now = instants.timestamp(tx.now_us)
    stored = pb.StoredTask(
        task=pb.Task(
            namespace_id=namespace,
            priority=priority,
            schedule_kind=pb.SCHEDULE_KIND_EVENT,
            scheduled_at=now,
            created_at=now,
            created_by=created_by,
            config=config,
        ),
        instance=pb.TaskInstance(created_at=now),
    )
    if node is not None:
        stored.task.node_id = stored.instance.agent_id = node.node_id
        stored.task.node_uid = stored.instance.node_uid = node.uid
    states.move(stored, pb.WORK_STATE_PENDING, tx.now_us)
    return stored


def like(tx: Transaction, draft: pb.StoredTask, task_id: str) -> pb.StoredTask:
    """Returns a new task that is as the draft but for its ids."""
    stored = pb.StoredTask()
    stored.CopyFrom(draft)
    stored.task.id = task_id
    stored.task.number = tx.next_id("tasks")
    stored.instance.id = task_ids.new_uuid()
    return stored


def add(tx: Transaction, stored: pb.StoredTask, hold: Hold = Hold.NONE) -> None:
    """Stores a new task, whose id is of no other one."""
    task = stored.task
    if hold is Hold.NONE and due_us(task) > tx.now_us:
        hold = Hold.TIME
    demand = "" if task.node_uid else demands.spelled(task.config)
    tx.add(TASKS, stored, hold=hold, demand=demand)


def release(tx: Transaction, stored: pb.StoredTask) -> None:
    """Lets a task go that waited for what it depends on."""
    if instants.microseconds(stored.task.scheduled_at) > tx.now_us:
        tx.put(TASKS, stored, hold=Hold.TIME)
        return
    stored.task.due_at.CopyFrom(instants.timestamp(tx.now_us))
    tx.put(TASKS, stored, hold=Hold.NONE)


def due_us(task: pb.Task) -> int:
    """Returns when a task goes, at the earliest."""
    return instants.microseconds(task.due_at if task.HasField("due_at") else task.scheduled_at)


def queue_deadline_us(task: pb.Task) -> int:
    """Returns when a task has waited for a node for too long."""
    return due_us(task) + task.config.queue_timeout_seconds * 1_000_000


def end_attempt(
    tx: Transaction,
    stored: pb.StoredTask,
    state: states.State,
    reason: str,
    message: str,
    ended_us: int | None = None,
    *,
    is_unnamed: bool = False,
) -> None:
    """Ends the attempt of a task that a node was given, and with it the task, unless another attempt is due
    to it. Stores both. What is heard of late ended at `ended_us`. The result `is_unnamed` where it did not say
    of which attempt it is.
    """
    task = stored.task
    is_last = is_unnamed or _may_be_mistaken(stored.instance)
    if not is_last and _is_replaced(task, state) and may_wait(tx, task):
        states.end_attempt(stored, state, tx.now_us, tx.now_us, reason, message, ended_us)
        task.replacement_count += 1
        tx.put(TASKS, stored, hold=Hold.NONE)
    elif not is_last and _is_retried(task, state) and may_wait(tx, task):
        task.retry_count += 1
        pause_us = round(retry_pause(task.config, task.retry_count) * 1_000_000)
        states.end_attempt(stored, state, tx.now_us, tx.now_us + pause_us, reason, message, ended_us)
        tx.put(TASKS, stored, hold=Hold.TIME if pause_us else Hold.NONE)
        failpoints.hit(failpoints.RETRY)
    else:
        states.end(stored, state, tx.now_us, reason, message, ended_us)
        tx.put(TASKS, stored)


def begin_attempt(tx: Transaction, stored: pb.StoredTask) -> None:
    """Gives a waiting task a new attempt, if its last one has ended, and keeps that one beside it."""
    last = stored.instance
    if not states.is_terminal(last.state):
        return
    tx.execute(sa.insert(tables.past_instances), _past(stored))
    now = instants.timestamp(tx.now_us)
    stored.instance.CopyFrom(pb.TaskInstance(id=task_ids.new_uuid(), created_at=now))
    stored.task.ClearField("due_at")


def _past(stored: pb.StoredTask) -> dict[str, object]:
    task, last = stored.task, stored.instance
    # With as much of the task as an attempt is shown with.
    kept = pb.StoredTask(task=pb.Task(id=task.id, namespace_id=task.namespace_id), instance=last)
    if task.HasField("job_id"):
        kept.task.job_id = task.job_id
    return {
        "instance_id": last.id,
        "run_id": task_ids.of_task(task.id),
        "namespace": task.namespace_id,
        "job_id": task.job_id,
        "number": task.number,
        "node_id": last.agent_id,
        "state": last.state,
        "attempt": last.attempt,
        "exit_code": last.exit_code if last.HasField("exit_code") else None,
        "created_at_us": instants.microseconds(last.created_at),
        "updated_at_us": instants.microseconds(last.updated_at),
        "started_at_us": instants.optional_microseconds(last, "started_at"),
        "completed_at_us": instants.optional_microseconds(last, "completed_at"),
        "reason": last.reason,
        "error_message": last.error_message if last.HasField("error_message") else None,
        "body": kept.SerializeToString(deterministic=True),
    }


def lost_after(config: pb.TaskConfig, usual: float) -> float:
    """Returns after how many seconds the server gives up an attempt whose node is away; `usual` is for those
    that do not say.
    """
    seconds = float(config.lost_after_seconds) if config.HasField("lost_after_seconds") else usual
    is_stopped = config.on_disconnect == pb.DISCONNECT_POLICY_STOP
    return max(seconds, SHORTEST_STOP) + _STOP_MARGIN if is_stopped else seconds


def _may_be_mistaken(instance: pb.TaskInstance) -> bool:
    """Returns whether a result may still come of an attempt that could be taken for that of the next one: what
    foreign nodes say need not name an attempt.
    """
    return instance.HasField("run_deadline") and not instance.number


def _is_replaced(task: pb.Task, state: states.State) -> bool:
    """Returns whether an attempt elsewhere takes the place of one that ended in a state."""
    return (
        state == pb.WORK_STATE_LOST
        and task.config.on_disconnect == pb.DISCONNECT_POLICY_REPLACE
        and not task.node_uid
        and not task.cancel_requested
    )


def _is_retried(task: pb.Task, state: states.State) -> bool:
    """Returns whether another attempt follows one that ended in a state."""
    if task.cancel_requested or task.retry_count >= task.config.max_retries:
        return False
    if state in (pb.WORK_STATE_LOST, pb.WORK_STATE_UNKNOWN):
        return task.config.retry_lost
    return state in (pb.WORK_STATE_FAILED, pb.WORK_STATE_TIMED_OUT)


def may_wait(tx: Transaction, task: pb.Task) -> bool:
    """Returns whether a task may wait for a node: none of a job that is disabled or gone does."""
    if not task.job_id:
        return True
    job = tx.get(JOBS, task.job_id)
    return job is not None and job.status != job_pb2.JOB_STATUS_DISABLED


def retry_pause(config: pb.TaskConfig, retry: int) -> float:
    """Returns how many seconds to wait before the retry of a number, which counts from 1."""
    interval = config.retry_interval_seconds
    longest = (
        config.max_retry_interval_seconds
        if config.HasField("max_retry_interval_seconds")
        else max(_MAX_RETRY_INTERVAL, interval)
    )
    match config.backoff:
        case pb.BACKOFF_LINEAR:
            pause = float(interval * retry)
        case pb.BACKOFF_EXPONENTIAL | pb.BACKOFF_EXPONENTIAL_WITH_JITTER:
            pause = float(interval) * 2 ** min(retry - 1, 40)
        case _:
            pause = float(interval)
    pause = min(pause, float(longest))
    return random.uniform(0, pause) if config.backoff == pb.BACKOFF_EXPONENTIAL_WITH_JITTER else pause  # noqa: S311 - no secret


def request_cancel(
    tx: Transaction,
    stored: pb.StoredTask,
    by: str,
    grace_seconds: int | None,
    updated_by: int | None = None,
) -> None:
    """Ends a task that waits, or that a foreign node has; of one that another node has, notes that it is to
    be killed, once.
    """
    task = stored.task
    if task.cancel_requested:
        return
    task.cancel_requested = True
    task.cancel_requested_at.CopyFrom(instants.timestamp(tx.now_us))
    task.cancel_requested_by = by
    if updated_by is not None:
        task.updated_by = updated_by
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
    who = "its node did not take it" if stored.task.node_id else "no node took it"
    states.end(
        stored,
        pb.WORK_STATE_TIMED_OUT,
        tx.now_us,
        "QUEUE_TIMEOUT",
        f"{who} within {stored.task.config.queue_timeout_seconds} s",
    )
    tx.put(TASKS, stored)


def delete(tx: Transaction, run_ids: Iterable[str]) -> int:
    """Deletes tasks through the log, and all that was kept beside them. Returns how many."""
    deleted = []
    for run_id in run_ids:
        tx.delete(TASKS, run_id)
        deleted.append(run_id)
    output_chunks.delete(tx, deleted)
    for table in (tables.stale_reports, tables.past_instances, tables.dependencies):
        for start in range(0, len(deleted), DELETION_STEP):
            step = deleted[start : start + DELETION_STEP]
            tx.execute(sa.delete(table).where(table.c.run_id.in_(step)))
    return len(deleted)


def check_namespace(principal: Principal, namespace: str) -> None:
    """Raises PermissionDenied where the caller is bound to other namespaces."""
    if not principal.may_touch(namespace):
        raise errors.PermissionDenied(
            f"this credential does not reach the namespace {namespace!r}",
            metadata={"namespace": namespace},
        )
