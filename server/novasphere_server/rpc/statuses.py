"""Turns exceptions into google.rpc.Status, once, for every transport."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from novasphere.api.v1 import error_reason_pb2 as reasons
from novasphere.api.v1 import options_pb2

from novasphere_server.errors import ApiError, Violation

DOMAIN = "novasphere.io"
_PREFIX = "ERROR_REASON_"

# In bytes. A status travels in gRPC's trailers, of which clients take 8 KiB: one that echoed all of a
# long id would not arrive at all.
_MESSAGE = 1024
_VALUE = 256
_VIOLATIONS = 2048


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
            reason=reason_name(error.reason),
            domain=DOMAIN,
            metadata={key: _cut(value, _VALUE) for key, value in error.metadata.items()},
        ),
        error_details_pb2.RequestInfo(request_id=request_id),
    ]
    if error.violations:
        details.append(_bad_request(error.violations))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after * 1e9))
        details.append(retry)
    return status_pb2.Status(
        code=rule.code,
        message=_cut(error.message, _MESSAGE),
        details=[_packed(detail) for detail in details],
    )


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    """Returns the violations, as many as there is room for."""
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        bad.field_violations.add(
            field=_cut(violation.field, _VALUE), description=_cut(violation.description, _VALUE)
        )
        if bad.ByteSize() > _VIOLATIONS:
            del bad.field_violations[-1]
            break
    return bad


def _cut(text: str, most: int) -> str:
    data = text.encode()
    return text if len(data) <= most else data[: most - 3].decode(errors="ignore") + "…"


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def code_name(code: int) -> str:
    return str(code_pb2.Code.Name(code))
