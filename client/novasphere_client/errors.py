"""What the API answers when it refuses, as exceptions.

Catch by class, or by `reason`, which is the name that every transport of the API uses. Messages are
for people and may change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Violation(NamedTuple):
    """One field that is wrong, and what to do about it."""

    field: str
    description: str


class NovasphereError(Exception):
    """A call that failed.

    `is_retriable`: the same request may succeed later without being changed. `request_id` finds the
    call in the server's log. `retry_after` is in seconds. `may_have_happened`: what the request asks for may
    have been done all the same, by this try or by an earlier one that nobody answered.
    """

    may_have_happened = False

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        code: str = "UNKNOWN",
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        is_retriable: bool = False,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.is_retriable = is_retriable
        self.request_id = request_id
        self.retry_after = retry_after


class InvalidArgument(NovasphereError):
    """The request is not acceptable; `violations` say which fields and why."""


class Unauthenticated(NovasphereError):
    """No credential, or one that is wrong, expired or revoked."""


class PermissionDenied(NovasphereError):
    """The credential does not allow this."""


class NotFound(NovasphereError):
    """What the request names does not exist."""


class NodeNotFound(NotFound):
    """No node of that name."""


class CommandNotFound(NotFound):
    """No command of that id."""


class TaskNotFound(NotFound):
    """No task of that id."""


class TaskInstanceNotFound(NotFound):
    """No attempt of that id."""


class JobNotFound(NotFound):
    """No job of that id."""


class ScheduleNotFound(NotFound):
    """No schedule of that id."""


class KeyNotFound(NotFound):
    """No API key of that id."""


class JoinTokenNotFound(NotFound):
    """No join token of that id."""


class NoMetricsData(NotFound):
    """The node has not sent a metric sample."""


class AlreadyExists(NovasphereError):
    """What the request would make exists."""


class Aborted(NovasphereError):
    """Something else was there first; `reason` says what."""


class EtagMismatch(Aborted):
    """The resource changed since it was read."""


class CommandFinished(Aborted):
    """The command has already ended in another way."""


class FailedPrecondition(NovasphereError):
    """The state of things does not allow this now."""


class TaskFinished(FailedPrecondition):
    """The task has already ended in another way."""


class ResourceExhausted(NovasphereError):
    """The server has more to do than it accepts."""


class DeadlineExceeded(NovasphereError):
    """The deadline passed before the answer came; whether the request took effect is not known."""


class Unavailable(NovasphereError):
    """The server answered that it cannot serve now."""


class Unreachable(Unavailable):
    """The server did not answer: no connection, or one that broke."""


class Unimplemented(NovasphereError):
    """The server is older than this client, or another program altogether."""


class Internal(NovasphereError):
    """The server failed; its log tells more under `request_id`."""


class Gap(NovasphereError):
    """A watch lost changes: what it saw is no longer the whole story.

    Start again without a cursor. Revisions are 0 where the server did not say.
    """

    first_lost_revision: int = 0
    last_lost_revision: int = 0
    oldest_cursor: str = ""


class CursorExpired(Gap):
    """The cursor is older than the kept history."""


class EpochChanged(Gap):
    """The cursor belongs to another history, as after a restored backup."""


class OutputGap(NovasphereError):
    """Bytes are missing from a command's output."""


BY_REASON: dict[str, type[NovasphereError]] = {
    "NODE_NOT_FOUND": NodeNotFound,
    "COMMAND_NOT_FOUND": CommandNotFound,
    "TASK_NOT_FOUND": TaskNotFound,
    "TASK_INSTANCE_NOT_FOUND": TaskInstanceNotFound,
    "JOB_NOT_FOUND": JobNotFound,
    "SCHEDULE_NOT_FOUND": ScheduleNotFound,
    "KEY_NOT_FOUND": KeyNotFound,
    "JOIN_TOKEN_NOT_FOUND": JoinTokenNotFound,
    "NO_METRICS_DATA": NoMetricsData,
    "ETAG_MISMATCH": EtagMismatch,
    "COMMAND_FINISHED": CommandFinished,
    "TASK_FINISHED": TaskFinished,
    "CURSOR_EXPIRED": CursorExpired,
    "EPOCH_CHANGED": EpochChanged,
}

BY_CODE: dict[str, type[NovasphereError]] = {
    "INVALID_ARGUMENT": InvalidArgument,
    "OUT_OF_RANGE": InvalidArgument,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "ABORTED": Aborted,
    "FAILED_PRECONDITION": FailedPrecondition,
    "RESOURCE_EXHAUSTED": ResourceExhausted,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
    "UNIMPLEMENTED": Unimplemented,
    "INTERNAL": Internal,
    "DATA_LOSS": Internal,
}
