"""Why tasks stand as they do: the facts. How that is said to people is in rpc.task_explanations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server.clock import Clock
from novasphere_server.core import instants, schedule_tasks, task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.demands import Demand, Lack
from novasphere_server.core.links import Links
from novasphere_server.core.presence import Presence
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.store import Store

_SHOWN = 5  # dependencies that are named

_d = tables.dependencies.c
_t = tables.tasks.c


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a task waits for, or how it ended; `facts` are what the words for it mention."""

    reason: str
    subject: str = ""
    since_us: int | None = None
    until_us: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


class TaskExplanations:
    """Finds out what holds a task up, or how it ended. Knows what is stored, and this server's links."""

    def __init__(self, store: Store, clock: Clock, presence: Presence, links: Links) -> None:
        self._store = store
        self._clock = clock
        self._presence = presence
        self._links = links

    async def explain(self, principal: Principal, task_id: str) -> tuple[pb.Task, list[Fact]]:
        """Returns a task, and what it waits for, the most important first; or how it ended. Raises what
        ScheduleTasks.get() raises.
        """
        found = await self._store.get(TASKS, task_ids.run_id(task_id))
        stored = None if found is None else found.message()
        if stored is None or not principal.may_touch(stored.task.namespace_id):
            raise schedule_tasks.out_of_reach(principal, task_id)
        task = stored.task
        if states.is_terminal(task.state):
            return task, [_end(stored)]
        if task.state == pb.WORK_STATE_PENDING:
            return task, [fact async for fact in self._waits(principal, stored)]
        return task, [fact async for fact in self._goes_on(stored)]

    # -- waiting

    async def _waits(self, principal: Principal, stored: pb.StoredTask) -> AsyncIterator[Fact]:
        task = stored.task
        is_held = False
        async for fact in self._dependencies(principal, task):
            is_held = True
            yield fact
        due_us = tasks.due_us(task)
        if due_us > self._clock.now_us():
            is_retry = states.is_terminal(stored.instance.state)
            since = stored.instance.completed_at if is_retry else task.created_at
            last = {"attempt": stored.instance.attempt, "why": stored.instance.error_message}
            yield Fact(
                "RETRY" if is_retry else "SCHEDULED",
                since_us=instants.microseconds(since),
                until_us=due_us,
                facts=last,
            )
            is_held = True
        if not is_held:
            yield await self._placement(task, due_us)

    async def _dependencies(self, principal: Principal, task: pb.Task) -> AsyncIterator[Fact]:
        unmet = (
            sa.select(_d.on_run_id, _d.condition, _t.state, _t.namespace)
            .select_from(tables.dependencies.outerjoin(tables.tasks, _t.key == _d.on_run_id))
            .where(_d.run_id == task_ids.of_task(task.id))
            .order_by(_d.on_run_id)
            .limit(_SHOWN)
        )
        for row in await self._store.read(unmet):
            is_seen = row.namespace is not None and principal.may_touch(row.namespace)
            must_finish = row.condition == pb.DEPENDENCY_CONDITION_FINISHED
            yield Fact(
                "DEPENDENCY",
                task_ids.task_id(row.on_run_id),
                since_us=instants.microseconds(task.created_at),
                facts={
                    "state": states.name(row.state) if is_seen else "unfinished",
                    "must": "FINISHED" if must_finish else "SUCCEEDED",
                },
            )

    async def _placement(self, task: pb.Task, due_us: int) -> Fact:
        """Returns why no node has been given a task that nothing else holds up."""
        until_us = tasks.queue_deadline_us(task)
        rows = await self._store.read(
            sa.select(tables.nodes.c.body).where(tables.nodes.c.uid == task.node_uid)
            if task.node_uid
            else sa.select(tables.nodes.c.body)
        )
        nodes = [NODES.message.FromString(row.body) for row in rows]
        if not nodes:
            return Fact("NO_AGENT", task.node_id, due_us, until_us)
        meeting = nodes
        if not task.node_uid:
            demand = Demand.of(task.config)
            lacking = [(list(demand.lacks(node)), node) for node in nodes]
            meeting = [node for lacks, node in lacking if not lacks]
            if not meeting:
                lacks, nearest = min(lacking, key=lambda each: (len(each[0]), each[1].node_id))
                facts = {"lacks": _words(lacks), "nodes": len(nodes)}
                return Fact("NO_MATCH", nearest.node_id, due_us, until_us, facts)
        online = [node for node in meeting if node.connection == node_pb2.CONNECTION_STATE_ONLINE]
        facts = {"nodes": len(meeting)}
        if not online:
            return Fact("AGENT_OFFLINE", meeting[0].node_id, due_us, until_us, facts)
        full = [node for node in online if self._links.credit(node.uid) == 0]
        if len(full) == len(online):
            return Fact("NO_SLOT", full[0].node_id, due_us, until_us, {"nodes": len(full)})
        free = next(node for node in online if node not in full)
        return Fact("NEXT", free.node_id, due_us, until_us)

    # -- on a node

    async def _goes_on(self, stored: pb.StoredTask) -> AsyncIterator[Fact]:
        task, instance = stored.task, stored.instance
        node = await self._store.get(NODES, instance.agent_id)
        if node is not None and node.message().connection != node_pb2.CONNECTION_STATE_ONLINE:
            heard = instants.optional_microseconds(node.message(), "last_heartbeat")
            after = tasks.lost_after(task.config, self._presence.lost_after)
            policy = task.config.on_disconnect or pb.DISCONNECT_POLICY_KEEP_WAITING
            word = pb.DisconnectPolicy.Name(policy).removeprefix("DISCONNECT_POLICY_")
            yield Fact(
                "AGENT_OFFLINE",
                instance.agent_id,
                heard,
                self._presence.lost_at_us(instance.node_uid, after),
                {"policy": word.lower()},
            )
        if task.cancel_requested:
            asked_us = instants.optional_microseconds(task, "cancel_requested_at")
            by = {"by": task.cancel_requested_by}
            yield Fact("CANCELLING", instance.agent_id, asked_us, facts=by)
        if task.state == pb.WORK_STATE_DISPATCHED:
            sent_us = instants.optional_microseconds(instance, "dispatched_at")
            yield Fact("DISPATCHED", instance.agent_id, sent_us)
            return
        since_us = instants.optional_microseconds(instance, "started_at")
        timeout = task.config.timeout_seconds
        until_us = None if since_us is None else since_us + timeout * 1_000_000
        yield Fact("RUNNING", instance.agent_id, since_us, until_us, {"timeout": timeout})


def _end(stored: pb.StoredTask) -> Fact:
    task = stored.task
    return Fact(
        task.reason or "SUCCEEDED",
        stored.instance.agent_id,
        instants.microseconds(task.completed_at),
        facts={"state": states.name(task.state), "why": task.reason_message},
    )


def _words(lacks: list[Lack]) -> str:
    """Returns what a node lacks: "LABEL zone=west (has east); GPU a GPU (has none)"."""
    return "; ".join(f"{lack.what} {lack.wanted} (has {lack.present or 'none'})" for lack in lacks)
