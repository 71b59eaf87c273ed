"""The HTTP server: one handler that turns every request into an RPC and its answer into bytes."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web
from google.protobuf.message import Message
from novasphere.api.v1 import options_pb2

from novasphere_gateway.backend import Answer, Backend, Call, CallError
from novasphere_gateway.bridges import node
from novasphere_gateway.model import BindError, ErrorRule, Route, Violation
from novasphere_gateway.runtime import (
    binding,
    chinese,
    endpoints,
    envelopes,
    failures,
    pages,
    replies,
    requests,
    sockets,
    streams,
)
from novasphere_gateway.runtime.connections import Listener
from novasphere_gateway.runtime.cors import Cors
from novasphere_gateway.runtime.endpoints import Endpoint
from novasphere_gateway.runtime.failures import Catalogue, Failure
from novasphere_gateway.runtime.pages import Page
from novasphere_gateway.runtime.requests import Incoming
from novasphere_gateway.runtime.router import MethodNotAllowed, PathNotFound, Router
from novasphere_gateway.runtime.settings import GatewaySettings
from novasphere_gateway.runtime.times import Stamps

_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]
"""Answers a request that is no RPC. The status, headers and bytes count; the gateway sends them."""

OnRequest = Callable[[str, str, int, float, str, str, int, str], None]
"""Is told of every request: method, route template, status, seconds, what the client calls itself, its
user agent, face, request id.
"""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED = "(unmatched)"
_READABLE = ("GET", "HEAD", "OPTIONS")
# How long clients get for the last bytes, in seconds, where the grace is used up.
_FLUSH = 0.5


class Gateway:
    """Serves routes over HTTP, each by a call of the backend."""

    def __init__(
        self,
        backend: Backend,
        routes: Iterable[Route],
        errors: Mapping[str, ErrorRule],
        *,
        openapi: bytes,
        settings: GatewaySettings | None = None,
        extra: Mapping[tuple[str, str], Handler] | None = None,
        on_request: OnRequest | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._backend = backend
        self._settings = settings or GatewaySettings()
        self._on_request = on_request
        self._stamps = Stamps(clock)
        self._envelopes = envelopes.envelopes(self._stamps)
        self._catalogue = Catalogue(errors)
        self._cors = Cors(self._settings.cors_origins)
        self._formats: dict[Endpoint, dict[str, streams.Format]] = {}
        compiled = endpoints.compile_all(routes, self._envelopes)
        self._formats = {e: streams.formats(r) for r, e in compiled if r.is_stream and not r.is_duplex}
        self._router = Router(compiled)
        self._extra: dict[str, dict[str, Handler]] = {}
        for (method, path), handler in (extra or {}).items():
            self._extra.setdefault(path, {})[method] = handler
        self._pages = pages.pages(openapi)
        # Proxies must not mix answers of one path that differ by these.
        vary = "Accept, Accept-Encoding, Accept-Language" + (", Origin" if self._cors.is_on else "")
        self._common = f"Vary: {vary}\r\nX-Content-Type-Options: nosniff\r\n"
        self._json = f"Content-Type: {envelopes.JSON}\r\n{self._common}"
        self._listener: Listener | None = None
        self._server: asyncio.Server | None = None
        self._bridge = node.NodeBridge(
            backend,
            settings=self._settings,
            catalogue=self._catalogue,
            cors=self._cors,
            stamps=self._stamps,
        )
        self._open: set[streams.Stream | sockets.Socket | node.NodeSocket] = set()
        self._all_closed = asyncio.Event()
        self._is_draining = False

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port: port 0 takes a free one. Raises OSError."""
        self._listener = Listener(
            self._handle, self._reject, keepalive_timeout=self._settings.keepalive_timeout
        )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._listener, host, port, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, grace: float) -> None:
        """Takes no new connections, ends streams with a reason, and waits for requests to be answered.

        What is unanswered after `grace` seconds is cancelled.
        """
        if self._server is None or self._listener is None:
            return
        self._is_draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        transports = [c.transport for c in self._listener.connections if c.transport is not None]
        self._server.close()
        self._listener.pre_shutdown()
        for stream in tuple(self._open):
            stream.end(streams.Ending.DRAINING)
        await self._listener.shutdown(grace / 2)  # aiohttp waits twice
        while self._open:  # cancelled just now; each closes its call before it goes
            self._all_closed.clear()
            await self._all_closed.wait()
        try:
            async with asyncio.timeout_at(max(deadline, loop.time() + _FLUSH)):
                await self._server.wait_closed()
        except TimeoutError:  # clients that do not take the last bytes keep their connections open
            for transport in transports:
                transport.abort()
            await self._server.wait_closed()
        self._server = self._listener = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request, whatever happens."""
        started = time.perf_counter()
        incoming = Incoming(request)
        handlers = self._extra.get(incoming.path)
        if handlers is not None:
            return await self._answer_extra(incoming, handlers, started)
        is_bridged = incoming.path in node.PATHS
        exchange = _Exchange(incoming, incoming.path) if is_bridged else _Exchange(incoming)
        status = 499
        try:
            response = await (self._serve_node if is_bridged else self._answer)(exchange)
            status = response.status
        except streams.ClientGone as gone:
            status = gone.status
            response = replies.Sent(status, keep_alive=False).as_response()
        except Exception as e:  # noqa: BLE001 - clients get an answer, the log the rest
            response = await self._refuse(exchange, self._explain(e, exchange))
            status = response.status
        finally:
            self._report(exchange, status, started)
        return response

    def _explain(self, error: Exception, exchange: _Exchange) -> Failure:
        """Returns what to tell the client of an exception."""
        match error:
            case Failure():
                return error
            case CallError():
                failure = failures.from_status(error.status)
                if exchange.endpoint is not None:
                    binding.name_as_sent(failure, exchange.endpoint.route, exchange.incoming)
                return failure
            case BindError():
                return failures.from_binding(error)
            case _:
                route = exchange.label if exchange.endpoint is None else exchange.endpoint.label
                _log.error(
                    "request failed",
                    exc_info=error,
                    extra={"request_id": exchange.incoming.request_id, "route": route},
                )
                return failures.internal()

    def _report(self, exchange: _Exchange, status: int, started: float) -> None:
        if self._on_request is None:
            return
        incoming, endpoint = exchange.incoming, exchange.endpoint
        self._on_request(
            incoming.method if incoming.method in _METHODS else "OTHER",
            endpoint.route.path if endpoint is not None else exchange.label,
            status,
            time.perf_counter() - started,
            incoming.headers.get(requests.CLIENT_TYPE, ""),
            incoming.headers.get(requests.USER_AGENT, ""),
            endpoint.route.face if endpoint is not None else options_pb2.FACE_NATIVE,
            incoming.request_id,
        )

    def _check_host(self, incoming: Incoming) -> None:
        """Raises Failure for pages that would get by without a credential what they may not have."""
        hosts = self._settings.hosts
        if not hosts:
            return
        if incoming.host not in hosts:
            allowed = ", ".join(sorted(hosts))
            raise Failure("PERMISSION_DENIED", f"this server answers to these names only: {allowed}")
        origin = incoming.headers.get(requests.ORIGIN)
        if origin is None or incoming.method in _READABLE:  # what they cannot read they may ask for
            return
        if self._cors.keeps_out(origin, incoming.headers.get("Host", "")):
            named = requests.legible(origin)
            raise Failure(
                "PERMISSION_DENIED", f"pages of {named} may not change anything on this server"
            )

    async def _answer(self, exchange: _Exchange) -> web.StreamResponse:
        incoming = exchange.incoming
        if not incoming.is_legible:
            raise requests.not_utf8("path")
        self._check_host(incoming)
        if incoming.method == "OPTIONS":
            return self._options(exchange)
        if (page := self._pages.get(incoming.path)) is not None:
            return await self._show(exchange, page)
        try:
            match = self._router.match(incoming.method, incoming.path)
        except PathNotFound:
            raise Failure("ROUTE_NOT_FOUND", f"no route has the path {incoming.path}") from None
        except MethodNotAllowed as e:
            exchange.endpoint = e.near
            raise _not_allowed(incoming, e.allowed) from None
        except UnicodeDecodeError:
            raise requests.not_utf8("path") from None
        return await self._call(exchange, match.actions, match.segments)

    async def _serve_node(self, exchange: _Exchange) -> web.StreamResponse:
        """Serves a WebSocket of a foreign node."""
        self._check_host(exchange.incoming)
        if exchange.incoming.method != "GET":
            raise _not_allowed(exchange.incoming, ["GET"])
        self._refuse_when_draining()
        socket = self._bridge.accept(exchange.incoming)
        return await self._while_open(socket, socket.serve())

    def _refuse_when_draining(self) -> None:
        if self._is_draining:
            raise failures.draining()

    async def _call(
        self, exchange: _Exchange, actions: Mapping[str, Endpoint], segments: Sequence[str]
    ) -> web.StreamResponse:
        incoming, settings = exchange.incoming, self._settings
        endpoint = exchange.endpoint = next(iter(actions.values()))
        metadata = incoming.metadata()
        form = None
        try:
            query = incoming.query()
            resume = self._take_reserved(endpoint.route, incoming, query, metadata)
            body: dict[str, Any] | Message = {}
            if incoming.request.body_exists:
                await self._admit_any(actions, metadata, incoming.peer)
                body = await self._body(incoming, actions)
            if isinstance(body, dict):
                endpoint = exchange.endpoint = _by_action(actions, body)
            request = binding.bind(endpoint.route, incoming, segments, query, body, resume)
            if endpoint.route.is_duplex:
                sockets.check(incoming, self._cors)
            elif endpoint.route.is_stream:
                accept = incoming.headers.get(requests.ACCEPT, "")
                form = streams.negotiate(accept, self._formats[endpoint])
        except (Failure, BindError):
            # Who may not call learns that first; then whose path leads nowhere.
            named = binding.bind_path(endpoint.route, segments)
            await self._backend.admit(
                Call(endpoint.route.method, named, metadata, endpoint.label, peer=incoming.peer)
            )
            raise
        call = Call(
            method=endpoint.route.method,
            request=request,
            metadata=metadata,
            route=endpoint.label,
            timeout=None if endpoint.route.is_stream else settings.request_timeout,
            peer=incoming.peer,
        )
        if endpoint.route.is_duplex:
            return await self._socket(exchange, endpoint, call)
        if form is not None:
            return await self._stream(exchange, endpoint, form, call)
        return await self._succeed(exchange, endpoint, await self._backend.unary(call))

    async def _admit_any(
        self, actions: Mapping[str, Endpoint], metadata: Mapping[str, str], peer: str
    ) -> None:
        """Raises CallError unless the caller may take one of the actions: no body of others is read."""
        refusals: list[CallError] = []
        for endpoint in actions.values():
            route = endpoint.route
            try:
                await self._backend.admit(
                    Call(route.method, route.request(), metadata, endpoint.label, peer=peer)
                )
            except CallError as refusal:
                refusals.append(refusal)
            else:
                return
        raise refusals[0]

    def _take_reserved(
        self,
        route: Route,
        incoming: Incoming,
        query: dict[str, list[str]],
        metadata: dict[str, str],
    ) -> str | None:
        """Moves what belongs to no RPC into metadata. Returns where a stream resumes."""
        resume = None
        revision = incoming.headers.get(requests.MIN_REVISION)
        if revision is not None:
            metadata["novasphere-min-revision"] = requests.whole_number(revision, requests.MIN_REVISION)
        if query:
            if route.is_stream:
                binding.take_token(query, metadata, takes_tokens=self._settings.query_tokens)
            resume = binding.take_reserved(route, query, metadata)
        if route.is_stream:
            resume = incoming.headers.get(requests.LAST_EVENT_ID) or resume
        return resume

    async def _body(
        self, incoming: Incoming, actions: Mapping[str, Endpoint]
    ) -> dict[str, Any] | Message:
        content_type = incoming.headers.get(requests.CONTENT_TYPE, "")
        only = actions.get("") if len(actions) == 1 else None
        data = await requests.read_body(
            incoming,
            limit=self._settings.max_body_size,
            timeout=self._settings.request_timeout,
            check=lambda: binding.check_media_type(content_type, has_action=only is None),
        )
        if only is not None and requests.is_proto(content_type):
            return binding.parse_proto(only.route, data)
        return binding.parse_json(data)

    async def _succeed(
        self, exchange: _Exchange, endpoint: Endpoint, answer: Answer
    ) -> web.StreamResponse:
        incoming, route = exchange.incoming, endpoint.route
        extra = ""
        if answer.metadata:
            extra, is_known = _told(answer.metadata, incoming)
            if is_known:
                return self._reply(incoming, 304, self._common + extra, b"")
        if endpoint.location is not None:
            location = endpoint.location(incoming.path, answer.message)
            if location is not None:
                extra += replies.header("Location", location)
        status = route.success_status
        if proto := incoming.proto_wanted:
            headers = f"Content-Type: {proto}\r\n{self._common}{extra}"
            return await self._send(incoming, status, headers, answer.wire())
        data = endpoint.data(answer)
        is_dry = answer.metadata.get("validate-only") == "true"
        prefixes = endpoint.dry_prefixes if is_dry else endpoint.prefixes
        prefix = prefixes[incoming.prefers_english]
        body = (prefix if data is None else prefix + data) + endpoint.envelope.suffix(
            incoming.request_id
        )
        if len(body) <= self._settings.gzip_min_size:  # as _send() would, which costs a coroutine
            return self._reply(incoming, status, self._json + extra, body)
        return await self._send(incoming, status, self._json + extra, body)

    async def _stream(
        self, exchange: _Exchange, endpoint: Endpoint, form: streams.Format, call: Call
    ) -> web.StreamResponse:
        incoming = exchange.incoming
        self._refuse_when_draining()
        headers = (
            f"Content-Type: {form.media_type}\r\n{self._common}"
            "Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n"
        )

        def problem(failure: Failure) -> dict[str, Any]:
            failure, rule = self._told_to(incoming, failure)
            return envelopes.problem(
                failure,
                rule,
                options_pb2.FACE_NATIVE,
                request_id=incoming.request_id,
                path=incoming.path,
            )

        stream = streams.Stream(
            endpoint,
            form,
            incoming,
            headers=headers + self._own_headers(incoming),
            problem=problem,
            settings=self._settings,
            stamps=self._stamps,
        )
        return await self._while_open(stream, stream.serve(self._backend, call))

    async def _socket(self, exchange: _Exchange, endpoint: Endpoint, call: Call) -> web.StreamResponse:
        self._refuse_when_draining()
        socket = sockets.Socket(
            endpoint, exchange.incoming, catalogue=self._catalogue, settings=self._settings
        )
        return await self._while_open(socket, socket.serve(self._backend, call))

    async def _while_open(
        self,
        stream: streams.Stream | sockets.Socket | node.NodeSocket,
        served: Awaitable[web.StreamResponse],
    ) -> web.StreamResponse:
        """Returns what serving answers; a drain ends it meanwhile."""
        self._open.add(stream)
        try:
            return await served
        finally:
            self._open.discard(stream)
            self._all_closed.set()

    async def _refuse(self, exchange: _Exchange, failure: Failure) -> web.StreamResponse:
        """Answers with an error in the shape of the route's face."""
        return await self._send(exchange.incoming, *self._refusal(exchange, failure))

    def _reject(self, request: web.BaseRequest, failure: Failure) -> web.StreamResponse:
        """Answers what never became a request, and closes the connection."""
        incoming = Incoming(request)
        status, headers, body = self._refusal(_Exchange(incoming), failure)
        return self._reply(incoming, status, headers, body, keep_alive=False)

    def _refusal(self, exchange: _Exchange, failure: Failure) -> tuple[int, str, bytes]:
        """Returns the status, headers and body of an error."""
        incoming, endpoint = exchange.incoming, exchange.endpoint
        face = endpoint.route.face if endpoint is not None else options_pb2.FACE_NATIVE
        envelope = self._envelopes[face]
        failure, rule = self._told_to(incoming, failure)
        status = rule.for_face(face).http_status
        if media_type := incoming.proto_wanted:
            body = failures.to_status(failure, rule, incoming.request_id).SerializeToString()
        else:
            media_type = envelope.error_type
            body = envelope.error(
                failure,
                rule,
                face,
                request_id=incoming.request_id,
                path=incoming.path,
                is_english=incoming.prefers_english,
            )
        headers = f"Content-Type: {media_type}\r\n{self._common}"
        headers += replies.header("X-Novasphere-Reason", failure.reason)
        if status == 401:
            headers += 'WWW-Authenticate: Bearer realm="novasphere"\r\n'
        if failure.retry_after is not None:
            headers += f"Retry-After: {max(0, math.ceil(failure.retry_after))}\r\n"
        for name, value in failure.headers.items():
            headers += replies.header(name, value)
        return status, headers, body

    def _told_to(self, incoming: Incoming, failure: Failure) -> tuple[Failure, ErrorRule]:
        """Returns a failure and its rule in the client's language."""
        rule = self._catalogue.rule(failure)
        return chinese.localized(failure, rule) if incoming.prefers_chinese else (failure, rule)

    async def _send(
        self, incoming: Incoming, status: int, headers: str, body: bytes
    ) -> web.StreamResponse:
        """Returns the answer, compressed where that is wanted and worth it."""
        if len(body) > self._settings.gzip_min_size:
            accepted = incoming.headers.get(requests.ACCEPT_ENCODING)
            if accepted is not None and replies.accepts_gzip(accepted):
                body = await replies.compress(body)
                headers += "Content-Encoding: gzip\r\n"
        return self._reply(incoming, status, headers, body)

    def _reply(
        self, incoming: Incoming, status: int, headers: str, body: bytes, *, keep_alive: bool = True
    ) -> web.StreamResponse:
        return replies.Reply(
            incoming.request,
            status,
            headers + self._own_headers(incoming),
            body,
            stamps=self._stamps,
            write_timeout=self._settings.write_timeout,
            keep_alive=keep_alive and not self._is_draining,
        ).as_response()

    def _own_headers(self, incoming: Incoming) -> str:
        """Returns what every answer carries."""
        lines = f"X-Request-Id: {incoming.request_id}\r\n"
        if self._cors.is_on:
            lines += self._cors.headers(incoming.headers.get(requests.ORIGIN))
        return lines

    def _options(self, exchange: _Exchange) -> web.StreamResponse:
        incoming = exchange.incoming
        if incoming.path in self._pages:
            allowed = list(_READABLE)
        else:
            try:
                allowed = self._router.allowed(incoming.path)
            except UnicodeDecodeError:
                raise requests.not_utf8("path") from None
        if not allowed:
            raise Failure("ROUTE_NOT_FOUND", f"no route has the path {incoming.path}")
        headers = self._common + f"Allow: {', '.join(allowed)}\r\n"
        if self._cors.is_on and requests.REQUEST_METHOD in incoming.headers:
            headers += self._cors.preflight(incoming.headers.get(requests.ORIGIN), allowed)
        return self._reply(incoming, 204, headers, b"")

    async def _show(self, exchange: _Exchange, page: Page) -> web.StreamResponse:
        """Answers with a page, which needs no credential."""
        incoming = exchange.incoming
        exchange.label = incoming.path
        if incoming.method not in {"GET", "HEAD"}:
            raise _not_allowed(incoming, _READABLE)
        extra, is_known = _told({"etag": page.etag}, incoming)
        headers = self._common + page.headers + extra
        if is_known:
            return self._reply(incoming, 304, headers, b"")
        return await self._send(incoming, 200, headers, page.content)

    async def _answer_extra(
        self, incoming: Incoming, handlers: Mapping[str, Handler], started: float
    ) -> web.StreamResponse:
        """Lets the host application answer."""
        exchange = _Exchange(incoming, label=incoming.path)
        method = "GET" if incoming.method == "HEAD" else incoming.method
        status = 499
        try:
            self._check_host(incoming)
            given = await handlers.get(method, _refuser(incoming, handlers))(incoming.request)
            headers, body = _content(given)
            response = await self._send(incoming, given.status, self._common + headers, body)
            status = response.status
        except Exception as e:  # noqa: BLE001 - the host's handler may raise anything
            response = await self._refuse(exchange, self._explain(e, exchange))
            status = response.status
        finally:
            self._report(exchange, status, started)
        return response


