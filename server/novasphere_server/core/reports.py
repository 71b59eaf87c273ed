"""What an agent says of an attempt, written on its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import sqlalchemy as sa
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.schedule.v1 import task_pb2 as pb

from novasphere_server import errors
from novasphere_server.core import instants, output_chunks, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.output_chunks import Tail
from novasphere_server.store import failpoints, tables
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.transactions import Transaction

_MESSAGE_LENGTH = 1024  # characters
_REFUSALS = ("NOT_ALLOWED", "SPAWN_FAILED", "INVALID_PAYLOAD")
_RAN = (
    link.ATTEMPT_PHASE_EXITED,
    link.ATTEMPT_PHASE_CANCELLED,
    link.ATTEMPT_PHASE_TIMED_OUT,
    link.ATTEMPT_PHASE_STOPPED,
)
_GREATEST = 2**63 - 1
_GREATEST_ATTEMPT = 2**31 - 1

_past = tables.past_instances.c

# What attempts printed, by run id, attempt and stream.
Printed: TypeAlias = Mapping[tuple[str, int, output_chunks.Stream], bytes]
_NOTHING: Printed = {}


def has_result(stored: pb.StoredTask) -> bool:
    """Returns whether the end of the present attempt was reported while it counted."""
    return stored.instance.number > 0


def is_reported(stored: pb.StoredTask) -> bool:
    """Returns whether the end of the present attempt was reported, in time or late."""
    return has_result(stored) or stored.instance.HasField("late_report")


def start(tx: Transaction, stored: pb.StoredTask) -> None:
    """Notes that an attempt runs."""
    if stored.task.state != pb.WORK_STATE_RUNNING:
        states.move(stored, pb.WORK_STATE_RUNNING, tx.now_us)
        _note_start(stored, tx.now_us)
        tx.put(TASKS, stored)


def finish(
    tx: Transaction,
    stored: pb.StoredTask,
    report: link.AttemptReport,
    tail: Tail,
    settings: FleetSettings,
    printed: Printed = _NOTHING,
    *,
    is_unnamed: bool = False,
) -> None:
    """Ends a task as its agent reports, with the result of its attempt. Streams that are in `printed` are there
    as a whole. The report `is_unnamed` where it did not say of which attempt it is.

    A task that has ended stays as it is: the same report again changes nothing, another one is kept
    beside it, once.
    """
    task, instance = stored.task, stored.instance
    if states.is_terminal(instance.state):
        if not is_reported(stored):
            _note_late(instance, report, tx.now_us)
            tx.put(TASKS, stored)
        return
    ended_us = max(tx.now_us - _microseconds(report.age_ms), instants.microseconds(instance.created_at))
    if report.phase in _RAN and not instance.HasField("started_at"):
        started_us = ended_us - _microseconds(report.duration_ms)
        _note_start(stored, max(started_us, instants.microseconds(task.created_at)))
    if instance.HasField("started_at"):
        ended_us = max(ended_us, instants.microseconds(instance.started_at))
    ended_us = min(ended_us, tx.now_us)  # after a jump of the clock too
    instance.number = tx.next_id("results")
    instance.execution_time_ms = min(report.duration_ms, _GREATEST)
    instance.stdout_bytes = min(max(report.stdout_bytes, tail.stdout), _GREATEST)
    instance.stderr_bytes = min(max(report.stderr_bytes, tail.stderr), _GREATEST)
    instance.output_dropped = (
        report.output_dropped
        or instance.stdout_bytes > tail.stdout
        or instance.stderr_bytes > tail.stderr
    )
    if report.HasField("exit_code"):
        instance.exit_code = report.exit_code
    if report.HasField("signal"):
        instance.signal = report.signal
    if report.HasField("usage"):
        _note_usage(instance.metrics, report.usage)
    state, reason, message = _outcome(report)
    before = stored.SerializeToString()
    # Long commands leave less room: a resource has a greatest size.
    for limit in (settings.inline_output_bytes, settings.inline_output_bytes // 4, 0):
        _show_output(tx, report, stored.instance, tail, limit, printed)
        try:
            why = message[:_MESSAGE_LENGTH]
            tasks.end_attempt(tx, stored, state, reason, why, ended_us, is_unnamed=is_unnamed)
        except errors.TooLarge:
            if not limit:
                raise
            stored.ParseFromString(before)
        else:
            failpoints.hit(failpoints.ACKNOWLEDGEMENT)
            return


def _microseconds(milliseconds: int) -> int:
    return min(milliseconds, _GREATEST // 2000) * 1000


def _note_usage(metrics: pb.TaskMetrics, usage: link.ResourceUsage) -> None:
    if usage.HasField("cpu_time_us"):
        metrics.cpu_time_seconds = usage.cpu_time_us / 1_000_000
    for name in ("memory_peak_bytes", "disk_read_bytes", "disk_write_bytes"):
        if usage.HasField(name):
            setattr(metrics, name, min(getattr(usage, name), _GREATEST))


def _note_start(stored: pb.StoredTask, at_us: int) -> None:
    started_at = instants.timestamp(at_us)
    stored.instance.started_at.CopyFrom(started_at)
    if not stored.task.HasField("started_at"):
        stored.task.started_at.CopyFrom(started_at)


def _note_late(instance: pb.TaskInstance, report: link.AttemptReport, now_us: int) -> None:
    late = instance.late_report
    late.received_at.CopyFrom(instants.timestamp(now_us))
    late.message = report.message[:_MESSAGE_LENGTH] or _words(report)
    if report.HasField("exit_code"):
        late.exit_code = report.exit_code


def past(tx: Transaction, node_uid: str, run_id: str, attempt: int) -> pb.StoredTask | None:
    """Returns an attempt of the node that another one has followed."""
    number = min(attempt, _GREATEST_ATTEMPT)
    found = tx.execute(
        sa.select(_past.body).where(_past.run_id == run_id, _past.attempt == number)
    ).first()
    stored = None if found is None else pb.StoredTask.FromString(found.body)
    return stored if stored is not None and stored.instance.node_uid == node_uid else None


def record_past(tx: Transaction, node_uid: str, report: link.AttemptReport) -> str:
    """Keeps what comes too late of an attempt that another one has followed, once. Returns how that attempt had
    ended; nothing where it is not kept.
    """
    stored = past(tx, node_uid, report.run_id, report.attempt)
    if stored is None or is_reported(stored):
        return ""
    _note_late(stored.instance, report, tx.now_us)
    tx.execute(
        sa.update(tables.past_instances)
        .where(_past.instance_id == stored.instance.id)
        .values(body=stored.SerializeToString(deterministic=True))
    )
    return states.name(stored.instance.state)


def record_stale(
    tx: Transaction, node_uid: str, told: link.AttemptReport | link.AttemptState, message: str
) -> None:
    """Keeps the last refused report on each attempt of a task that the node was given, for as long as the
    task is kept. What it says of others' work, or of attempts to come, is not kept.
    """
    known, stale = tables.tasks.c, tables.stale_reports.c
    was_given = sa.select(known.key).where(
        known.key == told.run_id,
        known.node_uid == node_uid,
        known.attempt >= min(told.attempt, _GREATEST_ATTEMPT),
    )
    is_given = tx.execute(was_given).first() is not None
    if not is_given and past(tx, node_uid, told.run_id, told.attempt) is None:
        return
    tx.execute(
        sa.delete(tables.stale_reports).where(stale.run_id == told.run_id, stale.attempt == told.attempt)
    )
    tx.execute(
        sa.insert(tables.stale_reports),
        {
            "run_id": told.run_id,
            "attempt": told.attempt,
            "fencing_token": min(told.fencing_token, _GREATEST),
            "at_us": tx.now_us,
            "phase": told.phase,
            # Not every database keeps a NUL character in a text.
            "message": message[:_MESSAGE_LENGTH].replace("\0", "\ufffd"),
        },
    )


def _show_output(
    tx: Transaction,
    report: link.AttemptReport,
    instance: pb.TaskInstance,
    tail: Tail,
    limit: int,
    printed: Printed,
) -> None:
    def head(stream: output_chunks.Stream) -> tuple[str, bool]:
        stored = tail.of(stream)
        if not stored or not limit:
            return "", stored > 0
        whole = printed.get((report.run_id, report.attempt, stream))
        if whole is None:
            data = output_chunks.head(tx, report.run_id, report.attempt, stream, limit)
        else:
            data = whole[:limit]
        text, is_cut = output_chunks.shown(data, limit)
        return text, is_cut or stored > len(data)

    instance.stdout, is_cut = head(link.STREAM_STDOUT)
    instance.stdout_truncated = is_cut or instance.stdout_bytes > tail.stdout
    instance.stderr, is_cut = head(link.STREAM_STDERR)
    instance.stderr_truncated = is_cut or instance.stderr_bytes > tail.stderr


def _outcome(report: link.AttemptReport) -> tuple[states.State, str, str]:
    """Returns state, reason and message of the end that a report tells of."""
    said = report.message
    match report.phase:
        case link.ATTEMPT_PHASE_EXITED if report.HasField("signal"):
            return pb.WORK_STATE_FAILED, "SIGNAL", said or _words(report)
        case link.ATTEMPT_PHASE_EXITED if not report.HasField("exit_code"):
            return pb.WORK_STATE_UNKNOWN, "UNKNOWN", said or "the agent reported no exit code"
        case link.ATTEMPT_PHASE_EXITED if report.exit_code:
            return pb.WORK_STATE_FAILED, "EXIT_CODE", said or _words(report)
        case link.ATTEMPT_PHASE_EXITED:
            return pb.WORK_STATE_SUCCEEDED, "", ""
        case link.ATTEMPT_PHASE_CANCELLED:
            return pb.WORK_STATE_CANCELLED, "CANCELLED", said or _words(report)
        case link.ATTEMPT_PHASE_TIMED_OUT:
            return pb.WORK_STATE_TIMED_OUT, "TIMEOUT", said or _words(report)
        case link.ATTEMPT_PHASE_STOPPED:
            return pb.WORK_STATE_LOST, "LOST", said or _words(report)
        case link.ATTEMPT_PHASE_REJECTED:
            word, _, rest = said.partition(":")
            if word in _REFUSALS:
                return pb.WORK_STATE_FAILED, word, rest.strip() or _words(report)
            return pb.WORK_STATE_FAILED, "SPAWN_FAILED", said or _words(report)
        case _:
            return pb.WORK_STATE_UNKNOWN, "UNKNOWN", said or _words(report)


def _words(report: link.AttemptReport) -> str:
    match report.phase:
        case link.ATTEMPT_PHASE_EXITED if report.HasField("signal"):
            return f"killed by signal {report.signal}"
        case link.ATTEMPT_PHASE_EXITED if report.HasField("exit_code"):
            return f"exit code {report.exit_code}"
        case link.ATTEMPT_PHASE_CANCELLED:
            return "killed because a client cancelled it"
        case link.ATTEMPT_PHASE_TIMED_OUT:
            return "killed because its time was up"
        case link.ATTEMPT_PHASE_STOPPED:
            return "killed by its agent, which had been without a server for too long"
        case link.ATTEMPT_PHASE_REJECTED:
            return "refused by the agent"
        case _:
            return "the agent cannot tell how it ended"
