"""A route with everything about it that can be worked out before the first request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from google.protobuf.message import Message

from novasphere_gateway.backend import Answer, Parts
from novasphere_gateway.model import ANY, Route
from novasphere_gateway.runtime.envelopes import Envelope


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A compiled route. Equal only to itself, so that it can key what is remembered for it."""

    route: Route
    label: str
    envelope: Envelope
    prefixes: tuple[bytes, bytes]
    """What precedes the data: in the face's own language, and in English."""
    dry_prefixes: tuple[bytes, bytes]
    """The same where the request was only checked."""
    location: Callable[[str, Message], str | None] | None
    """Returns the path of what a request to a path created, from the response."""

    def data(self, answer: Answer) -> bytes | None:
        """Returns what goes into the envelope; None: there is nothing to say."""
        route, parts = self.route, answer.parts
        if route.is_empty:
            return None
        if parts is None:
            return orjson.dumps(route.encode(answer.message))
        field = route.encode_field[parts.field]
        if not field.repeated:
            fragment = parts.items[0].json(field.dump) if parts.items else b"null"
            if route.response_body == parts.field:
                return fragment
            return self._whole(answer.message, field.key, fragment)
        return parts.memo(self, lambda: self._many(answer.message, parts))

    def _many(self, rest: Message, parts: Parts) -> bytes:
        field = self.route.encode_field[parts.field]
        dump = field.dump
        rows = b"[" + b",".join([item.json(dump) for item in parts.items]) + b"]"
        if self.route.response_body == parts.field:
            return rows
        return self._whole(rest, field.key, rows)

    def _whole(self, rest: Message, key: str, fragment: bytes) -> bytes:
        data: dict[str, Any] = self.route.encode(rest)
        data[key] = orjson.Fragment(fragment)
        return orjson.dumps(data)


def compile_all(
    routes: Iterable[Route], envelopes: Mapping[int, Envelope]
) -> list[tuple[Route, Endpoint]]:
    """Returns the routes with their endpoints."""
    routes = list(routes)
    readable = {(r.segments, r.verb): r for r in routes if r.http_method == "GET" and not r.is_stream}
    return [(route, _compile(route, envelopes[route.face], readable)) for route in routes]


def _compile(
    route: Route, envelope: Envelope, readable: Mapping[tuple[tuple[str, ...], str], Route]
) -> Endpoint:
    own = route.message or envelope.default_message
    english = route.message_en or route.message or envelope.default_message_en
    location = None
    if route.success_status == 201:
        created = readable.get(((*route.segments, ANY), ""))
        if created is not None:
            location = _locator(route, created)
    return Endpoint(
        route=route,
        label=route.label,
        envelope=envelope,
        prefixes=_prefixes(route, envelope, own, english),
        dry_prefixes=_prefixes(route, envelope, envelope.dry_message, envelope.dry_message_en),
        location=location,
    )


def _prefixes(route: Route, envelope: Envelope, own: str, english: str) -> tuple[bytes, bytes]:
    has_data = not route.is_empty
    return envelope.prefix(own, has_data=has_data), envelope.prefix(english, has_data=has_data)


def _locator(route: Route, created: Route) -> Callable[[str, Message], str | None] | None:
    """Returns a function that finds the id by which `created` is read in a response of `route`.

    The id is a field of the response, or of one of its messages, named as the path's variable is.
    """
    name = created.path_params[-1].param.field
    fields = route.response.DESCRIPTOR.fields_by_name
    if name in fields:
        holder = ""
    else:
        holders = [f.name for f in fields.values() if _has(f.message_type, name)]
        if len(holders) != 1:
            return None
        holder = holders[0]

    def locate(path: str, response: Message) -> str | None:
        value = getattr(getattr(response, holder) if holder else response, name)
        return f"{path}/{quote(str(value), safe='')}" if value else None

    return locate


def _has(message_type: Any, name: str) -> bool:
    return message_type is not None and name in message_type.fields_by_name
