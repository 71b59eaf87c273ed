"""Turns a gRPC status with google.rpc details into the client's exceptions."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from novasphere.api.v1 import error_reason_pb2, options_pb2

from novasphere_client import errors

# Every error of the API carries an ErrorInfo. One that comes without it was made by a transport, and
# these codes are how gRPC spells a connection that did not come about or broke.
_BROKEN = frozenset(
    (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    )
)


def is_retriable(reason: str) -> bool:
    """Tells whether the API says of a reason that the same request may succeed later."""
    value = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name.get(f"ERROR_REASON_{reason}")
    return value is not None and bool(value.GetOptions().Extensions[options_pb2.error].retriable)


def from_rpc_error(error: grpc.aio.AioRpcError) -> errors.NovasphereError:
    """Returns the exception for a failed call."""
    code: grpc.StatusCode = error.code()
    info = error_details_pb2.ErrorInfo()
    request_info = error_details_pb2.RequestInfo()
    retry = error_details_pb2.RetryInfo()
    bad = error_details_pb2.BadRequest()
    has_info = has_retry = False
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # details that contradict the status: an intermediary's, not ours
        status = None
    for detail in status.details if status is not None else ():
        has_info = detail.Unpack(info) or has_info
        has_retry = detail.Unpack(retry) or has_retry
        detail.Unpack(request_info)
        detail.Unpack(bad)

    request_id = request_info.request_id
    if not request_id:
        for key, value in error.trailing_metadata() or ():
            if key == "x-request-id":
                request_id = value if isinstance(value, str) else value.decode("ascii", "replace")

    is_broken = not has_info and code in _BROKEN
    kind = errors.BY_REASON.get(info.reason) or errors.BY_CODE.get(code.name, errors.NovasphereError)
    if is_broken:
        kind = errors.Unreachable
    made = kind(
        error.details() or code.name,
        reason=info.reason,
        code=code.name,
        violations=[errors.Violation(v.field, v.description) for v in bad.field_violations],
        metadata=info.metadata,
        is_retriable=is_broken or is_retriable(info.reason),
        request_id=request_id,
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
    )
    if isinstance(made, errors.Gap):
        made.oldest_cursor = info.metadata.get("oldest_cursor", "")
    return made
