"""Turns a request's path, query, headers and body into the message of its RPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from contextlib import suppress
from typing import Any, cast

import orjson
from google.protobuf.message import DecodeError, Message
from novasphere.api.v1 import options_pb2

from novasphere_gateway import codec
from novasphere_gateway.model import BindError, Param, Route, Violation
from novasphere_gateway.runtime import requests
from novasphere_gateway.runtime.failures import Failure
from novasphere_gateway.runtime.requests import Incoming

MIN_REVISION = "min_revision"
LAST_EVENT_ID = "last_event_id"
TOKEN = "token"  # noqa: S105 - the name of a parameter
TICKET = "ticket"

_TICKETS = "nst_"  # what each of them begins with


def parse_json(data: bytes | str, what: str = "body") -> dict[str, Any]:
    """Returns the JSON object that a body or a frame is; an empty one is an empty object."""
    if not data:
        return {}
    try:
        value = codec.json_value(data)
    except orjson.JSONDecodeError as e:
        message = f"the {what} is not JSON: {e.msg} at line {e.lineno}, column {e.colno}"
        raise Failure("MALFORMED_BODY", message) from e
    except RecursionError:
        raise Failure("MALFORMED_BODY", f"the {what} is nested too deep") from None
    if not isinstance(value, dict):
        raise Failure("MALFORMED_BODY", f"the {what} must be a JSON object")
    return value


def parse_proto(route: Route, data: bytes, what: str = "body") -> Message:
    """Returns the request whose body the bytes are, as a protobuf message."""
    message = route.request()
    if route.decode_body is None:
        if data:
            raise Failure("INVALID_ARGUMENT", "this route takes no body")
        return message
    target = getattr(message, route.body_field) if route.body_field else message
    try:
        target.MergeFromString(data)
    except DecodeError:
        name = target.DESCRIPTOR.full_name
        raise Failure("MALFORMED_BODY", f"the {what} is not a {name} in protobuf's form") from None
    target.SetInParent()
    return message


def check_media_type(content_type: str, *, has_action: bool = False) -> None:
    """Refuses bodies that are neither JSON nor, unless they choose an action, protobuf."""
    if requests.is_json(content_type) or (requests.is_proto(content_type) and not has_action):
        return
    given = f"not {content_type}" if content_type else "and none was given"
    known = requests.JSON if has_action else f"{requests.JSON} or {requests.PROTO}"
    raise Failure("UNSUPPORTED_MEDIA_TYPE", f"the body's Content-Type must be {known}, {given}")


def take_reserved(route: Route, query: dict[str, list[str]], metadata: dict[str, str]) -> str | None:
    """Moves what every route takes out of the query, into metadata. Returns `last_event_id`.

    `token` and `ticket` belong to no RPC: where they are not accepted, they are left in the query and
    refused with it.
    """
    if MIN_REVISION in query and MIN_REVISION not in route.query:
        text = _single(query.pop(MIN_REVISION), MIN_REVISION)
        metadata["novasphere-min-revision"] = requests.whole_number(text, MIN_REVISION)
    stream = route.stream
    if stream is not None and stream.resume_param is not None and LAST_EVENT_ID in query:
        return _single(query.pop(LAST_EVENT_ID), LAST_EVENT_ID)
    return None


def take_token(
    query: dict[str, list[str]], metadata: dict[str, str], *, takes_tokens: bool = True
) -> None:
    """Makes `?ticket=`, or `?token=` where that is taken, the call's credential, unless a header brought one."""
    names = [name for name in (TICKET, TOKEN) if name in query and (takes_tokens or name == TICKET)]
    if len(names) > 1:
        raise _invalid(TOKEN, f"must not be given beside {TICKET}")
    for name in names:
        credential = _single(query.pop(name), name)
        # Where tokens are switched off, this is no way around that.
        if name == TICKET and not credential.startswith(_TICKETS):
            raise _invalid(TICKET, f"must be a ticket: POST /api/v1/tickets makes one, {_TICKETS}...")
        if not (credential.isascii() and credential.isprintable()):
            raise _invalid(name, "must be printable ASCII")
        if "x-api-key" not in metadata:
            metadata.setdefault("authorization", f"Bearer {credential}")


def _single(values: list[str], name: str) -> str:
    if len(values) != 1:
        raise _invalid(name, "must be given once")
    return values[0]


def bind(
    route: Route,
    incoming: Incoming,
    segments: Sequence[str],
    query: dict[str, list[str]],
    body: dict[str, Any] | Message,
    resume: str | None = None,
) -> Message:
    """Returns the request message. Raises BindError or Failure; what it binds last wins.

    `query` and `body` hold only what the RPC may know; path variables that the body repeats are taken
    out of it.
    """
    if isinstance(body, Message):
        message = body
        _check_path(route, segments, message)
        _check_given_once(route, incoming, query, message)
    elif route.decode_body is not None:
        _agree_with_path(route, segments, body)
        if query:
            _agree_with_query(route, query, body)
        try:
            message = route.decode_body(body, "")
        except RecursionError:
            raise Failure("MALFORMED_BODY", "the body is nested too deep") from None
    elif body:
        raise codec.unknown_keys(body, (), "")
    else:
        message = route.request()
    if query:
        _bind_query(route, message, query)
    if route.mask and not isinstance(body, Message):
        _say_what_changes(route.mask, cast("Any", message).update_mask.paths, body)
    for parameter in route.headers:
        values = incoming.headers.getall(parameter.name, ())
        if values:
            if len(set(values)) > 1:  # a proxy may repeat one, nobody means two
                raise _invalid(parameter.name, "must be given once, not with differing values")
            _bind_header(parameter, message, values[0])
    if resume and route.stream is not None and route.stream.resume_param is not None:
        _bind_header(route.stream.resume_param, message, resume)
    for variable in route.path_params:
        variable.bind(message, segments)
    return message


