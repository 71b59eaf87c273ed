"""Attempts: what is sent to an agent, what it still has when it comes back, and what it reports.

Everything here runs inside a mutation. Whatever is decided is durable before the agent hears of it, so
either side may stop at any moment and say everything again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import instants, output_chunks, reports, task_configs, task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.demands import ANSWERED, parse
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.output_chunks import Tail
from novasphere_server.core.rooms import NOTHING, Room
from novasphere_server.store import failpoints, tables
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.transactions import Transaction

Key = tuple[str, int]  # run id and attempt

_c = tables.tasks.c
_STEP = 500  # keys of one statement


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that an agent may speak for, and how much of its output is stored."""

    fencing_token: int
    tail: Tail = field(default_factory=Tail)


# -- sending


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be sent to a node, and what to look for next time."""

    dispatches: list[link.Dispatch]
    has_more_own: bool  # more wait that only this node may run, of what it had room for
    may_have_own: bool  # or of something else
    demands: frozenset[str]  # more may wait that ask for this, as core.demands spells it


def has_waiting(tx: Transaction, node_uid: str) -> bool:
    """Returns whether tasks wait that only this node may run."""
    return bool(tx.find_by(TASKS, OWN, node_uid=node_uid, most=1))


def claim(
    tx: Transaction,
    node: node_pb2.Node,
    room: Room,
    settings: FleetSettings,
    *,
    has_own: bool = True,
    demands: Collection[str] = (),
    shared: Room = NOTHING,
) -> Claim:
    """Turns waiting tasks into dispatches to a node, as many as it has room for: where it may have any, what only
    it may run, and of what any node may run that meets `demands` as many as `shared`. The greatest priority goes
    first, then the oldest. Those of a foreign node are timed from now on.
    """
    waiting, has_more = _own_waiting(tx, node.uid, room) if has_own else ([], False)
    unread: set[str] = set()
    for demand in demands:
        most = shared.of(is_answered=parse(demand).is_answered)
        # One more is read than taken: whether it is there says whether another look is worth it.
        found = tx.find_by(TASKS, _SHARED, demand=demand, most=most + 1)
        if len(found) > most:
            unread.add(demand)
        waiting += found[:most]
    if waiting:
        present = tx.get(NODES, node.node_id)
        if present is None or present.uid != node.uid:
            # It was deleted this moment, and its link is about to end.
            return Claim([], False, False, frozenset(demands))
    waiting.sort(key=lambda stored: (-stored.task.priority, stored.task.number))
    left, left_shared = room.counts(), shared.counts()
    dispatches: list[link.Dispatch] = []
    looked_at = 0
    for stored in tx.fitting(waiting):
        task = stored.task
        is_answered = task.config.task_type in ANSWERED and room.answers is not None
        if not left[is_answered] or not (task.node_uid or left_shared[is_answered]):
            continue
        looked_at += 1
        if not task.node_uid:
            left_shared[is_answered] -= 1
        if tasks.queue_deadline_us(task) <= tx.now_us:
            tasks.expire_queued(tx, stored)
            continue
        left[is_answered] -= 1
        dispatches.append(_send(tx, stored, node, settings))
    if looked_at < len(waiting):
        unread.update(demands)
        has_more |= has_own
    is_all = room.slots > 0 and room.answers != 0
    return Claim(dispatches, has_more, has_more or (has_own and not is_all), frozenset(unread))


def _own_waiting(tx: Transaction, node_uid: str, room: Room) -> tuple[list[pb.StoredTask], bool]:
    """Returns as much as there is room for of what only a node may run, and whether there may be more."""
    parts = [(OWN, room.slots)]
    if room.answers is not None:
        parts = [(OWN_STARTED, room.slots), (OWN_ANSWERED, room.answers)]
    found: list[pb.StoredTask] = []
    has_more = False
    for which, most in parts:
        if most > 0:
            part = tx.find_by(TASKS, which, node_uid=node_uid, most=most + 1)
            found += part[:most]
            has_more |= len(part) > most
    return found, has_more


def _waiting(*which: sa.ColumnElement[bool]) -> sa.Select[tuple[str, bytes]]:
    first = sa.select(_c.key, _c.body).where(*which).order_by(_c.rank, _c.id)
    return first.limit(sa.bindparam("most", type_=sa.Integer))


_IS_OWN = sa.and_(tasks.WAITS_FOR_ONE, _c.node_uid == sa.bindparam("node_uid", type_=sa.String))
_IS_ANSWERED = sa.or_(*(_c.task_type == kind for kind in ANSWERED))
OWN = _waiting(_IS_OWN)
OWN_STARTED = _waiting(_IS_OWN, ~_IS_ANSWERED)
OWN_ANSWERED = _waiting(_IS_OWN, _IS_ANSWERED)
_SHARED = _waiting(
    tasks.WAITS_FOR_ANY,  # type: ignore[arg-type]
    _c.demand == sa.bindparam("demand", type_=sa.String),
)


def _send(
    tx: Transaction, stored: pb.StoredTask, node: node_pb2.Node, settings: FleetSettings
) -> link.Dispatch:
    """Notes that a task is sent to a node, with a fencing token of its own. Returns what is sent."""
    tasks.begin_attempt(tx, stored)
    task, instance = stored.task, stored.instance
    states.move(stored, pb.WORK_STATE_DISPATCHED, tx.now_us)
    task.lock_version += 1
    instance.attempt = task.lock_version
    instance.agent_id, instance.node_uid = node.node_id, node.uid
    instance.dispatched_at.CopyFrom(task.updated_at)
    if node.is_foreign:
        deadline_us = tx.now_us + task.config.timeout_seconds * 1_000_000
        instance.run_deadline.CopyFrom(instants.timestamp(deadline_us))
    token = tx.next_id("fencing")
    tx.put(TASKS, stored, fencing_token=token)
    failpoints.hit(failpoints.DISPATCH)
    return _dispatch(stored, token, settings)


def cancels(tx: Transaction, keys: Iterable[Key], settings: FleetSettings) -> list[link.CancelAttempt]:
    """Returns how each attempt is to be cancelled; the grace is what its client asked for."""
    wanted = dict(keys)
    rows = sent(tx, list(wanted))
    return [_cancel(row.key, wanted[row.key], row.cancel_grace_ms, settings) for row in rows.values()]


def put_back(tx: Transaction, told: link.AttemptReport | link.Dispatch) -> None:
    """Lets a task wait again whose last dispatch never reached its node."""
    row = sent(tx, [told.run_id]).get(told.run_id)
    stored = None if row is None else pb.StoredTask.FromString(row.body)
    if row is None or stored is None:
        return
    instance = stored.instance
    is_last = (told.attempt, told.fencing_token) == (instance.attempt, row.fencing_token)
    if not is_last or instance.state != pb.WORK_STATE_DISPATCHED:
        return
    if why := _needless(tx, stored.task):
        _cancel_unsent(tx, stored, why)
    else:
        states.move(stored, pb.WORK_STATE_PENDING, tx.now_us)
        is_another = stored.task.retry_count or stored.task.replacement_count
        if is_another and not stored.task.HasField("due_at"):
            # Since when it waits for a node was forgotten when it began.
            stored.task.due_at.CopyFrom(stored.task.updated_at)
        instance.ClearField("dispatched_at")
        instance.ClearField("run_deadline")
        tx.put(TASKS, stored)


def _dispatch(stored: pb.StoredTask, token: int, settings: FleetSettings) -> link.Dispatch:
    task, config = stored.task, stored.task.config
    kept = config.max_output_size if config.HasField("max_output_size") else settings.max_output_bytes
    dispatch = link.Dispatch(
        run_id=task_ids.of_task(task.id),
        attempt=stored.instance.attempt,
        fencing_token=token,
        kind="shell" if config.command_text else config.task_type or "exec",
        timeout_ms=config.timeout_seconds * 1000,
        max_output_bytes=min(kept, settings.max_output_bytes),
    )
    # What a task does not say is not spelled: that would take as long as all the rest.
    if config.command_text:
        dispatch.command_text = config.command_text
    if config.cmd:
        dispatch.program = config.cmd
        dispatch.arguments.extend(config.args)
    if config.payload:
        dispatch.payload = config.payload
    if task.environment or task.HasField("parameters"):
        dispatch.environment.update(_environment(task))
    if config.HasField("resource_limits"):
        dispatch.limits.CopyFrom(_limits(config.resource_limits))
    if config.HasField("capture_output"):
        dispatch.discard_output = not config.capture_output
    if config.on_disconnect == pb.DISCONNECT_POLICY_STOP:
        dispatch.stop_after_ms = _stop_after_ms(config, settings)
    return dispatch


def _limits(limits: pb.ResourceLimits) -> link.ResourceLimits:
    return link.ResourceLimits(
        memory_bytes=limits.max_memory_mb * 1024 * 1024,
        cpu_seconds=limits.max_cpu_seconds,
        file_size_bytes=limits.max_file_size if limits.HasField("max_file_size") else None,
        open_files=limits.max_open_files,
        processes=limits.max_processes,
    )


def _stop_after_ms(config: pb.TaskConfig, settings: FleetSettings) -> int:
    seconds = config.lost_after_seconds if config.HasField("lost_after_seconds") else settings.lost_after
    return int(max(seconds, tasks.SHORTEST_STOP) * 1000)


def _environment(task: pb.Task) -> dict[str, str]:
    """Returns what an attempt sees beside its agent's environment."""
    environment: dict[str, str] = json.loads(task.environment) if task.environment else {}
    if task.HasField("parameters"):
        environment[task_configs.PARAMETERS] = task.parameters
    return environment