class _Exchange:
    """A request and what is known of its route so far."""

    __slots__ = ("endpoint", "incoming", "label")

    def __init__(self, incoming: Incoming, label: str = _UNMATCHED) -> None:
        self.incoming = incoming
        self.endpoint: Endpoint | None = None
        self.label = label


def _not_allowed(incoming: Incoming, allowed: Iterable[str]) -> Failure:
    listed = ", ".join(allowed)
    return Failure(
        "METHOD_NOT_ALLOWED",
        f"{incoming.path} does not take {incoming.method}, only {listed}",
        headers={"Allow": listed},
    )


def _refuser(incoming: Incoming, handlers: Mapping[str, Handler]) -> Handler:
    """Returns a handler for the methods that the host application does not answer."""

    async def refuse(_: web.BaseRequest) -> web.Response:
        raise _not_allowed(incoming, sorted({*handlers, "HEAD"} if "GET" in handlers else handlers))

    return refuse


def _content(given: web.Response) -> tuple[str, bytes]:
    """Returns the header lines and the body of what a handler answered."""
    body = b"" if given.body is None else given.body
    if not isinstance(body, bytes):
        raise TypeError(f"the body is {type(body).__name__}, not bytes")
    return "".join(replies.header(name, value) for name, value in given.headers.items()), body