def _say_what_changes(
    mask: Mapping[str, str], paths: MutableSequence[str], body: Mapping[str, Any]
) -> None:
    """Makes the paths of an update mask those of fields: of the keys that they name, or else of those that the body
    has. In order, for a body that is repeated with its keys in another one is the same request.
    """
    paths[:] = [mask.get(path, path) for path in paths] or sorted(set(_named(mask, body)))


def _named(mask: Mapping[str, str], body: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yields the path of each key of a body, and of those one level below it. Null says nothing of a field."""
    for key, value in body.items():
        if value is not None and (path := mask.get(above + key)):
            yield path
            if isinstance(value, dict):
                yield from _named(mask, value, f"{key}.")


def name_as_sent(failure: Failure, route: Route, incoming: Incoming) -> None:
    """Makes what the RPC says of its fields speak of the headers and keys that the client sent for them."""
    sent = {p.field: p.name for p in route.headers if p.name in incoming.headers}
    request = route.request.DESCRIPTOR
    named = [
        Violation(sent.get(v.field) or _keys(request, v.field), v.description)
        for v in failure.violations
    ]
    for old, new in zip(failure.violations, named, strict=True):
        failure.message = failure.message.replace(f"{old.field}: ", f"{new.field}: ")
    failure.violations = tuple(named)


def _keys(message: Any, path: str) -> str:
    """Returns the path of a field, as in "a.b[0].c", with the keys that the JSON API has for its parts."""
    keys = []
    for part in path.split("."):
        name, bracket, index = part.partition("[")
        field = message.fields_by_name.get(name) if message is not None else None
        key = name if field is None else field.GetOptions().Extensions[options_pb2.key] or name
        keys.append(key + bracket + index)
        message = None if field is None else field.message_type
    return ".".join(keys)


def bind_path(route: Route, segments: Sequence[str]) -> Message:
    """Returns a request that holds what the path says, as far as that can be read."""
    message = route.request()
    with suppress(BindError):
        for variable in route.path_params:
            variable.bind(message, segments)
    return message


def _bind_header(parameter: Param, message: Message, value: str) -> None:
    try:
        parameter.bind(message, [value])
    except UnicodeEncodeError as e:  # HTTP lets any bytes through
        raise _invalid(parameter.name, "must be UTF-8") from e


def _bind_query(route: Route, message: Message, query: dict[str, list[str]]) -> None:
    known = route.query
    unknown = [key for key in query if key not in known]
    if unknown:
        reserved = {MIN_REVISION}
        if route.stream:
            reserved |= {LAST_EVENT_ID, TICKET, TOKEN}
        raise codec.unknown_parameters(unknown, {*known, *reserved})
    names: dict[str, str] = {}
    for key, values in query.items():
        parameter = known[key]
        other = names.setdefault(parameter.name, key)
        if other != key:
            raise _invalid(key, f"is another name of {other}: give one of them")
        parameter.bind(message, values, key)


def _check_path(route: Route, segments: Sequence[str], message: Message) -> None:
    """Refuses a message that says something else than the path."""
    for variable in route.path_params:
        said = _value(message, variable.param.field)
        if said:
            variable.bind(message, segments)
            if said != (bound := _value(message, variable.param.field)):
                raise _invalid(variable.param.field, f"must be {bound!r}, as in the path")


def _check_given_once(
    route: Route, incoming: Incoming, query: dict[str, list[str]], message: Message
) -> None:
    """Refuses a field that both a message and the query or a header set."""
    given = [(key, route.query[key]) for key in query if key in route.query]
    given += [(p.name, p) for p in route.headers if p.name in incoming.headers]
    for name, parameter in given:
        if _value(message, parameter.field):
            raise _invalid(name, "is in the body too: give it once")


def _value(message: Any, path: str) -> Any:
    for name in path.split("."):
        message = getattr(message, name)
    return message


def _agree_with_path(route: Route, segments: Sequence[str], body: dict[str, Any]) -> None:
    """Takes path variables out of the body, where they say the same."""
    if not body or route.body_field:
        return
    for variable in route.path_params:
        bound = "/".join(segments[variable.start : variable.end])
        for name in _names(variable.param):
            value = body.pop(name, None)
            if value is not None and str(value) != bound:
                raise _invalid(name, f"must be {bound!r}, as in the path")


def _agree_with_query(route: Route, query: dict[str, list[str]], body: dict[str, Any]) -> None:
    """Refuses a field that both query and body set."""
    if route.body_field:
        return
    for key in query:
        parameter = route.query.get(key)
        if parameter is not None and any(name in body for name in _names(parameter)):
            raise _invalid(key, "is in the body too: give it once")


def _invalid(name: str, description: str) -> BindError:
    return BindError("INVALID_ARGUMENT", [Violation(name, description)])


def _names(parameter: Param) -> tuple[str, ...]:
    return (parameter.name, *parameter.aliases)
