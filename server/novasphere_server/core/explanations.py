"""Why commands stand as they do: the facts. How that is said to people is in rpc.explanations."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.node.v1 import command_explanation_pb2 as why
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.clock import Clock
from novasphere_server.core import commands, instants, output_chunks, presence, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.commands import Commands
from novasphere_server.core.links import Links
from novasphere_server.core.presence import Presence
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.store import Store

_SHOWN = 5  # commands of a queue that are named

_c = tables.tasks.c


class Explanations:
    """Finds out what holds a command up, or how it ended. Knows what is stored, and this server's links."""

    def __init__(
        self, store: Store, clock: Clock, face: Commands, presence: Presence, links: Links
    ) -> None:
        self._store = store
        self._clock = clock
        self._commands = face
        self._presence = presence
        self._links = links

    async def explain(self, principal: Principal, command_id: str) -> api.ExplainCommandResponse:
        """Returns the explanation of a command, without words. Raises CommandNotFound."""
        stored = (await self._commands.get(principal, command_id)).message()
        command = stored.command
        response = api.ExplainCommandResponse(command=command)
        rows = await self._store.read(output_chunks.length_of(command.command_id, command.attempt))
        response.output_bytes = sum(row.length for row in rows)
        if commands.has_ended(command):
            response.since.CopyFrom(command.completed_at)
            if stored.HasField("late_result"):
                response.late_result.CopyFrom(stored.late_result)
            if stored.result.HasField("signal"):
                response.signal = stored.result.signal
            response.explanations.extend(_ends(stored))
            return response
        task = await self._store.get(TASKS, command.command_id)
        if task is not None and _is_unplaced(task.message().task):
            _set_span(response, command)
            response.explanations.append(
                _because(why.COMMAND_CAUSE_NOT_PLACED, response.since, response.until)
            )
            return response
        node = await self._store.get(NODES, command.target_node_id)
        if node is None:  # deleted this moment, and the command with it
            raise errors.CommandNotFound(command_id)
        usual = self._presence.lost_after
        after = usual if task is None else tasks.lost_after(task.message().task.config, usual)
        self._describe_node(response.node, node.message(), after)
        _set_span(response, command)
        if command.HasField("run_deadline"):
            response.until.CopyFrom(command.run_deadline)
        if command.state == pb.COMMAND_STATE_PENDING:
            await self._describe_queue(response.queue, principal, command)
            response.explanations.extend(_waits(response))
        else:
            response.explanations.extend(_goes_on(response, self._clock.now_us()))
        fault = presence.fault_of(node.message())
        if fault is not None:
            response.node.fault = fault.message
            response.explanations.append(
                _because(why.COMMAND_CAUSE_NODE_FAULT, fault.last_transition_time)
            )
        return response

    def _describe_node(
        self, situation: why.CommandNodeSituation, node: node_pb2.Node, after: float
    ) -> None:
        situation.node_id = node.node_id
        situation.connection = node.connection
        situation.capacity = node.capacity
        if node.HasField("last_heartbeat"):
            situation.last_heartbeat.CopyFrom(node.last_heartbeat)
        credit = self._links.credit(node.uid)
        if credit is not None:
            situation.free_slots = credit
        if node.connection == node_pb2.CONNECTION_STATE_ONLINE:
            return
        lost_at_us = self._presence.lost_at_us(node.uid, after)
        if lost_at_us is not None:
            situation.lost_at.CopyFrom(instants.timestamp(lost_at_us))

    async def _describe_queue(
        self, situation: why.CommandQueueSituation, principal: Principal, command: pb.Command
    ) -> None:
        is_ahead = sa.and_(
            _c.node_uid == command.node_uid,
            _c.state == task_pb2.WORK_STATE_PENDING,
            _c.id < command.id,
        )
        is_there = sa.and_(_c.node_uid == command.node_uid, _c.state.in_(states.ON_NODE))
        count = sa.select(sa.func.count()).select_from(tables.tasks)
        [counts] = await self._store.read(
            sa.select(
                count.where(is_there).scalar_subquery().label("running"),
                count.where(is_ahead).scalar_subquery().label("ahead"),
            )
        )
        situation.running_count = counts.running
        situation.ahead_count = counts.ahead
        shown = sa.select(_c.key).where(is_ahead).order_by(_c.id).limit(_SHOWN)
        if principal.namespaces:
            shown = shown.where(_c.namespace.in_(sorted(principal.namespaces)))
        situation.ahead_command_ids.extend(row.key for row in await self._store.read(shown))


