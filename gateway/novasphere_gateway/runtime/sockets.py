"""Streams in both directions as WebSockets: a frame is a message.

A text frame is one message in the API's JSON. Clients that ask for the subprotocol `proto` are answered in
binary frames, each one message in protobuf's form, and may send such frames.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSMessage, WSMsgType, web
from google.protobuf.message import Message

from novasphere_gateway.backend import Answer, Backend, Call, CallError
from novasphere_gateway.model import BindError
from novasphere_gateway.runtime import binding, failures, replies, requests
from novasphere_gateway.runtime.cors import Cors
from novasphere_gateway.runtime.endpoints import Endpoint
from novasphere_gateway.runtime.failures import Catalogue, Failure
from novasphere_gateway.runtime.requests import Incoming
from novasphere_gateway.runtime.settings import GatewaySettings
from novasphere_gateway.runtime.streams import ClientGone, Ending

if TYPE_CHECKING:
    from novasphere_gateway.runtime.connections import Connection

_log = logging.getLogger(__name__)
# It would write down what subprotocols a client offered, and a credential may be among them.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

PROTO, JSON = "proto", "json"
_WAITING = 8  # requests that were read and nobody has taken yet
_GOODBYE = 2.0  # seconds that a client gets to answer a close frame
_REASON = 123  # bytes, all that a close frame has room for

_OK, _GOING_AWAY, _POLICY, _TOO_BIG, _BUG, _TRY_LATER = 1000, 1001, 1008, 1009, 1011, 1013
# An HTTP status that clients of a WebSocket should be able to tell from others is a code of its own.
_TOLD_APART = {401: 4401, 403: 4403, 404: 4404, 409: 4409, 410: 4410}


def check(incoming: Incoming, cors: Cors) -> None:
    """Raises Failure unless the request opens a WebSocket, and may do so from the page that it comes from."""
    if incoming.headers.get(requests.UPGRADE, "").strip().lower() != "websocket":
        raise Failure(
            "UPGRADE_REQUIRED",
            f"{incoming.path} is a WebSocket: ask for it with Upgrade: websocket",
            headers={"Upgrade": "websocket"},
        )
    origin = incoming.headers.get(requests.ORIGIN)
    if origin is not None and cors.keeps_out(origin, incoming.headers.get("Host", "")):
        named = requests.legible(origin)
        raise Failure("PERMISSION_DENIED", f"pages of {named} may not open WebSockets of this server")


async def shake_hands(frames: web.WebSocketResponse, request: web.BaseRequest) -> None:
    """Opens a WebSocket that check() let through. Raises Failure where the handshake is wrong."""
    try:
        await frames.prepare(request)
    except web.HTTPException:
        text = "a WebSocket needs Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key of 16 bytes"
        raise Failure("INVALID_ARGUMENT", text) from None


def close_code(reason: str, http_status: int) -> int:
    """Returns the code of the close frame that tells of a failure."""
    if reason == "DRAINING":
        return _GOING_AWAY
    if http_status in _TOLD_APART:
        return _TOLD_APART[http_status]
    match http_status:
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return _TOO_BIG
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.GATEWAY_TIMEOUT:
            return _TRY_LATER
    return _BUG if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR else _POLICY


class Socket:
    """One WebSocket being served, by the task that aiohttp runs for its request."""

    def __init__(
        self,
        endpoint: Endpoint,
        incoming: Incoming,
        *,
        catalogue: Catalogue,
        settings: GatewaySettings,
    ) -> None:
        self._endpoint = endpoint
        self._request = incoming.request
        self._request_id = incoming.request_id
        self._catalogue = catalogue
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._requests = _Requests()
        self._scope: asyncio.Timeout | None = None
        self._ending: Ending | None = None
        self._failure: Failure | None = None
        self._frames = web.WebSocketResponse(
            protocols=(PROTO, JSON),
            heartbeat=settings.ping_interval,
            max_msg_size=settings.max_body_size,
            timeout=_GOODBYE,
            compress=False,
            writer_limit=sys.maxsize,  # we wait for readers ourselves, for a bounded time
        )
        self._frames.headers["X-Request-Id"] = incoming.request_id

    def end(self, why: Ending) -> None:
        """Ends the socket soon, from outside its task."""
        if self._ending is None:
            self._ending = why
            self._interrupt()

    def _interrupt(self) -> None:
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(self._loop.time())

    async def serve(self, backend: Backend, call: Call) -> web.StreamResponse:
        """Serves the socket until either side ends it. Raises Failure before it is open, and ClientGone."""
        await shake_hands(self._frames, self._request)
        connection = cast("Connection", self._request.protocol)  # the listener makes no others
        connection.on_lost = lambda: self.end(Ending.GONE)
        try:
            await self._close(await self._run(backend, call))
        except ConnectionResetError:
            raise ClientGone(self._frames.status) from None
        finally:
            connection.on_lost = None
        return replies.Sent(self._frames.status, keep_alive=False).as_response()

    async def _run(self, backend: Backend, call: Call) -> Failure | None:
        """Exchanges messages. Returns why that ended, where it was not by the call's own end."""
        failure: Failure | None = None
        try:
            async with asyncio.timeout(None) as self._scope, asyncio.TaskGroup() as tasks:
                if self._ending is not None:  # before there was a scope to end
                    self._interrupt()
                failure = await self._exchange(backend, call, tasks)
        except TimeoutError:
            pass  # interrupted; what follows tells why
        finally:
            self._scope = None
        if self._ending is Ending.GONE:
            raise ConnectionResetError("the client went away")
        return failures.draining() if self._ending is Ending.DRAINING else self._failure or failure

    async def _exchange(self, backend: Backend, call: Call, tasks: asyncio.TaskGroup) -> Failure | None:
        reading: asyncio.Task[None] | None = None
        answers: Any = None
        try:
            await backend.admit(call)  # first: nothing of a stranger's is read
            reading = tasks.create_task(self._read(call.request), name="read a WebSocket")
            answers = backend.duplex(call, self._requests)
            async for answer in answers:
                await self._write(answer)
        except CallError as e:
            return failures.from_status(e.status)
        except (ConnectionResetError, replies.SlowReader) as e:
            if isinstance(e, replies.SlowReader):
                self._log(logging.INFO, "socket cut: its reader took nothing")
            self._ending = Ending.GONE
        except Exception as e:  # noqa: BLE001 - whatever it is, the socket ends with a reason
            return self._unexpected(e)
        finally:
            if answers is not None:
                await answers.aclose()
            if reading is not None:
                reading.cancel()
        return None

    async def _read(self, named: Message) -> None:
        """Hands requests on until the client goes. `named` holds what the path says, as each of them does."""
        try:
            while (request := self._request_in(await self._frames.receive())) is not None:
                request.MergeFrom(named)
                await self._requests.put(request)
        except Failure as e:
            self._failure = e
        except BindError as e:
            self._failure = failures.from_binding(e)
        except Exception as e:  # noqa: BLE001 - nobody awaits this task
            self._failure = self._unexpected(e)
        else:
            self._ending = self._ending or Ending.GONE
        self._interrupt()

    def _request_in(self, frame: WSMessage) -> Message | None:
        """Returns the request that a frame is; None: the client ends the socket."""
        route = self._endpoint.route
        match frame.type:
            case WSMsgType.TEXT if route.decode_body is not None:
                return route.decode_body(binding.parse_json(frame.data, "frame"), "")
            case WSMsgType.BINARY:
                if not self._is_proto:
                    raise Failure(
                        "UNSUPPORTED_MEDIA_TYPE",
                        f"binary frames need the subprotocol {PROTO}; send JSON in text frames",
                    )
                return binding.parse_proto(route, frame.data, "frame")
        return None  # aiohttp has told the client already, where it broke the protocol

    @property
    def _is_proto(self) -> bool:
        return self._frames.ws_protocol == PROTO

    async def _write(self, answer: Answer) -> None:
        if self._is_proto:
            await self._frames.send_frame(answer.wire(), WSMsgType.BINARY)
        else:
            await self._frames.send_frame(self._endpoint.data(answer) or b"{}", WSMsgType.TEXT)
        if self._request.protocol.writing_paused:
            await replies.drain(self._request, self._settings.write_timeout)

    async def _close(self, failure: Failure | None) -> None:
        """Tells the client why this is the end, unless it takes nothing."""
        if self._request.protocol.writing_paused and self._request.transport is not None:
            self._request.transport.abort()
            raise ConnectionResetError("the client takes nothing")
        code, reason = _OK, b""
        if failure is not None:
            code = close_code(failure.reason, self._catalogue.rule(failure).http_status)
            reason = f"{failure.reason}: {failure.message}".encode()[:_REASON]
        await self._frames.close(code=code, message=reason.decode(errors="ignore").encode(), drain=False)

    def _unexpected(self, error: Exception) -> Failure:
        self._log(logging.ERROR, "socket failed", error)
        return failures.internal()

    def _log(self, level: int, event: str, error: Exception | None = None) -> None:
        told = {"request_id": self._request_id, "route": self._endpoint.label}
        _log.log(level, event, exc_info=error, extra=told)


class _Requests(AsyncIterator[Message]):
    """What the client has said and the call has not taken yet."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(_WAITING)

    async def put(self, request: Message) -> None:
        """Waits where too much is waiting already: then nothing more is read of the client."""
        await self._waiting.put(request)

    async def __anext__(self) -> Message:
        return await self._waiting.get()
