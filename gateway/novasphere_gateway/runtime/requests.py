"""What the gateway reads of a request before it knows the route."""

from __future__ import annotations

import asyncio
import base64
import random
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from multidict import istr

from novasphere_gateway.model import Violation
from novasphere_gateway.runtime.failures import Failure

if TYPE_CHECKING:
    from novasphere_gateway.runtime.connections import Connection

# The folded names make look-ups twice as fast.
ACCEPT = istr("Accept")
ACCEPT_ENCODING = istr("Accept-Encoding")
ACCEPT_LANGUAGE = istr("Accept-Language")
AUTHORIZATION = istr("Authorization")
CONTENT_ENCODING = istr("Content-Encoding")
CONTENT_TYPE = istr("Content-Type")
EXPECT = istr("Expect")
IF_NONE_MATCH = istr("If-None-Match")
LAST_EVENT_ID = istr("Last-Event-ID")
MIN_REVISION = istr("X-Novasphere-Min-Revision")
ORIGIN = istr("Origin")
REQUEST_ID = istr("X-Request-Id")
PROTOCOLS = istr("Sec-WebSocket-Protocol")
REQUEST_METHOD = istr("Access-Control-Request-Method")
TRACEPARENT = istr("traceparent")
UPGRADE = istr("Upgrade")
USER_AGENT = istr("User-Agent")
CLIENT_TYPE = istr("X-Client-Type")

_FORWARDED = tuple(
    (istr(name), name)
    for name in (
        "authorization",
        "x-api-key",
        "accept-language",
        "user-agent",
        "x-client-type",
    )
)

# How a browser sends a credential that opens a WebSocket: as the name of a subprotocol, base64url without
# padding. Kubernetes has the same under its own name.
_BEARER_PROTOCOL = "base64url.bearer.authorization.novasphere.io."

JSON = "application/json"
PROTO = "application/proto"
_PROTO = frozenset({PROTO, "application/protobuf", "application/x-protobuf"})
# W3C Trace Context. Later versions than 00 may go on behind the flags.
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)
_ENCODINGS = frozenset({"identity", "gzip", "deflate"})
_MAX_REQUEST_ID = 128
# What says that a UUID is random, and the bits that are.
_UUID_FIXED = 0x4 << 76 | 0xA << 60
_UUID_FREE = ~(0xF << 76 | 0xF << 60)
_random_bits = random.Random().getrandbits  # noqa: S311 - no secret
_MAX_PARAMETERS = 1000


class Incoming:
    """One HTTP request."""

    __slots__ = (
        "headers",
        "is_legible",
        "method",
        "path",
        "query_text",
        "request",
        "request_id",
    )

    def __init__(self, request: web.BaseRequest) -> None:
        self.request = request
        self.method = request.method
        self.headers = request.headers
        target = request.raw_path
        if not target.startswith("/"):  # "GET http://host/path", as proxies are asked
            parts = urlsplit(target)
            target = f"{parts.path or '/'}?{parts.query}" if parts.scheme else target
        self.is_legible = target.isascii() or legible(target) == target
        if not self.is_legible:
            target = legible(target)
        self.path, _, query = target.partition("?")
        self.query_text = query and query.partition("#")[0]
        given = self.headers.get(REQUEST_ID)
        self.request_id = given if given is not None and _is_sane(given) else new_request_id()

    @property
    def host(self) -> str:
        """The name, without the port, that the request was sent to, in lower case."""
        host = self.headers.get("Host", "").lower()
        name, colon, port = host.rpartition(":")
        return name if colon and (port.isdigit() or not port) else host

    @property
    def prefers_english(self) -> bool:
        language = self.headers.get(ACCEPT_LANGUAGE)
        return language is not None and preferred_language(language) == "en"

    @property
    def prefers_chinese(self) -> bool:
        """The client asks for Chinese: who says nothing gets errors in English."""
        language = self.headers.get(ACCEPT_LANGUAGE)
        return language is not None and preferred_language(language) == "zh"

    @property
    def proto_wanted(self) -> str:
        """The media type by which the client wants protobuf's form; empty: it wants JSON."""
        accept = self.headers.get(ACCEPT)
        return "" if accept is None else proto_wanted(accept)

    @property
    def peer(self) -> str:
        """Returns "HOST:PORT" of the client."""
        return cast("Connection", self.request.protocol).peer

    def metadata(self) -> dict[str, str]:
        """Returns what the RPC gets to know of the headers."""
        headers = self.headers
        metadata = {"x-request-id": self.request_id}
        for name, key in _FORWARDED:
            value = headers.get(name)
            if value is not None:
                metadata[key] = value if value.isascii() else legible(value)
        if "authorization" not in metadata and "x-api-key" not in metadata and PROTOCOLS in headers:
            self._add_bearer(metadata)
        trace = headers.get(TRACEPARENT)
        if trace is not None and _is_traceparent(trace):
            metadata["traceparent"] = trace
        return metadata

    def _add_bearer(self, metadata: dict[str, str]) -> None:
        """Makes the bearer subprotocol, if one is offered, the call's credential."""
        offered = ",".join(self.headers.getall(PROTOCOLS)).split(",")
        bearers = [n for name in offered if (n := name.strip()).startswith(_BEARER_PROTOCOL)]
        if not bearers:
            return
        text = bearers[0].removeprefix(_BEARER_PROTOCOL)
        try:
            token = base64.b64decode(
                text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
            ).decode()
        except ValueError:
            token = ""
        if len(bearers) > 1 or not (token and token.isascii() and token.isprintable()):
            raise Failure(
                "INVALID_ARGUMENT",
                f"{PROTOCOLS}: the credential after {_BEARER_PROTOCOL} must be given once, as base64url "
                "without padding",
                violations=[Violation(PROTOCOLS, "must hold one credential as base64url")],
            )
        metadata["authorization"] = f"Bearer {token}"

    def query(self) -> dict[str, list[str]]:
        """Returns the values of each query key."""
        if not self.query_text:
            return {}
        try:
            pairs = parse_qsl(
                self.query_text,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_PARAMETERS,
            )
        except UnicodeDecodeError as e:
            raise not_utf8("query") from e
        except ValueError as e:
            raise Failure(
                "INVALID_ARGUMENT",
                f"the query has more than {_MAX_PARAMETERS} parameters",
                violations=[Violation("query", "too many parameters")],
            ) from e
        values: dict[str, list[str]] = {}
        for key, value in pairs:
            values.setdefault(key, []).append(value)
        return values