def _is_unplaced(task: task_pb2.Task) -> bool:
    return task.state == task_pb2.WORK_STATE_PENDING and not task.node_uid


def _because(
    cause: why.CommandCause.ValueType, since: Timestamp | None = None, until: Timestamp | None = None
) -> why.CommandExplanation:
    return why.CommandExplanation(cause=cause, since=since, until=until)


def _set_span(response: api.ExplainCommandResponse, command: pb.Command) -> None:
    """Says since when an unfinished command is in its state, and for how long at most."""
    match command.state:
        case pb.COMMAND_STATE_PENDING:
            since, seconds = command.created_at, command.queue_timeout_seconds
        case pb.COMMAND_STATE_RUNNING:
            since, seconds = command.started_at, command.timeout_seconds
        case _:
            if command.HasField("dispatched_at"):  # servers before this one did not store it
                response.since.CopyFrom(command.dispatched_at)
            return
    response.since.CopyFrom(since)
    until_us = instants.microseconds(since) + seconds * 1_000_000
    response.until.CopyFrom(instants.timestamp(until_us))


def _waits(response: api.ExplainCommandResponse) -> Iterator[why.CommandExplanation]:
    """Yields what keeps a command from being sent to its node."""
    node = response.node
    if node.connection == node_pb2.CONNECTION_STATE_LOST:
        yield _because(why.COMMAND_CAUSE_NODE_LOST, _last_heard(node), response.until)
    elif node.connection != node_pb2.CONNECTION_STATE_ONLINE:
        yield _because(why.COMMAND_CAUSE_NODE_AWAY, _last_heard(node), response.until)
    elif not node.HasField("free_slots"):
        yield _because(why.COMMAND_CAUSE_LINK_ELSEWHERE, until=response.until)
    elif not node.free_slots:
        yield _because(why.COMMAND_CAUSE_NO_FREE_SLOT, until=response.until)
    else:
        yield _because(why.COMMAND_CAUSE_NEXT, until=response.until)


def _goes_on(response: api.ExplainCommandResponse, now_us: int) -> Iterator[why.CommandExplanation]:
    """Yields what a command does that its node was sent, and what keeps it from ending."""
    command, node = response.command, response.node
    since = response.since if response.HasField("since") else None
    until = response.until if response.HasField("until") else None
    if node.connection != node_pb2.CONNECTION_STATE_ONLINE:
        cause = why.COMMAND_CAUSE_NODE_AWAY
        if node.connection == node_pb2.CONNECTION_STATE_LOST:
            cause = why.COMMAND_CAUSE_NODE_LOST
        lost_at = node.lost_at if node.HasField("lost_at") else None
        yield _because(cause, _last_heard(node), lost_at)
    if command.cancel_requested:
        asked_at = command.cancel_requested_at if command.HasField("cancel_requested_at") else None
        yield _because(why.COMMAND_CAUSE_CANCELLING, asked_at)
    if command.state == pb.COMMAND_STATE_DISPATCHED:
        yield _because(why.COMMAND_CAUSE_NOT_CONFIRMED, since)
    elif until is not None and instants.microseconds(until) <= now_us:
        yield _because(why.COMMAND_CAUSE_PAST_TIMEOUT, until)
    else:
        yield _because(why.COMMAND_CAUSE_RUNNING, since, until)


def _ends(stored: pb.CommandWithResult) -> Iterator[why.CommandExplanation]:
    """Yields how a command ended."""
    command = stored.command
    cause = why.COMMAND_CAUSE_SUCCEEDED
    if command.reason:
        named = f"COMMAND_CAUSE_{command.reason}"
        known = why.CommandCause.keys()
        cause = why.CommandCause.Value(named) if named in known else why.COMMAND_CAUSE_ENDED
    yield _because(cause, command.completed_at)
    if stored.HasField("late_result"):
        yield _because(why.COMMAND_CAUSE_LATE_REPORT, stored.late_result.received_at)


def _last_heard(node: why.CommandNodeSituation) -> Timestamp | None:
    return node.last_heartbeat if node.HasField("last_heartbeat") else None
