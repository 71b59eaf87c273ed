"""A backend behind a gRPC channel: for a gateway that runs apart from the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from novasphere.api.v1 import access_service_pb2, options_pb2

from novasphere_gateway.backend import ACCEPTED, Answer, Call, CallError

_log = logging.getLogger(__name__)

_CHECK_ACCESS = "/novasphere.api.v1.AccessService/CheckAccess"
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_HEALTH_SECONDS = 2.0
_ACCESS_SECONDS = 10.0
_RETRY_SECONDS = 1
_DOMAIN = "novasphere.io"
_DETAILS = "grpc-status-details-bin"
_OPTIONS: tuple[tuple[str, int], ...] = (
    # The server bounds its answers in rows, and judges the size of requests itself.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Despite its name this bounds how long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A proxy from the environment is meant for what people browse.
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_metadata_size", 32 * 1024),
)
# Of a connection, in seconds, before the server is asked for a sign of life, and again until it is given
# up. The server allows a ping every 5 s.
_SILENCE = 10.0
# Of headers that are no credential: no server reads on behind this, and gRPC bounds their sum.
_LONGEST = 1024
# Tells a server that trusts this gateway for whom it asks.
_CLIENT = "novasphere-client-address"
# What the server sends ahead of a stream's answers, and never ahead of a refusal.
_STANDS = "x-request-id"
_CREDENTIALS = frozenset({"authorization", "x-api-key"})


class Channel:
    """A novasphere_gateway.backend.Backend. It has no credential of its own: it passes the caller's."""

    def __init__(self, address: str, *, message_bytes: int, silence: float = _SILENCE) -> None:
        self._message_bytes = message_bytes
        limit = round(silence * 1000)
        keepalive = (
            ("grpc.keepalive_time_ms", limit),
            ("grpc.keepalive_timeout_ms", limit),
            # A server that hangs while its kernel still answers is found by this one alone.
            ("grpc.http2.ping_timeout_ms", limit),
        )
        self._channel = grpc.aio.insecure_channel(address, options=(*_OPTIONS, *keepalive))
        self._responses: dict[str, type[Message]] = {}
        self._is_lost = False

    async def close(self) -> None:
        """Ends every call that is under way."""
        await self._channel.close()

    async def admit(self, call: Call) -> None:
        await self._check(
            access_service_pb2.CheckAccessRequest(
                method=call.method, request=call.request.SerializeToString()
            ),
            call.metadata,
            call.peer,
        )

    async def authorize(
        self, metadata: Mapping[str, str], peer: str, scope: options_pb2.Scope.ValueType
    ) -> None:
        """Raises CallError unless the caller holds the scope."""
        await self._check(access_service_pb2.CheckAccessRequest(scope=scope), metadata, peer)

    async def is_serving(self) -> bool:
        """Returns whether the server says that it serves."""
        call = Call(_HEALTH_CHECK, health_pb2.HealthCheckRequest(), {}, timeout=_HEALTH_SECONDS)
        try:
            message: Any = (await self.unary(call)).message
        except CallError:
            return False
        return bool(message.status == health_pb2.HealthCheckResponse.SERVING)

    async def unary(self, call: Call) -> Answer:
        ask: Any = self._channel.unary_unary(call.method)
        rpc = ask(self._wire(call.request), timeout=call.timeout, metadata=_metadata(call))
        try:
            wire = await rpc
            self._found()
            message = self._response(call.method).FromString(wire)
            return Answer(message, None, _texts(await rpc.trailing_metadata()), wire)
        except grpc.aio.AioRpcError as error:
            raise CallError(self._status(error, call)) from error

    def stream(self, call: Call) -> AsyncIterator[Answer]:
        return self._answers(call, self._channel.unary_stream(call.method), call.request)

    def duplex(self, call: Call, requests: AsyncIterator[Message]) -> AsyncIterator[Answer]:
        return self._answers(call, self._channel.stream_stream(call.method), requests)

    async def _answers(
        self, call: Call, ask: Any, request: Message | AsyncIterator[Message]
    ) -> AsyncIterator[Answer]:
        read = self._response(call.method).FromString
        failed: list[Exception] = []
        sender = None
        if isinstance(request, Message):
            rpc = ask(self._wire(request), timeout=call.timeout, metadata=_metadata(call))
        else:
            rpc = ask(timeout=call.timeout, metadata=_metadata(call))
            # grpcio would leave a task of its own waiting for requests when the server has ended the call.
            sender = asyncio.create_task(self._send(rpc, request, failed), name=f"send to {call.method}")
        try:
            # Of a call that was refused, grpcio makes an empty one up.
            if sender is None and _STANDS in await rpc.initial_metadata():
                yield ACCEPTED
            async for wire in rpc:
                self._found()
                yield Answer(read(wire), serialized=wire)
        except grpc.aio.AioRpcError as error:
            raise CallError(self._status(error, call)) from error
        except asyncio.CancelledError:
            # grpcio raises it too when the sender gave the call up, which cancels nobody here.
            task = asyncio.current_task()
            if not failed or task is None or task.cancelling():
                raise
            raise failed[0] from None
        finally:
            # grpcio leaves the stream of an abandoned call open, on the server too.
            rpc.cancel()
            if sender is not None:
                sender.cancel()
                await asyncio.wait([sender])

    async def _check(
        self, request: access_service_pb2.CheckAccessRequest, metadata: Mapping[str, str], peer: str
    ) -> None:
        await self.unary(Call(_CHECK_ACCESS, request, metadata, timeout=_ACCESS_SECONDS, peer=peer))

    async def _send(self, rpc: Any, requests: AsyncIterator[Message], failed: list[Exception]) -> None:
        """Sends requests until they end. Leaves in `failed` why it could not, and gives the call up."""
        try:
            async for request in requests:
                await rpc.write(self._wire(request))
            await rpc.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the call is over, and its reader learns why
        except Exception as error:  # noqa: BLE001 - the reader raises it
            failed.append(error)
            rpc.cancel()

    def _wire(self, request: Message) -> bytes:
        """Returns the bytes of a request. Raises CallError for one that gRPC would refuse in its words."""
        wire = request.SerializeToString()
        if len(wire) > self._message_bytes:
            text = f"the message takes {len(wire)} bytes; at most {self._message_bytes} are accepted"
            raise CallError(_told(code_pb2.INVALID_ARGUMENT, "TOO_LARGE", text))
        return wire

    def _response(self, method: str) -> type[Message]:
        known = self._responses.get(method)
        if known is None:
            name = method.removeprefix("/").replace("/", ".")
            described = descriptor_pool.Default().FindMethodByName(name)
            known = self._responses[method] = GetMessageClass(described.output_type)
        return known

    def _status(self, error: grpc.aio.AioRpcError, call: Call) -> status_pb2.Status:
        """Returns what the server said; where it said nothing, what became of the call."""
        for key, value in error.trailing_metadata() or ():
            if key == _DETAILS and isinstance(value, bytes):
                try:
                    return status_pb2.Status.FromString(value)
                except DecodeError:
                    break
        code = error.code()
        match code:
            case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
                self._lost(error)
                text = "the gateway cannot reach the server; try again shortly"
                return _told(code_pb2.UNAVAILABLE, "SERVER_UNREACHABLE", text, retry=_RETRY_SECONDS)
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                text = "the deadline passed before the answer was ready"
                return _told(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", text)
        _log.error(
            "the call failed on its way", extra={"method": call.method, "why": str(error.details())}
        )
        return status_pb2.Status(
            code=code.value[0], message="the call failed between gateway and server"
        )

    def _lost(self, error: grpc.aio.AioRpcError) -> None:
        """Logs the first call in a row that did not get through."""
        if not self._is_lost:
            self._is_lost = True
            _log.warning("the server cannot be reached", extra={"why": error.details()})

    def _found(self) -> None:
        if self._is_lost:
            self._is_lost = False
            _log.info("the server is reached again")


def _metadata(call: Call) -> tuple[tuple[str, str], ...]:
    """Returns what travels with the call. gRPC carries printable ASCII only."""
    told = {**call.metadata, _CLIENT: call.peer} if call.peer else call.metadata
    return tuple((key, _printable(key, value)) for key, value in told.items())


def _printable(key: str, value: str) -> str:
    if key not in _CREDENTIALS:
        value = value[:_LONGEST]
    if value.isascii() and value.isprintable():
        return value
    return "".join(c if " " <= c <= "~" else "?" for c in value)


def _texts(trailers: Any) -> dict[str, str]:
    return {key: value for key, value in trailers or () if isinstance(value, str)}


def _told(code: int, reason: str, text: str, *, retry: int = 0) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=text)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=_DOMAIN))
    if retry:
        delay = error_details_pb2.RetryInfo()
        delay.retry_delay.seconds = retry
        status.details.add().Pack(delay)
    return status
