"""Why a request is not answered as asked, whoever found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from novasphere_gateway.model import BindError, ErrorRule, Violation

# What clients get for a status whose reason is not in the API's table, as from a proxy between the
# gateway and the server.
_HTTP_STATUS = {
    code_pb2.CANCELLED: 499,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.UNAUTHENTICATED: 401,
}
_DOMAIN = "novasphere.io"
_RETRIABLE = frozenset({code_pb2.UNAVAILABLE, code_pb2.DEADLINE_EXCEEDED})


class Failure(Exception):
    """The request fails for `reason`, which every face tells in its own shape.

    `grpc_code` is needed only where `reason` is not in the API's table. `headers` are sent with the
    answer.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        grpc_code: int | None = None,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        # It may quote a header, whose bytes need not be UTF-8: no JSON could carry those.
        self.message = message.encode(errors="replace").decode()
        super().__init__(self.message)
        self.reason = reason
        self.grpc_code = grpc_code
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.headers = dict(headers or {})


def from_binding(error: BindError) -> Failure:
    return Failure(error.reason, str(error), violations=error.violations)


def from_status(status: status_pb2.Status) -> Failure:
    """Returns what a google.rpc.Status says."""
    reason = ""
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    retry_after: float | None = None
    for detail in status.details:
        try:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo.FromString(detail.value)
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
                bad = error_details_pb2.BadRequest.FromString(detail.value)
                violations += [Violation(v.field, v.description) for v in bad.field_violations]
            elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay
                retry_after = delay.seconds + delay.nanos / 1e9
        except DecodeError:
            continue  # the code and the message still tell what they tell
    return Failure(
        reason or _code_name(status.code),
        status.message,
        grpc_code=status.code,
        metadata=metadata,
        violations=violations,
        retry_after=retry_after,
    )


def to_status(failure: Failure, rule: ErrorRule, request_id: str) -> status_pb2.Status:
    """Returns a failure as gRPC tells it."""
    status = status_pb2.Status(code=rule.grpc_code, message=failure.message)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=failure.reason, domain=_DOMAIN, metadata=failure.metadata),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if failure.violations:
        bad = error_details_pb2.BadRequest()
        for violation in failure.violations:
            bad.field_violations.add(field=violation.field, description=violation.description)
        details.append(bad)
    if failure.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(failure.retry_after * 1e9))
        details.append(retry)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def draining() -> Failure:
    """Returns the failure that the server goes, and another may come."""
    return Failure("DRAINING", "the server is shutting down", retry_after=1.0)


def overdue() -> Failure:
    """Returns the failure that there is no answer in time."""
    return Failure("DEADLINE_EXCEEDED", "the deadline passed before the answer was ready")


def internal() -> Failure:
    """Returns the failure that says nothing of its cause."""
    return Failure("INTERNAL", "the server failed; its log tells more under this request id")


def _code_name(code: int) -> str:
    try:
        return str(code_pb2.Code.Name(code))
    except ValueError:
        return "UNKNOWN"


class Catalogue:
    """The API's error reasons, and what to say of one that is not among them."""

    def __init__(self, rules: Mapping[str, ErrorRule]) -> None:
        self._rules = rules

    def rule(self, failure: Failure) -> ErrorRule:
        known = self._rules.get(failure.reason)
        if known is not None:
            return known
        code = failure.grpc_code or code_pb2.UNKNOWN
        return ErrorRule(
            reason=failure.reason,
            grpc_code=code,
            http_status=_HTTP_STATUS.get(code, 500),
            meaning=_code_name(code).replace("_", " ").capitalize() + ".",
            retriable=code in _RETRIABLE,
        )

    @staticmethod
    def grpc_name(rule: ErrorRule) -> str:
        return _code_name(rule.grpc_code)
