"""What each face puts around an answer and an error, as JSON Schema.

The numbers are those of novasphere.api.v1.Face. What the runtime writes is described here, not decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_TIME: Json = {"type": "string", "format": "date-time", "description": "When the server answered."}
_REQUEST_ID: Json = {"type": "string", "description": "Names this request in the server's log."}


def object_of(required: tuple[str, ...], **properties: Json) -> Json:
    """Returns the schema of an object. Without required members the list is left out."""
    schema: Json = {"type": "object", "properties": properties}
    return schema | {"required": list(required)} if required else schema


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


@dataclass(frozen=True, slots=True)
class Face:
    """One face."""

    name: str
    error_media_type: str
    wrap: Callable[[Json | None], Json]
    """Returns the schema of a success with that data; None: the response has no fields."""
    error: Callable[[Json], Json]
    """Returns the schema of an error, given that of its code."""


def _bare(data: Json | None) -> Json:
    return data if data is not None else {"type": "object"}


def _nothing(data: Json | None) -> Json:
    return data if data is not None else {"type": "null"}


def _nodes(data: Json | None) -> Json:
    members: Json = {"success": {"const": True}, "message": _text("That it worked, in words.")}
    if data is not None:
        members["data"] = data
    members["timestamp"] = _TIME
    return object_of(("success",) if data is None else ("success", "data"), **members)


def _nodes_error(code: Json) -> Json:
    return object_of(
        ("success", "message", "error_code", "timestamp"),
        success={"const": False},
        message=_text("What went wrong, for people."),
        error_code=code,
        timestamp=_TIME,
    )


def _devices(data: Json | None) -> Json:
    members: Json = {"status": {"const": "success"}}
    if data is not None:
        members["data"] = data
    members |= {
        "message": _text("That it worked, in words."),
        "timestamp": _TIME,
        "request_id": _REQUEST_ID,
    }
    return object_of(("status",) if data is None else ("status", "data"), **members)


def _error_object(code: Json, details: Json) -> Json:
    return object_of(
        ("code", "message"), code=code, message=_text("What went wrong, for people."), details=details
    )


def _devices_error(code: Json) -> Json:
    return object_of(
        ("status", "error", "timestamp", "request_id"),
        status={"const": "error"},
        error=_error_object(code, {"type": "object", "description": "What the message talks about."}),
        timestamp=_TIME,
        request_id=_REQUEST_ID,
    )


def _clusters_error(code: Json) -> Json:
    return object_of(
        ("error",), error=_error_object(code, {"description": "What the message talks about."})
    )


def _schedules_error(code: Json) -> Json:
    return object_of(
        ("error", "timestamp"),
        error=_error_object(code, _text("What the message talks about.")),
        timestamp=_TIME,
    )


def _wukongs(data: Json | None) -> Json:
    members: Json = {"code": {"const": 0}, "message": _text("That it worked.")}
    if data is not None:
        members["data"] = data
    return object_of(("code", "message") if data is None else ("code", "message", "data"), **members)


def _wukongs_error(_code: Json) -> Json:
    # This face says the HTTP status in place of a word.
    return object_of(
        ("code", "message"),
        code={"type": "integer", "description": "The HTTP status."},
        message=_text("What went wrong, for people."),
    )


def _problem(code: Json) -> Json:
    violation = object_of(
        ("field", "description"),
        field=_text("The field, as a path from the request's root."),
        description=_text("What is wrong with it."),
    )
    return object_of(
        ("type", "title", "status", "code", "request_id"),
        type=_text("A URI that names the kind of problem."),
        title=_text("The kind of problem, in words."),
        status={"type": "integer", "description": "The HTTP status."},
        detail=_text("What went wrong, for people."),
        instance=_text("The path of the request."),
        code=code,
        grpc_code=_text("The gRPC status code that gRPC clients see."),
        request_id=_REQUEST_ID,
        violations={
            "type": "array",
            "items": violation,
            "description": "What is wrong with the request.",
        },
        metadata={
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What the message talks about, for programs.",
        },
        retriable={
            "type": "boolean",
            "description": "The same request may succeed later without being changed.",
        },
        retry_after={
            "type": "number",
            "description": "Seconds after which to try again, where they are known.",
        },
    )


FACES = {
    1: Face("Clusters", "application/json", _bare, _clusters_error),
    2: Face("Devices", "application/json", _devices, _devices_error),
    3: Face("Nodes", "application/json", _nodes, _nodes_error),
    4: Face("Schedules", "application/json", _nothing, _schedules_error),
    5: Face("Wukongs", "application/json", _wukongs, _wukongs_error),
    6: Face("Native", "application/problem+json", _bare, _problem),
}