def _by_action(actions: Mapping[str, Endpoint], body: Mapping[str, Any]) -> Endpoint:
    """Returns the route that the body's `action` selects."""
    if len(actions) == 1 and "" in actions:
        return actions[""]
    action = body.get("action", "")
    chosen = actions.get(action) if isinstance(action, str) else None
    if chosen is None:
        known = ", ".join(sorted(a for a in actions if a))
        raise BindError("INVALID_ARGUMENT", [Violation("action", f"must be one of {known}")])
    return chosen


def _told(metadata: Mapping[str, str], incoming: Incoming) -> tuple[str, bool]:
    """Returns the header lines of a call's metadata, and whether the client has this version already."""
    lines = ""
    is_known = False
    etag = metadata.get("etag")
    if etag is not None:
        quoted = etag if etag.startswith('"') else f'"{etag}"'
        lines = replies.header("ETag", quoted)
        known = incoming.headers.get(requests.IF_NONE_MATCH)
        if known is not None and incoming.method in {"GET", "HEAD"}:
            is_known = known.strip() == "*" or quoted in {
                k.strip().removeprefix("W/") for k in known.split(",")
            }
    revision = metadata.get("novasphere-revision")
    if revision is not None:
        lines += replies.header("X-Novasphere-Revision", revision)
    if metadata.get("idempotency-replayed") == "true":
        lines += "Idempotency-Replayed: true\r\n"
    if metadata.get("validate-only") == "true":
        lines += "Validate-Only: true\r\n"
    return lines, is_known
