"""/ws/node: nodes that speak the nodes face's own JSON frames over WebSocket, each as one link.

A socket lives as long as its node wants it to. The link behind it is opened when the node registers, or
with its first frame if it registered before, and again if it was lost meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link

from novasphere_gateway.backend import Backend, Call, CallError
from novasphere_gateway.bridges import frames, node_messages
from novasphere_gateway.bridges.frames import Code, Frame, FrameError
from novasphere_gateway.bridges.node_links import CONNECT, PROTOCOL, LinkEnded, NodeLink, Reply
from novasphere_gateway.runtime import binding, failures, sockets, streams
from novasphere_gateway.runtime.cors import Cors
from novasphere_gateway.runtime.failures import Catalogue
from novasphere_gateway.runtime.requests import Incoming
from novasphere_gateway.runtime.settings import GatewaySettings
from novasphere_gateway.runtime.times import Stamps

_log = logging.getLogger(__name__)

PATHS = ("/ws/node", "/api/v1/ws")
HEARTBEAT_SECONDS = 30  # what the published protocol says

_RECEIVED = 2  # times the limit of a message
_GOODBYE_SECONDS = 2.0  # that a node gets to answer the closing of its socket
_GOING = 1001
_TRY_LATER = 1013
_TOKEN = 4401
_FORBIDDEN = 4403
_GONE = 4404
_TAKEN_OVER = 4409

# Errors after which nothing more can come of the socket.
_LAST_WORDS: Mapping[str, int] = {
    Code.INVALID_TOKEN: _TOKEN,
    Code.FORBIDDEN: _FORBIDDEN,
    Code.NODE_DELETED: _GONE,
    Code.DUPLICATE_IDENTITY: _TAKEN_OVER,
    Code.DRAINING: _GOING,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error frame says."""

    code: str
    details: str


Greet = Callable[[link.Welcome], Awaitable[None]]
_BUG = Refusal(Code.INTERNAL_ERROR, "the server's log tells more")


class NodeBridge:
    """Serves the sockets of all foreign nodes."""

    def __init__(
        self,
        backend: Backend,
        *,
        settings: GatewaySettings,
        catalogue: Catalogue,
        cors: Cors,
        stamps: Stamps,
    ) -> None:
        self._backend = backend
        self._settings = settings
        self._catalogue = catalogue
        self._cors = cors
        self._stamps = stamps

    def accept(self, incoming: Incoming) -> NodeSocket:
        """Returns the socket that a request asks for, yet to be served. Raises Failure and BindError."""
        sockets.check(incoming, self._cors)
        query = incoming.query()
        metadata = incoming.metadata()
        binding.take_token(query, metadata, takes_tokens=self._settings.query_tokens)
        socket = NodeSocket(
            self._backend,
            Call(CONNECT, link.ConnectRequest(), metadata, f"GET {incoming.path}", peer=incoming.peer),
            incoming,
            node_id=query.get("node_id", [""])[-1],
            writer=frames.Writer(self._stamps.json, is_english=incoming.prefers_english),
            settings=self._settings,
            refusal_of=self._refusal_of,
        )
        if binding.TOKEN in query:  # it was not taken
            details = "this server takes no token in the URL: send it as Authorization: Bearer TOKEN"
            socket.close(Refusal(Code.INVALID_TOKEN, details))
        return socket

    def _refusal_of(self, error: CallError) -> Refusal:
        """Returns how a node is told that an RPC failed."""
        failure = failures.from_status(error.status)
        if failure.reason == "UNAUTHENTICATED":
            return Refusal(Code.INVALID_TOKEN, failure.message)
        code = self._catalogue.rule(failure).for_face(options_pb2.FACE_NODES).code
        return Refusal(code, failure.message.replace("hello.", ""))