def new_request_id() -> str:
    """Returns a random UUID without dashes, at a tenth of what `uuid.uuid4` costs. Ids have to differ, and
    may be guessed.
    """
    return f"{_random_bits(128) & _UUID_FREE | _UUID_FIXED:032x}"


def legible(text: str) -> str:
    """Returns the text of a request with what is not UTF-8 replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _is_sane(request_id: str) -> bool:
    return (
        0 < len(request_id) <= _MAX_REQUEST_ID
        and request_id.isascii()
        and request_id.isprintable()
        and " " not in request_id
    )


def _is_traceparent(text: str) -> bool:
    found = _TRACEPARENT.fullmatch(text)
    return found is not None and (found[1] != "00" or not found[2])


def not_utf8(where: str) -> Failure:
    return Failure(
        "INVALID_ARGUMENT",
        f"{where}: percent-encoded bytes must be UTF-8",
        violations=[Violation(where, "percent-encoded bytes must be UTF-8")],
    )


def whole_number(text: str, name: str) -> str:
    """Returns the text of a number that is not negative and fits into 64 bits."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return text
    raise Failure(
        "INVALID_ARGUMENT",
        f"{name}: must be a whole number",
        violations=[Violation(name, "must be a whole number")],
    )


def weighted(accept: str) -> list[tuple[float, str]]:
    """Returns the offers of an Accept-like header with their weights, the heaviest first."""
    offers: list[tuple[float, str]] = []
    for part in accept.split(","):
        value, *parameters = (p.strip() for p in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, quality = parameter.partition("=")
            if name.strip().lower() == "q":
                weight = _weight(quality)
        if value:
            offers.append((weight, value.lower()))
    return sorted(offers, key=lambda offer: -offer[0])


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


@lru_cache(maxsize=256)
def preferred_language(accept_language: str) -> str:
    """Returns which of English and Chinese the header ranks first, as the server reads it: en, zh or
    neither.
    """
    for weight, tag in weighted(accept_language):
        language = tag.partition("-")[0].strip()
        if weight > 0 and language in {"en", "zh"}:
            return language
    return ""


@lru_cache(maxsize=64)
def is_json(content_type: str) -> bool:
    return _media_type(content_type) == JSON


@lru_cache(maxsize=64)
def is_proto(content_type: str) -> bool:
    return _media_type(content_type) in _PROTO


@lru_cache(maxsize=256)
def proto_wanted(accept: str) -> str:
    """Returns the name of protobuf's form by which the header prefers it to JSON; empty: it does not."""
    for weight, media_type in weighted(accept):
        if weight > 0:
            return media_type if media_type in _PROTO else ""
    return ""


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


async def read_body(
    incoming: Incoming, *, limit: int, timeout: float, check: Callable[[], None] | None = None
) -> bytes:
    """Returns the body. `check` may refuse it: before it is read, and not if it turns out empty."""
    request = incoming.request
    if not request.body_exists:
        return b""
    if incoming.headers.get(CONTENT_ENCODING, "identity").lower() not in _ENCODINGS:
        raise unknown_encoding()
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit)
    if incoming.headers.get(EXPECT, "").lower() == "100-continue" and request.transport is not None:
        if check is not None:
            check()
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            while chunk := await request.content.readany():
                if check is not None and not chunks:
                    check()
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise Failure("DEADLINE_EXCEEDED", f"the body did not arrive within {timeout:g} s") from None
    except web.RequestPayloadError as e:
        raise Failure("MALFORMED_BODY", "the body is not encoded as its headers say") from e
    except ConnectionError as e:
        raise Failure("CLIENT_CLOSED", "the client went away before the answer") from e
    return b"".join(chunks)


def unknown_encoding() -> Failure:
    return Failure("UNSUPPORTED_MEDIA_TYPE", "the body's Content-Encoding must be gzip or deflate")


def _too_large(limit: int) -> Failure:
    return Failure("TOO_LARGE", f"the body is larger than {limit} bytes")
