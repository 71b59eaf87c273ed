"""Turns exceptions into google.rpc.Status, once, for every transport."""

from __future__ import annotations

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from novasphere.api.v1 import error_reason_pb2 as reasons
from novasphere.api.v1 import options_pb2

from novasphere_server.errors import ApiError

DOMAIN = "novasphere.io"
_PREFIX = "ERROR_REASON_"


def _rules() -> dict[int, options_pb2.ErrorRule]:
    return {
        value.number: value.GetOptions().Extensions[options_pb2.error]
        for value in reasons.ErrorReason.DESCRIPTOR.values
    }


RULES = _rules()


def reason_name(reason: int) -> str:
    """Returns the reason as it travels in ErrorInfo: NODE_NOT_FOUND."""
    name: str = reasons.ErrorReason.DESCRIPTOR.values_by_number[reason].name
    return name.removeprefix(_PREFIX)


def of(error: ApiError, request_id: str) -> status_pb2.Status:
    """Returns what a client is told of `error`, with details in standard types."""
    rule = RULES[error.reason]
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=reason_name(error.reason), domain=DOMAIN, metadata=error.metadata
        ),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                    for v in error.violations
                ]
            )
        )
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after * 1e9))
        details.append(retry)
    return status_pb2.Status(
        code=rule.code, message=error.message, details=[_packed(detail) for detail in details]
    )


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def code_name(code: int) -> str:
    return str(code_pb2.Code.Name(code))