class NodeSocket:
    """One connection of one foreign node."""

    def __init__(
        self,
        backend: Backend,
        call: Call,
        incoming: Incoming,
        *,
        node_id: str,
        writer: frames.Writer,
        settings: GatewaySettings,
        refusal_of: Callable[[CallError], Refusal],
    ) -> None:
        self._backend = backend
        self._call = call
        self._request = incoming.request
        self._node_id = node_id
        self._writer = writer
        self._settings = settings
        self._refusal_of = refusal_of
        self._socket = web.WebSocketResponse(
            protocols=(sockets.JSON,),
            timeout=_GOODBYE_SECONDS,
            heartbeat=settings.ping_interval,
            # Up to here a message that is too large can be refused and the connection stays.
            max_msg_size=_RECEIVED * settings.max_body_size,
            compress=False,
        )
        self._socket.headers["X-Request-Id"] = incoming.request_id
        self._tasks = asyncio.TaskGroup()
        self._link: NodeLink | None = None
        self._follower: asyncio.Task[None] | None = None
        self._results: dict[str, str] = {}  # commands whose result is on its way, and the frame with it
        self._last_words: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()
        self._handlers = {
            "node_register": self._register,
            "heartbeat": self._heartbeat,
            "metrics": self._metrics,
            "command_received": self._received,
            "command_started": self._started,
            "command_result": self._result,
            "ping": self._ping,
            "pong": self._ignore,
            "error": self._ignore,
        }

    # -- its life

    def end(self, why: streams.Ending) -> None:
        """Ends the connection soon, from outside its task."""
        self.close(Refusal(Code.DRAINING, f"{why.value}; connect again"))

    def close(self, last_words: Refusal) -> None:
        """Ends the connection soon with an error frame. The first reason counts."""
        if not self._last_words.done():
            self._last_words.set_result(last_words)

    async def serve(self) -> web.StreamResponse:
        """Serves the connection until it ends. Raises Failure where the handshake is wrong."""
        await sockets.shake_hands(self._socket, self._request)
        async with self._tasks:
            closer = self._tasks.create_task(self._close(), name="closer of a foreign node")
            is_goodbye = False
            try:
                if await self._is_welcome():
                    is_goodbye = await self._read()
            finally:
                await self._leave(is_goodbye=is_goodbye)
                if not self._last_words.done():
                    closer.cancel()
        return self._socket

    async def _close(self) -> None:
        words = await self._last_words
        await self._say_error(words)
        await self._socket.close(
            code=_LAST_WORDS.get(words.code, _TRY_LATER), message=words.code.encode()
        )

    async def _is_welcome(self) -> bool:
        """Greets the node, unless its token is refused."""
        if self._last_words.done():
            return False
        try:
            await self._backend.admit(self._call)
        except CallError as error:
            self.close(self._refusal_of(error))
            return False
        data = {
            "message": self._writer.said(frames.WELCOME),
            "node_id": self._node_id,
            "heartbeat_interval": HEARTBEAT_SECONDS,
        }
        await self._say(self._writer.frame("welcome", data))
        return True

    async def _read(self) -> bool:
        """Takes the node's frames until the connection ends. Returns whether the node said goodbye."""
        while True:
            message = await self._socket.receive()
            match message.type:
                case WSMsgType.TEXT:
                    await self._take(message.data)
                case WSMsgType.BINARY:
                    await self._say_error(
                        Refusal(Code.PARSE_ERROR, "frames are text: send JSON, not bytes")
                    )
                case WSMsgType.CLOSE:
                    return message.data in (None, 1000, _GOING)
                case _:
                    return False

    async def _take(self, text: str) -> None:
        frame = None
        try:
            frame = frames.parse(text, self._settings.max_body_size)
            await self._handle(frame)
        except FrameError as error:
            frame_id = error.frame_id or (frame.id if frame is not None else "")
            await self._say_error(Refusal(error.code, error.details), frame_id)
        except Exception:  # noqa: BLE001 - a bug costs one frame, not the connection; the log knows
            _log.exception("a frame of a foreign node failed")
            await self._say_error(_BUG, frame.id if frame is not None else "")

    async def _handle(self, frame: Frame) -> None:
        handler = self._handlers.get(frame.type)
        if handler is None:
            known = ", ".join(self._handlers)
            raise FrameError(
                Code.UNKNOWN_MESSAGE_TYPE, f"type: {frames.shown(frame.type)!r} is not one of {known}"
            )
        try:
            await handler(frame)
        except LinkEnded:
            if self._last_words.done():
                return
            try:
                await handler(frame)  # on a link of its own, or to learn why there is none
            except LinkEnded:
                raise FrameError(Code.OVERLOADED, "the frame was not taken: send it again") from None

    # -- what nodes say

    async def _register(self, frame: Frame) -> None:
        node_id = self._agreed(frame.data, Code.INVALID_REGISTER_DATA) or str(uuid.uuid4())
        hello = link.Hello(
            node_id=node_id,
            profile=node_messages.profile(frame.data, self._call.peer.rpartition(":")[0]),
            capacity=node_messages.capacity(frame.data),
            foreign=link.ForeignNode(is_registration=True),
        )

        async def greet(welcome: link.Welcome) -> None:
            self._node_id = welcome.node_id
            data = {
                "success": True,
                "message": self._writer.said(frames.REGISTERED),
                "node_id": welcome.node_id,
                "action": "created" if welcome.is_created else "updated",
            }
            if welcome.credential:
                data["token"] = welcome.credential
            await self._say(self._writer.frame("register_response", data, frame.id))

        await self._leave()  # the link that this one replaces must not look like another connection's
        await self._open(hello, greet)

    async def _heartbeat(self, frame: Frame) -> None:
        self._agreed(frame.data)
        heartbeat = link.Heartbeat()
        if frame.data.get("status") == "error":
            heartbeat.fault = node_messages.FAULT
        given, refused = frame.data.get("metrics"), None
        if given is not None:
            try:
                heartbeat.sample.CopyFrom(node_messages.sample(given))
            except FrameError as error:
                refused = error
        # The node lives, whatever it measures.
        reply = None if refused is not None else self._receipt("heartbeat_ack", frame, heartbeat)
        await (await self._opened()).send(heartbeat=heartbeat, reply=reply)
        if refused is not None:
            raise refused

    async def _metrics(self, frame: Frame) -> None:
        self._agreed(frame.data)
        sample = node_messages.sample(frame.data.get("metrics", frame.data))
        heartbeat = link.Heartbeat(sample=sample)
        opened = await self._opened()
        await opened.send(heartbeat=heartbeat, reply=self._receipt("metrics_response", frame, heartbeat))

    async def _received(self, frame: Frame) -> None:
        self._agreed(frame.data)
        node_messages.command_id(frame.data)
        await (await self._opened()).send()  # a sign of life

    async def _started(self, frame: Frame) -> None:
        self._agreed(frame.data)
        report = node_messages.started(node_messages.command_id(frame.data), frame.id)
        await (await self._opened()).send(reports=[report])

    async def _result(self, frame: Frame) -> None:
        self._agreed(frame.data)
        run_id = node_messages.command_id(frame.data)
        parts = node_messages.result(run_id, frame.id, frame.data)
        opened = await self._opened()
        self._results[run_id] = frame.id
        for content in parts:
            reply = Reply("", {}, frame.id) if "reports" in content else None
            await opened.send(reply=reply, **content)

    async def _ping(self, frame: Frame) -> None:
        await self._say(self._writer.frame("pong", {}, frame.id))

    async def _ignore(self, frame: Frame) -> None:
        """Does nothing: the frame asks for nothing."""

    def _receipt(self, kind: str, frame: Frame, heartbeat: link.Heartbeat) -> Reply:
        has_sample = heartbeat.HasField("sample")
        data = {"received": True, "node_id": self._node_id, "metrics_saved": has_sample}
        return Reply(kind, data, frame.id)

    def _agreed(self, data: Mapping[str, Any], code: str = Code.PARSE_ERROR) -> str:
        """Returns the node that a frame speaks for. Raises FrameError if that is not the connection's."""
        given = data.get("node_id")
        if given is None:
            return self._node_id
        if not isinstance(given, str):
            raise FrameError(code, "node_id: must be a string")
        if self._node_id and given != self._node_id:
            raise FrameError(
                Code.NODE_ID_MISMATCH,
                f"node_id: must be {self._node_id!r}, the node of this connection, "
                f"not {frames.shown(given)!r}",
            )
        return given

    # -- the link

    async def _opened(self) -> NodeLink:
        """Returns the link; opens it, if the node registered before. Raises FrameError."""
        if self._link is not None and not self._link.has_ended:
            return self._link
        if not self._node_id:
            raise FrameError(Code.NODE_NOT_FOUND, "send node_register first")
        hello = link.Hello(node_id=self._node_id, foreign=link.ForeignNode())
        return await self._open(hello)

    async def _open(self, hello: link.Hello, greet: Greet | None = None) -> NodeLink:
        """Opens a link and has it followed. `greet` tells the node, before anything that the link brings.
        Raises FrameError with what the server says instead.
        """
        hello.protocol = PROTOCOL
        opened = NodeLink(self._backend, self._call)
        welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await opened.send(hello=hello)
        follower = self._tasks.create_task(
            self._follow(opened, welcome, greet), name="link of a foreign node"
        )
        self._link, self._follower = opened, follower
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                await welcome
        except TimeoutError:
            follower.cancel()
            raise FrameError(Code.OVERLOADED, "the server did not answer in time: try again") from None
        return opened

    async def _leave(self, *, is_goodbye: bool = False) -> None:
        """Ends the link, and waits until the server knows."""
        opened, follower, self._link, self._follower = self._link, self._follower, None, None
        if opened is None or follower is None:
            return
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                await opened.leave()
                if is_goodbye:
                    await opened.send(goodbye=link.Goodbye(reason="the connection was closed"))
                await opened.finish()
                await asyncio.wait([follower])
        except (LinkEnded, TimeoutError):
            pass
        finally:
            follower.cancel()

    async def _follow(
        self, opened: NodeLink, welcome: asyncio.Future[None], greet: Greet | None
    ) -> None:
        """Passes on what the server sends, until the link ends; says why it ended."""
        refusal = None
        try:
            async with aclosing(opened.frames()) as answers:
                async for answer in answers:
                    if answer.HasField("welcome"):
                        if greet is not None:
                            await greet(answer.welcome)
                        if not welcome.done():  # it may have come too late
                            welcome.set_result(None)
                    await self._pass_on(opened, answer)
        except CallError as error:
            refusal = self._refusal_of(error)
        except Exception:  # noqa: BLE001 - the node is told, the log knows
            _log.exception("the link of a foreign node failed")
            refusal = _BUG
        if not welcome.done():
            refusal = refusal or Refusal(Code.OVERLOADED, "the server ended the link: try again")
            is_invalid = refusal.code == "VALIDATION_ERROR"
            code = Code.INVALID_REGISTER_DATA if is_invalid else refusal.code
            welcome.set_exception(FrameError(code, refusal.details))
            welcome.exception()  # nobody may be waiting for it any more
        elif refusal is not None:
            for frame_id in opened.unanswered() or [""]:
                await self._say_error(refusal, frame_id)
        if refusal is not None and refusal.code in _LAST_WORDS:
            self.close(refusal)

    async def _pass_on(self, opened: NodeLink, answer: link.ConnectResponse) -> None:
        for reply in opened.durable(answer.acked_sequence):
            if reply.type:
                await self._say(self._writer.frame(reply.type, reply.data, reply.frame_id))
        for ack in answer.report_acks:
            frame_id = self._results.pop(ack.run_id, "")
            if ack.is_stale:
                details = f"{frames.shown(ack.run_id)!r} is no command of this node"
                await self._say_error(Refusal(Code.COMMAND_NOT_FOUND, details), frame_id)
            elif ack.late_after:
                is_late = ack.late_after == "TIMED_OUT"
                code = Code.COMMAND_TIMEOUT if is_late else Code.COMMAND_FINISHED
                details = f"{ack.run_id} has ended as {ack.late_after}; the result is kept beside it"
                await self._say_error(Refusal(code, details), frame_id)
        for dispatch in answer.dispatches:
            data = node_messages.execution(dispatch)
            frame = self._writer.frame("execute_command", data, node_messages.dispatch_id(dispatch))
            if not await self._say(frame):
                with suppress(LinkEnded):
                    await opened.send(reports=[node_messages.undelivered(dispatch)])
        if answer.HasField("closing"):
            self.close(_closing(answer.closing.reason))

    # -- what nodes are told

    async def _say(self, text: str) -> bool:
        """Sends a frame, and returns whether it is on its way. That a node is gone is for its reader to
        find out; one that takes nothing is cut.
        """
        transport = self._request.transport
        if self._socket.closed or transport is None or transport.is_closing():
            return False
        try:
            async with asyncio.timeout(self._settings.write_timeout):
                await self._socket.send_str(text)
        except TimeoutError:
            transport.abort()
        except ConnectionError:
            pass  # after it was written: it may have arrived
        return True

    async def _say_error(self, refusal: Refusal, frame_id: str = "") -> None:
        await self._say(self._writer.error(refusal.code, refusal.details, frame_id))


def _closing(reason: str) -> Refusal:
    """Returns what a node is told when the server closes its link."""
    match reason:
        case "DUPLICATE_IDENTITY":
            return Refusal(
                reason, "another connection registered as this node, and the newest one counts"
            )
        case "NODE_DELETED":
            return Refusal(reason, "connect again and register to come back")
        case _:
            return Refusal(reason, "connect again")