def _cancel(
    run_id: str, attempt: int, grace_ms: int | None, settings: FleetSettings
) -> link.CancelAttempt:
    if grace_ms is None:
        grace_ms = int(settings.cancel_grace * 1000)
    return link.CancelAttempt(run_id=run_id, attempt=attempt, grace_ms=grace_ms)


def sent(tx: Transaction, run_ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
    """Returns tasks by run id, each with what belongs to its last dispatch."""
    found = {}
    for start in range(0, len(run_ids), _STEP):
        rows = tx.execute(
            sa.select(_c.key, _c.body, _c.fencing_token, _c.cancel_grace_ms).where(
                _c.key.in_(run_ids[start : start + _STEP])
            )
        )
        found.update({row.key: row for row in rows})
    return found


# -- meeting again


@dataclass(slots=True)
class Reconciliation:
    """What server and agent agree on when they meet again."""

    verdicts: list[link.AttemptVerdict] = field(default_factory=list)
    attempts: dict[Key, Attempt] = field(default_factory=dict)
    dispatches: list[link.Dispatch] = field(default_factory=list)
    cancels: list[link.CancelAttempt] = field(default_factory=list)
    is_complete: bool = True


def reconcile(
    tx: Transaction, node_uid: str, journal: Sequence[link.AttemptState], settings: FleetSettings
) -> Reconciliation:
    """Compares the agent's journal with what the server believes, and settles every difference.

    Where one mutation may not settle all of them, the result is not complete: the next one goes over
    everything again, and finds less to settle.
    """
    result = Reconciliation()
    rows = sent(tx, list({state.run_id for state in journal}))
    listed: set[Key] = set()
    for state in tx.fitting(journal):
        key = (state.run_id, state.attempt)
        if key in listed:
            continue
        row = rows.get(state.run_id)
        verdict = _judge(tx, node_uid, state, row, result, settings)
        if verdict != link.VERDICT_FORGET and row is not None and key in result.attempts:
            listed.add(key)
        tail = result.attempts[key].tail if key in result.attempts else Tail()
        result.verdicts.append(
            link.AttemptVerdict(
                run_id=state.run_id,
                attempt=state.attempt,
                verdict=verdict,
                stdout_offset=tail.stdout,
                stderr_offset=tail.stderr,
            )
        )
    unlisted = tx.execute(
        sa.select(_c.key, _c.body, _c.fencing_token, _c.cancel_grace_ms)
        .where(_c.node_uid == node_uid, _c.state.in_(states.ON_NODE))
        .order_by(_c.id)
    ).all()
    for row in tx.fitting(unlisted):
        stored = pb.StoredTask.FromString(row.body)
        if (row.key, stored.instance.attempt) not in listed:
            _settle_unlisted(tx, stored, row.fencing_token, result, settings)
    result.is_complete = tx.room > 0
    return result


def _judge(
    tx: Transaction,
    node_uid: str,
    state: link.AttemptState,
    row: sa.Row[Any] | None,
    result: Reconciliation,
    settings: FleetSettings,
) -> link.Verdict.ValueType:
    stored = None if row is None else pb.StoredTask.FromString(row.body)
    if row is None or stored is None:
        return link.VERDICT_FORGET
    task, instance = stored.task, stored.instance
    is_running = state.phase == link.ATTEMPT_PHASE_RUNNING
    present = (instance.node_uid, instance.attempt, row.fencing_token)
    if (node_uid, state.attempt, state.fencing_token) != present:
        past = reports.past(tx, node_uid, state.run_id, state.attempt)
        if past is None and instance.node_uid != node_uid:
            return link.VERDICT_FORGET
        reports.record_stale(tx, node_uid, state, "told in a Hello")
        # Nobody knows yet how it ended, nor all that it printed.
        is_wanted = past is not None and not reports.is_reported(past)
        if is_wanted:
            result.attempts[state.run_id, state.attempt] = Attempt(
                state.fencing_token, output_chunks.tail(tx, state.run_id, state.attempt)
            )
        if is_running:
            return link.VERDICT_KILL
        return link.VERDICT_ADOPT if is_wanted else link.VERDICT_FORGET
    is_reported = reports.is_reported(stored)
    if states.is_terminal(instance.state) and not is_running and is_reported:
        return link.VERDICT_FORGET
    result.attempts[state.run_id, state.attempt] = Attempt(
        row.fencing_token, output_chunks.tail(tx, state.run_id, state.attempt)
    )
    if states.is_terminal(instance.state):
        return link.VERDICT_KILL if is_running else link.VERDICT_ADOPT
    if is_running:
        reports.start(tx, stored)
    if task.cancel_requested:
        result.cancels.append(_cancel(state.run_id, state.attempt, row.cancel_grace_ms, settings))
    return link.VERDICT_ADOPT


def _settle_unlisted(
    tx: Transaction,
    stored: pb.StoredTask,
    token: int,
    result: Reconciliation,
    settings: FleetSettings,
) -> None:
    """Settles an attempt that the server believes to be on the node and the agent has never heard of.

    The agent journals an attempt before it starts it, and the chain of session tokens proves that this
    is its journal: what was only sent was never received.
    """
    task = stored.task
    if task.state == pb.WORK_STATE_RUNNING:
        tasks.end_attempt(
            tx,
            stored,
            pb.WORK_STATE_UNKNOWN,
            "UNKNOWN",
            "the agent came back without any trace of it",
        )
    elif why := _needless(tx, task):
        _cancel_unsent(tx, stored, why)
    else:
        # The same attempt and token: should it be there after all, it is not started again.
        result.attempts[task_ids.of_task(task.id), stored.instance.attempt] = Attempt(token)
        result.dispatches.append(_dispatch(stored, token, settings))


def _needless(tx: Transaction, task: pb.Task) -> str:
    """Returns why a task that never reached its node is not to be sent again; nothing where it is."""
    if task.cancel_requested:
        return "cancelled before it reached its node"
    if not tasks.may_wait(tx, task):
        return "its job was disabled or deleted before it reached its node"
    return ""


def _cancel_unsent(tx: Transaction, stored: pb.StoredTask, why: str) -> None:
    """Ends a task that never reached the node that it was sent to."""
    states.end(stored, pb.WORK_STATE_CANCELLED, tx.now_us, "CANCELLED", why)
    tx.put(TASKS, stored)


# -- hearing


@dataclass(slots=True)
class Recorded:
    """What became of a frame's output and of its first reports."""

    attempts: dict[Key, Attempt] = field(default_factory=dict)
    ended: set[Key] = field(default_factory=set)
    output_acks: dict[tuple[str, int, output_chunks.Stream], int] = field(default_factory=dict)
    report_acks: list[link.ReportAck] = field(default_factory=list)
    cancels: list[link.CancelAttempt] = field(default_factory=list)
    output_bytes: int = 0
    reports: int = 0
    stale_reports: int = 0


def record(
    tx: Transaction,
    node_uid: str,
    known: Mapping[Key, Attempt],
    output: Sequence[link.OutputChunk],
    told: Sequence[link.AttemptReport],
    settings: FleetSettings,
    unnamed: Collection[str] = (),
) -> Recorded:
    """Stores output, and as many of the reports as one mutation may; `unnamed` are the tasks whose reports did
    not say of which attempt they are. Raises LinkProtocol, and then nothing is stored.
    """
    result = Recorded()

    def current(run_id: str, attempt: int, token: int) -> Attempt | None:
        """Returns the attempt if it is the current one of its task on this node."""
        key = (run_id, attempt)
        found = result.attempts.get(key) or known.get(key)
        if found is None:
            row = tx.execute(
                sa.select(_c.node_uid, _c.attempt, _c.fencing_token).where(_c.key == run_id)
            ).first()
            if row is None or row.node_uid != node_uid or not 0 < row.attempt == attempt:
                return None
            found = Attempt(row.fencing_token, output_chunks.tail(tx, run_id, attempt))
            result.attempts[key] = found
        return found if found.fencing_token == token else None

    appending = output_chunks.Appending()
    for chunk in output:
        key = (chunk.run_id, chunk.attempt)
        # `known` may remember a task that was deleted since.
        is_there = tx.has(TASKS, chunk.run_id)
        attempt = current(*key, chunk.fencing_token) if is_there else None
        if attempt is None or attempt.tail.length >= settings.max_output_bytes:
            # Nobody wants it, or the agent should have stopped. It may forget it.
            end = chunk.offset + len(chunk.data)
        else:
            tail = appending.add(attempt.tail, chunk)
            result.attempts[key] = Attempt(attempt.fencing_token, tail)
            end = tail.of(chunk.stream)
            tx.news.add(chunk.run_id)
        result.output_acks[chunk.run_id, chunk.attempt, chunk.stream] = end
    appending.write(tx)
    result.output_bytes = appending.length
    for report in tx.fitting(told):
        result.reports += 1
        attempt = current(report.run_id, report.attempt, report.fencing_token)
        is_unnamed = report.run_id in unnamed
        _record_report(tx, node_uid, report, attempt, result, settings, appending.whole, is_unnamed)
    return result


def _record_report(
    tx: Transaction,
    node_uid: str,
    report: link.AttemptReport,
    attempt: Attempt | None,
    result: Recorded,
    settings: FleetSettings,
    printed: reports.Printed,
    is_unnamed: bool,
) -> None:
    if report.phase == link.ATTEMPT_PHASE_UNSPECIFIED:
        raise errors.LinkProtocol("a report says nothing")
    if report.phase == link.ATTEMPT_PHASE_UNDELIVERED:
        if attempt is not None:
            put_back(tx, report)
        result.ended.add((report.run_id, report.attempt))
        return
    is_final = report.phase != link.ATTEMPT_PHASE_RUNNING
    stored = None if attempt is None else tx.get(TASKS, report.run_id)
    late_after = ""
    if stored is not None and stored.instance.attempt != report.attempt:
        stored = None  # its link was told of it before another attempt took its place
    if attempt is None or stored is None:
        result.stale_reports += 1
        reports.record_stale(tx, node_uid, report, report.message)
        if is_final:
            result.ended.add((report.run_id, report.attempt))
            late_after = reports.record_past(tx, node_uid, report)
    elif is_final:
        if states.is_terminal(stored.instance.state) and not reports.has_result(stored):
            late_after = states.name(stored.instance.state)
        reports.finish(tx, stored, report, attempt.tail, settings, printed, is_unnamed=is_unnamed)
        result.ended.add((report.run_id, report.attempt))
    elif not states.is_terminal(stored.instance.state):
        reports.start(tx, stored)
        return
    if is_final:
        result.report_acks.append(
            link.ReportAck(
                run_id=report.run_id,
                attempt=report.attempt,
                is_stale=stored is None,
                late_after=late_after,
            )
        )
    else:  # it runs, and nobody waits for it any more
        result.cancels.append(_cancel(report.run_id, report.attempt, None, settings))
