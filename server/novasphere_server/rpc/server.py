"""The gRPC listener: every method of the pipeline as a generic handler of a grpc.aio server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from novasphere_server import logs
from novasphere_server.errors import SlowConsumer
from novasphere_server.rpc.methods import Method
from novasphere_server.rpc.pipeline import CallFailed, OpenStream, Pipeline, Result
from novasphere_server.rpc.views import STANDS

log = logs.get(__name__)

_OPTIONS: tuple[tuple[str, int], ...] = (
    # What an answer holds is bounded in rows, and one row may be large.
    ("grpc.max_send_message_length", -1),
    # Without it two servers share a port silently, each getting half of the connections.
    ("grpc.so_reuseport", 0),
    # Agents ping every 6 s; more often than this is answered with GOAWAY too_many_pings.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Finds half-open connections within 35 s. Sooner would cut readers behind a slow line: the answer to a
    # ping waits behind all that the line still carries. (It becomes TCP_USER_TIMEOUT as well.)
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Two credentials of the length that HTTP lets through, and the rest. gRPC's own limit lets one of half
    # that length through, and of those that are a little longer some.
    ("grpc.max_metadata_size", 32 * 1024),
)
# What gRPC itself refuses, in its own words and before anybody has asked who sends it, is larger than what
# the pipeline refuses with a reason. A message beyond this is not read at all.
_RECEIVED = 2  # times the pipeline's limit
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_LAST_CALLS = 1.0  # seconds that calls outside the pipeline's knowledge get at the end

if TYPE_CHECKING:
    RpcMethodHandler = grpc.RpcMethodHandler[Any, Any]
else:  # generic in its stubs only
    RpcMethodHandler = grpc.RpcMethodHandler
Handler = Callable[[Any, Any], Awaitable[Any]]


class _Handlers(grpc.GenericRpcHandler):
    """All methods in one table: grpcio would ask one handler a service, one after the other."""

    def __init__(self, pipeline: Pipeline, streams: Mapping[str, RpcMethodHandler]) -> None:
        self._pipeline = pipeline
        self._unary = {path: method for path, method in pipeline.methods.items() if method.is_unary}
        self._streams = streams

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> RpcMethodHandler:
        path = handler_call_details.method
        method = self._unary.get(path)
        if method is None:
            return self._streams.get(path) or self._unknown(path)
        return _UnaryCall(self._pipeline, method, handler_call_details.invocation_metadata)

    def _unknown(self, path: str) -> RpcMethodHandler:
        """Refuses, as grpcio would without details and whoever asks. A stream of messages is any call."""

        async def refuse(_: Any, context: Any) -> None:
            metadata = _metadata(context.invocation_metadata())
            await _abort(context, await self._pipeline.unknown(path, metadata, context.peer))

        return grpc.stream_stream_rpc_method_handler(refuse)


class _UnaryCall(RpcMethodHandler):
    """One unary call, as the handler of itself: grpcio makes the metadata anew for whoever asks again."""

    request_streaming = False
    response_streaming = False
    # Neither serializer nor deserializer: grpcio would answer a message that it cannot read by
    # itself, before anybody has asked who sends it, and answers may be bytes already.
    request_deserializer = None
    response_serializer = None

    def __init__(self, pipeline: Pipeline, method: Method, metadata: Any) -> None:
        self._pipeline = pipeline
        self._method = method
        self._metadata = metadata

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        method = self._method
        try:
            result, headers = await self._pipeline.unary(
                method,
                request,
                _metadata(self._metadata),
                context.time_remaining(),
                method.endpoint,
                context.peer,
            )
            wire = result.SerializeToString() if isinstance(result, Message) else result.wire()
        except CallFailed as failure:
            await _abort(context, failure)
            raise AssertionError("abort() raises") from failure
        context.set_trailing_metadata(tuple(headers.items()))
        return wire


class PortTaken(Exception):
    """The address cannot be listened on."""


class GrpcServer:
    """Listens for gRPC. The pipeline is to be drained before stop()."""

    def __init__(self, pipeline: Pipeline, address: str, *, write_timeout: float) -> None:
        self._pipeline = pipeline
        self._address = address
        self._write_timeout = write_timeout
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens. Raises PortTaken."""
        received = ("grpc.max_receive_message_length", _RECEIVED * self._pipeline.message_bytes)
        server = grpc.aio.server(options=(*_OPTIONS, received))
        server.add_generic_rpc_handlers((_Handlers(self._pipeline, self._streams()),))
        try:
            self.port = server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise PortTaken(self._address) from error
        if not self.port:
            raise PortTaken(self._address)
        self._server = server
        await server.start()

    async def stop(self, grace: float = _LAST_CALLS) -> None:
        """Refuses new calls and returns when the last one has ended, `grace` seconds later at most."""
        if self._server is not None:
            await self._server.stop(grace)
            self._server = None

    def _streams(self) -> dict[str, RpcMethodHandler]:
        methods = self._pipeline.methods.values()
        return {method.path: self._handler(method) for method in methods if not method.is_unary}

    def _handler(self, method: Method) -> RpcMethodHandler:
        if not method.is_server_stream:
            raise NotImplementedError(f"{method.path}: no API of ours streams requests for one answer")
        if not method.is_client_stream:
            return grpc.unary_stream_rpc_method_handler(self._stream(method))
        return grpc.stream_stream_rpc_method_handler(self._stream(method))

    def _stream(self, method: Method) -> Handler:
        pipeline = self._pipeline

        async def serve(request: Any, context: Any) -> None:
            if method.is_client_stream:
                request = _messages(pipeline, method, context)
            try:
                stream = await pipeline.open(
                    method,
                    request,
                    _metadata(context.invocation_metadata()),
                    context.peer(),
                    context.time_remaining(),
                    method.endpoint,
                )
                try:
                    await self._pump(stream, context)
                finally:
                    # Whatever happens, and also when grpc.aio cancels this task because the client went.
                    await stream.close()
                context.set_trailing_metadata(tuple(stream.headers().items()))
            except CallFailed as failure:
                await self._abort_stream(context, failure)
            except grpc.aio.InternalError:
                # So a write fails whose client goes meanwhile. grpcio would log it as an error of ours.
                log.debug("a stream's client went away")

        return serve

    async def _pump(self, stream: OpenStream, context: Any) -> None:
        write, seconds = context.write, self._write_timeout
        initial = (("x-request-id", stream.context.request_id),)
        is_begun = False
        while (result := await stream.next()) is not None:
            try:
                async with asyncio.timeout(seconds):
                    if not is_begun:
                        # Left to the first message, they would go once more with the status if that
                        # message is cut, which gRPC refuses: the call would never end. That they hold
                        # something tells gateways that the call was not refused.
                        await context.send_initial_metadata(initial)
                        is_begun = True
                    if result is not STANDS:
                        await write(_wire(result))
            except TimeoutError:
                raise stream.failed(SlowConsumer(seconds)) from None

    async def _abort_stream(self, context: Any, failure: CallFailed) -> None:
        # The status waits behind what the reader has not taken; a reader who takes nothing gets a reset.
        try:
            async with asyncio.timeout(self._write_timeout):
                await _abort(context, failure)
        except TimeoutError:
            log.info("a stream's reader did not even take its end", peer=context.peer())


async def _messages(pipeline: Pipeline, method: Method, context: Any) -> AsyncIterator[Message]:
    # grpcio's own iterator is a generator around this, which each message would pass.
    while (request := await context.read()) is not grpc.aio.EOF:
        yield pipeline.parse(method, request)


def _metadata(pairs: Any) -> dict[str, str]:
    """Returns the texts of a call's metadata."""
    metadata = dict(pairs)
    if bytes in map(type, metadata.values()):  # rare; looking at each in Python takes thrice as long
        metadata = {key: value for key, value in pairs if isinstance(value, str)}
    return metadata


def _wire(result: Result) -> bytes:
    return result.SerializeToString() if isinstance(result, Message) else result.wire()


async def _abort(context: Any, failure: CallFailed) -> None:
    status = failure.status
    trailers = (*failure.headers.items(), ("grpc-status-details-bin", status.SerializeToString()))
    await context.abort(_CODES[status.code], status.message, trailers)
