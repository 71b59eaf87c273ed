"""What each face puts around an answer, and how it says that something failed.

A success is `prefix + data + suffix`. The prefix depends on the route and the language alone and is
made once per route; the suffix holds what differs from answer to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from novasphere.api.v1 import options_pb2

from novasphere_gateway.model import ErrorRule
from novasphere_gateway.runtime.failures import Catalogue, Failure
from novasphere_gateway.runtime.times import Stamps

PROBLEM = "application/problem+json"
JSON = "application/json"


class Envelope:
    """Bare bodies; errors as RFC 9457 problems. The other faces differ from this."""

    error_type: ClassVar[str] = PROBLEM
    default_message: ClassVar[str] = ""
    default_message_en: ClassVar[str] = ""
    dry_message: ClassVar[str] = "校验通过，未执行"
    dry_message_en: ClassVar[str] = "valid; nothing was changed"

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps

    def prefix(self, message: str, *, has_data: bool) -> bytes:
        """Returns what comes before the data; all there is, where there is no data."""
        return b"" if has_data else b"{}"

    def suffix(self, request_id: str) -> bytes:
        """Returns what comes after the data."""
        return b""

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        """Returns the body of an error."""
        return orjson.dumps(problem(failure, rule, face, request_id=request_id, path=path))


def problem(
    failure: Failure, rule: ErrorRule, face: int, *, request_id: str, path: str
) -> dict[str, Any]:
    """Returns a failure as an RFC 9457 problem with our extensions."""
    body: dict[str, Any] = {
        "type": f"urn:novasphere:error:{failure.reason}",
        "title": rule.meaning,
        "status": rule.for_face(face).http_status,
        "detail": failure.message,
        "instance": path,
        "code": failure.reason,
        "grpc_code": Catalogue.grpc_name(rule),
        "request_id": request_id,
        "metadata": failure.metadata,
        "violations": _violations(failure),
        "retriable": rule.retriable,
    }
    if failure.retry_after is not None:
        body["retry_after"] = failure.retry_after
    return body


def _violations(failure: Failure) -> list[dict[str, str]]:
    return [{"field": v.field, "description": v.description} for v in failure.violations]


def _details(failure: Failure) -> dict[str, Any]:
    details: dict[str, Any] = dict(failure.metadata)
    if failure.violations:
        details["violations"] = _violations(failure)
    return details


class Nodes(Envelope):
    error_type = JSON
    default_message = "操作成功"
    default_message_en = "ok"

    def prefix(self, message: str, *, has_data: bool) -> bytes:
        head = b'{"success":true,"message":' + orjson.dumps(message)
        return head + b',"data":' if has_data else head

    def suffix(self, request_id: str) -> bytes:
        return b',"timestamp":"' + self._stamps.json() + b'"}'

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        said = rule.for_face(face)
        is_auth = said.http_status == 401
        return orjson.dumps(
            {
                "success": False,
                "message": "认证失败" if is_auth and not is_english else failure.message,
                "error_code": said.code,
                "timestamp": self._stamps.json().decode(),
            }
        )


class Clusters(Envelope):
    error_type = JSON

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        code = rule.for_face(face).code
        return orjson.dumps(
            {"error": {"code": code, "message": failure.message, "details": _details(failure)}}
        )


class Devices(Envelope):
    error_type = JSON

    def prefix(self, message: str, *, has_data: bool) -> bytes:
        data = b',"data":' if has_data else b""
        # Last comes the data, so that the suffix can be joined on.
        words = b',"message":' + orjson.dumps(message) if message else b""
        return b'{"status":"success"' + words + data

    def suffix(self, request_id: str) -> bytes:
        stamp = self._stamps.json()
        return b',"timestamp":"' + stamp + b'","request_id":' + orjson.dumps(request_id) + b"}"

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        code = rule.for_face(face).code
        details = _details(failure)
        for name, value in failure.metadata.items():
            if name.startswith("available_"):  # a list, which ErrorInfo can only carry as a text
                details[name] = value.split(",") if value else []
        return orjson.dumps(
            {
                "status": "error",
                "error": {"code": code, "message": failure.message, "details": details},
                "timestamp": self._stamps.json().decode(),
                "request_id": request_id,
            }
        )


class Schedules(Envelope):
    error_type = JSON

    def prefix(self, message: str, *, has_data: bool) -> bytes:
        return b"" if has_data else b"null"

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        code = rule.for_face(face).code
        return orjson.dumps(
            {
                "error": {"code": code, "message": rule.meaning, "details": failure.message},
                "timestamp": self._stamps.json().decode(),
            }
        )


class Wukongs(Envelope):
    error_type = JSON
    default_message = "success"
    default_message_en = "success"

    def prefix(self, message: str, *, has_data: bool) -> bytes:
        head = b'{"code":0,"message":' + orjson.dumps(message)
        return head + b',"data":' if has_data else head

    def suffix(self, request_id: str) -> bytes:
        return b"}"

    def error(
        self,
        failure: Failure,
        rule: ErrorRule,
        face: int,
        *,
        request_id: str,
        path: str,
        is_english: bool,
    ) -> bytes:
        status = rule.for_face(face).http_status
        return orjson.dumps({"code": status, "message": failure.message})


def envelopes(stamps: Stamps) -> Mapping[int, Envelope]:
    """Returns the envelope of every face; FACE_NATIVE's serves where no route was found."""
    return {
        options_pb2.FACE_CLUSTERS: Clusters(stamps),
        options_pb2.FACE_DEVICES: Devices(stamps),
        options_pb2.FACE_NODES: Nodes(stamps),
        options_pb2.FACE_SCHEDULES: Schedules(stamps),
        options_pb2.FACE_WUKONGS: Wukongs(stamps),
        options_pb2.FACE_NATIVE: Envelope(stamps),
    }
