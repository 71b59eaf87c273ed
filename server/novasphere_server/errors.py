"""What can go wrong, as exceptions.

`core` and `store` raise these; `rpc.pipeline` turns them into a google.rpc.Status, once, for every
transport. Each class stands for one `ErrorReason` of the API (a test compares the two lists).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

from novasphere.api.v1 import error_reason_pb2 as reasons


class Violation(NamedTuple):
    """One field that is wrong: its path as the client wrote it, and what to do about it."""

    field: str
    description: str


class ApiError(Exception):
    """An error with a reason that clients can act on.

    `message` is for people and holds no secret. `metadata` is for programs: short strings that name
    what the message talks about.
    """

    reason: ClassVar[reasons.ErrorReason.ValueType]

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after  # seconds

    def at(self, field: str) -> Self:
        """Says which field of the request the error is about, where it is one of many; returns it."""
        self.violations = (Violation(field, self.message),)
        self.message = f"{field}: {self.message}"
        self.args = (self.message,)
        return self


class InvalidArgument(ApiError):
    reason = reasons.ERROR_REASON_INVALID_ARGUMENT

    def __init__(self, field: str, description: str, *more: Violation) -> None:
        violations = (Violation(field, description), *more)
        super().__init__(
            "; ".join(f"{v.field}: {v.description}" for v in violations), violations=violations
        )


class UnknownField(ApiError):
    reason = reasons.ERROR_REASON_UNKNOWN_FIELD


class MalformedBody(ApiError):
    reason = reasons.ERROR_REASON_MALFORMED_BODY


class InvalidTimeFormat(ApiError):
    reason = reasons.ERROR_REASON_INVALID_TIME_FORMAT


class InvalidTimeRange(ApiError):
    reason = reasons.ERROR_REASON_INVALID_TIME_RANGE

    def __init__(self, start_field: str = "start_time", end_field: str = "end_time") -> None:
        super().__init__(
            f"{start_field} must be before {end_field}",
            violations=(Violation(start_field, f"must be before {end_field}"),),
        )


class Unauthenticated(ApiError):
    reason = reasons.ERROR_REASON_UNAUTHENTICATED


class TooManyRefusals(ApiError):
    reason = reasons.ERROR_REASON_TOO_MANY_REFUSALS

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "too many credentials from this address, or of this id, were refused; try again later, or with "
            "one that is valid",
            retry_after=seconds,
        )


class PermissionDenied(ApiError):
    reason = reasons.ERROR_REASON_PERMISSION_DENIED


class NodeNotFound(ApiError):
    reason = reasons.ERROR_REASON_NODE_NOT_FOUND

    def __init__(self, node_id: str, message: str = "") -> None:
        super().__init__(message or f"node {node_id!r} does not exist", metadata={"node_id": node_id})


class CommandNotFound(ApiError):
    reason = reasons.ERROR_REASON_COMMAND_NOT_FOUND

    def __init__(self, command_id: str) -> None:
        super().__init__(f"command {command_id!r} does not exist", metadata={"command_id": command_id})


class NoMetricsData(ApiError):
    reason = reasons.ERROR_REASON_NO_METRICS_DATA

    def __init__(self, node_id: str) -> None:
        super().__init__(f"node {node_id!r} has not sent a metric sample", metadata={"node_id": node_id})


class KeyNotFound(ApiError):
    reason = reasons.ERROR_REASON_KEY_NOT_FOUND

    def __init__(self, key_id: str) -> None:
        super().__init__(f"API key {key_id!r} does not exist", metadata={"key_id": key_id})


class KeyRevoked(ApiError):
    reason = reasons.ERROR_REASON_KEY_REVOKED

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"API key {key_id!r} was revoked and cannot be changed; make a new one",
            metadata={"key_id": key_id},
        )


class JoinTokenNotFound(ApiError):
    reason = reasons.ERROR_REASON_JOIN_TOKEN_NOT_FOUND

    def __init__(self, token_id: str) -> None:
        super().__init__(f"join token {token_id!r} does not exist", metadata={"token_id": token_id})


class JobNotFound(ApiError):
    reason = reasons.ERROR_REASON_JOB_NOT_FOUND

    def __init__(self, job_id: str) -> None:
        super().__init__(f"Job {job_id!r} does not exist", metadata={"job_id": job_id})


class JobDisabled(ApiError):
    reason = reasons.ERROR_REASON_JOB_DISABLED

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id!r} is disabled: enable it first", metadata={"job_id": job_id})


class ScheduleEnded(ApiError):
    reason = reasons.ERROR_REASON_SCHEDULE_ENDED

    def __init__(self, schedule_id: str) -> None:
        super().__init__(
            f"schedule {schedule_id!r} has ended: give it other times, or a greater max_count",
            metadata={"schedule_id": schedule_id},
        )


class ScheduleNotFound(ApiError):
    reason = reasons.ERROR_REASON_SCHEDULE_NOT_FOUND

    def __init__(self, schedule_id: str) -> None:
        super().__init__(
            f"schedule {schedule_id!r} does not exist", metadata={"schedule_id": schedule_id}
        )


class JobExists(ApiError):
    reason = reasons.ERROR_REASON_JOB_EXISTS

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(
            f"a job named {name!r} exists already in the namespace {namespace!r}: choose another name, or "
            "change that job",
            metadata={"namespace": namespace, "name": name},
        )


class ServerNotFound(ApiError):
    reason = reasons.ERROR_REASON_SERVER_NOT_FOUND

    def __init__(self, server_id: str) -> None:
        super().__init__(f"Server {server_id!r} does not exist", metadata={"server_id": server_id})


class ServerAlive(ApiError):
    reason = reasons.ERROR_REASON_SERVER_ALIVE

    def __init__(self, server_id: str) -> None:
        super().__init__(
            f"server {server_id!r} lives: stop its process before you delete it",
            metadata={"server_id": server_id},
        )


class EtagMismatch(ApiError):
    reason = reasons.ERROR_REASON_ETAG_MISMATCH

    def __init__(self, wanted: str, current: str) -> None:
        super().__init__(
            f"the resource is at version {current}, not {wanted}; read it again and retry",
            metadata={"wanted": wanted, "current": current},
        )


class IdempotencyKeyReused(ApiError):
    reason = reasons.ERROR_REASON_IDEMPOTENCY_KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            "this idempotency key came with a different request within the last 24 h; use a new one"
        )


class NodeNameTaken(ApiError):
    reason = reasons.ERROR_REASON_NODE_NAME_TAKEN

    def __init__(self, node_id: str, message: str = "") -> None:
        super().__init__(
            message
            or f"a node named {node_id!r} exists already: choose another --name, or delete that node",
            metadata={"node_id": node_id},
        )


class DuplicateIdentity(ApiError):
    reason = reasons.ERROR_REASON_DUPLICATE_IDENTITY

    def __init__(self, node_id: str) -> None:
        super().__init__(
            f"another machine holds the identity of node {node_id!r} (was a disk cloned?): "
            "start this agent once with --reset-identity, a join token and another --name; "
            f"to keep the name, delete node {node_id!r} first, which ends the other agent",
            metadata={"node_id": node_id},
        )


class NodeDeleted(ApiError):
    reason = reasons.ERROR_REASON_NODE_DELETED

    def __init__(self, node_id: str) -> None:
        super().__init__(
            f"node {node_id!r} was deleted: start the agent again with a join token to join anew",
            metadata={"node_id": node_id},
        )


class StaleAttempt(ApiError):
    reason = reasons.ERROR_REASON_STALE_ATTEMPT


class CommandFinished(ApiError):
    reason = reasons.ERROR_REASON_COMMAND_FINISHED

    def __init__(self, command_id: str, state: str) -> None:
        super().__init__(
            f"command {command_id!r} has already ended as {state}",
            metadata={"command_id": command_id, "state": state},
        )


class TaskNotFound(ApiError):
    reason = reasons.ERROR_REASON_TASK_NOT_FOUND

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id!r} does not exist", metadata={"task_id": task_id})


class TaskInstanceNotFound(ApiError):
    reason = reasons.ERROR_REASON_TASK_INSTANCE_NOT_FOUND

    def __init__(self, instance_id: str) -> None:
        super().__init__(
            f"task instance {instance_id!r} does not exist", metadata={"instance_id": instance_id}
        )


class TaskExists(ApiError):
    reason = reasons.ERROR_REASON_TASK_EXISTS

    def __init__(self, task_id: str) -> None:
        super().__init__(f"task {task_id!r} exists already", metadata={"task_id": task_id})


class TaskFinished(ApiError):
    reason = reasons.ERROR_REASON_TASK_FINISHED

    def __init__(self, task_id: str, state: str) -> None:
        super().__init__(
            f"task {task_id!r} has already ended as {state}",
            metadata={"task_id": task_id, "state": state},
        )


class TaskNotRetryable(ApiError):
    reason = reasons.ERROR_REASON_TASK_NOT_RETRYABLE

    def __init__(self, task_id: str, state: str) -> None:
        super().__init__(
            f"task {task_id!r} is {state}; only one that failed or was cancelled can be retried",
            metadata={"task_id": task_id, "state": state},
        )


class InvalidTaskType(ApiError):
    reason = reasons.ERROR_REASON_INVALID_TASK_TYPE

    def __init__(self, task_type: str, known: Sequence[str], device_id: str = "") -> None:
        """Takes what types there are, on the device that was asked for if one was."""
        types = ", ".join(known) or "none"
        super().__init__(
            f"device {device_id!r} does not run tasks of type {task_type!r}; it runs {types}"
            if device_id
            else f"no device runs tasks of type {task_type!r}; known are {types}",
            metadata={"task_type": task_type},
        )


class DeviceOffline(ApiError):
    reason = reasons.ERROR_REASON_DEVICE_OFFLINE

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"device {device_id!r} is offline; leave device_id out to let another one run it",
            metadata={"device_id": device_id},
        )


class InsufficientResources(ApiError):
    reason = reasons.ERROR_REASON_INSUFFICIENT_RESOURCES

    def __init__(self, why: str) -> None:
        super().__init__(why)


class CursorExpired(ApiError):
    reason = reasons.ERROR_REASON_CURSOR_EXPIRED

    def __init__(self, oldest_cursor: str) -> None:
        super().__init__(
            "the cursor is older than the kept history: start again without a cursor",
            metadata={"oldest_cursor": oldest_cursor},
        )


class EpochChanged(ApiError):
    reason = reasons.ERROR_REASON_EPOCH_CHANGED

    def __init__(self) -> None:
        super().__init__(
            "the cursor belongs to another history, as after a restored backup: "
            "start again without a cursor"
        )


class CursorInvalid(ApiError):
    reason = reasons.ERROR_REASON_CURSOR_INVALID

    def __init__(self, cursor: str) -> None:
        super().__init__(
            "the cursor is not one that this API gives",
            metadata={"cursor": cursor[:64]},
            violations=(Violation("cursor", "must be a cursor from an earlier row, or empty"),),
        )


class PageTokenInvalid(ApiError):
    reason = reasons.ERROR_REASON_PAGE_TOKEN_INVALID

    def __init__(self) -> None:
        super().__init__(
            "the page token does not belong to this request",
            violations=(Violation("page_token", "must come from the same request's last page"),),
        )


class DatabaseUnavailable(ApiError):
    reason = reasons.ERROR_REASON_DATABASE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("the database does not answer; try again shortly", retry_after=1.0)


class Overloaded(ApiError):
    reason = reasons.ERROR_REASON_OVERLOADED

    def __init__(self) -> None:
        super().__init__("more work is waiting than the server accepts", retry_after=1.0)


class Draining(ApiError):
    reason = reasons.ERROR_REASON_DRAINING

    def __init__(self) -> None:
        super().__init__("the server is shutting down", retry_after=1.0)


class RevisionNotReached(ApiError):
    reason = reasons.ERROR_REASON_REVISION_NOT_REACHED


class DeadlineExceeded(ApiError):
    reason = reasons.ERROR_REASON_DEADLINE_EXCEEDED

    def __init__(self) -> None:
        super().__init__("the deadline passed before the answer was ready")


class SlowConsumer(ApiError):
    reason = reasons.ERROR_REASON_SLOW_CONSUMER

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the stream was cut because its reader took nothing for {seconds:g} s; resume it"
        )


class Internal(ApiError):
    reason = reasons.ERROR_REASON_INTERNAL

    def __init__(self) -> None:
        super().__init__("the server failed; its log tells more under this request id")


class NotImplementedHere(ApiError):
    reason = reasons.ERROR_REASON_NOT_IMPLEMENTED


class TooLarge(ApiError):
    reason = reasons.ERROR_REASON_TOO_LARGE


class LinkProtocol(ApiError):
    reason = reasons.ERROR_REASON_LINK_PROTOCOL


class ClientClosed(ApiError):
    reason = reasons.ERROR_REASON_CLIENT_CLOSED
