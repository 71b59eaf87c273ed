"""The one path that every call takes, whatever transport brought it.

authenticate -> scope -> validate -> idempotency -> dry run -> min revision -> deadline -> servicer ->
headers -> metrics. What a method needs is read from its descriptor when the server starts, so a call
pays for look-ups only.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from novasphere_server import logs
from novasphere_server.clock import Clock
from novasphere_server.core.principals import Principal
from novasphere_server.core.refusals import Refusals
from novasphere_server.errors import (
    ApiError,
    ClientClosed,
    Draining,
    Internal,
    InvalidArgument,
    MalformedBody,
    NotImplementedHere,
    PageTokenInvalid,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
)
from novasphere_server.rpc import deadlines, methods, statuses
from novasphere_server.rpc.callers import Authenticator, Callers
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.methods import Method
from novasphere_server.rpc.peers import Peer
from novasphere_server.rpc.validation import NO_NUL, Validators
from novasphere_server.rpc.views import Many, One
from novasphere_server.settings import Network
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.telemetry import Endpoint, Telemetry

log = logs.get(__name__)

Result = Message | One[Any] | Many[Any]
_RESULTS = (One, Many, Message)  # a tuple is tested twice as fast as the union

_MIN_REVISION = "novasphere-min-revision"
_REVISION_WAIT = 10.0  # seconds, for callers without a deadline
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
# What is wrong with a request that could be read.
_WRONG = (InvalidArgument, PageTokenInvalid)
# Request ids only have to differ: a random number for the process, and a count.
_PROCESS = secrets.token_hex(4)
_numbers = itertools.count(10_000_000)  # eight digits, without the price of a format


class Revisions(Protocol):
    """What the pipeline asks of the store."""

    @property
    def revision(self) -> int: ...

    async def wait_for_revision(self, revision: int, timeout: float) -> None: ...


# Looks up what a path names; raises what says that it is not there, or not the caller's.
Resource = Callable[[Principal, str], Awaitable[object]]


class CallFailed(Exception):
    """A call's failure as its client is told of it."""

    def __init__(self, status: status_pb2.Status, headers: Mapping[str, str]) -> None:
        super().__init__(status.message)
        self.status = status
        self.headers = headers


_SUCCESS = "OK"
_CODES = {reason: statuses.code_name(rule.code) for reason, rule in statuses.RULES.items()}
_GONE = _CODES[ClientClosed.reason]


class Pipeline:
    """Runs calls. One for the whole server."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        revisions: Revisions,
        clock: Clock,
        telemetry: Telemetry,
        message_bytes: int,
        refusal_burst: int,
        is_open: bool = False,
        trusted_gateways: Sequence[Network] = (),
        resources: Mapping[str, Resource] | None = None,
    ) -> None:
        self.message_bytes = message_bytes  # of one request; more is refused
        self.callers = Callers(
            authenticator,
            Refusals(refusal_burst, clock.monotonic),
            telemetry,
            is_open=is_open,
            gateways=trusted_gateways,
        )
        self._revisions = revisions
        self._clock = clock
        self._telemetry = telemetry
        self._resources = resources or {}
        self._validators = Validators()
        self._unary_calls = 0
        self._call_ended = asyncio.Event()
        self._is_draining = False
        self._is_verbose = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)
        self.methods: dict[str, Method] = {}
        self.streams: set[OpenStream] = set()
        # Those of them whose credential may end: looked at every second, when agents are many.
        self._ending: set[OpenStream] = set()

    # -- what is served

    def register(self, service: str, servicer: object, *, is_public: bool = False) -> None:
        """Serves every RPC of `service` by the method of that name on `servicer`."""
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        for rpc in descriptor.methods:
            self._add(f"/{service}/{rpc.name}", rpc, servicer, is_public)

    def register_alias(self, alias: str, service: str, servicer: object) -> None:
        """Serves `service` once more under the name `alias`, which has no descriptor of its own."""
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        for rpc in descriptor.methods:
            self._add(f"/{alias}/{rpc.name}", rpc, servicer, is_public=False)

    def _add(self, path: str, rpc: MethodDescriptor, servicer: object, is_public: bool) -> None:
        self.methods[path] = methods.method(
            path,
            rpc,
            getattr(servicer, rpc.name),
            is_public=is_public,
            resources=self._resources,
            validators=self._validators,
            endpoint=self._telemetry.endpoint("grpc", path),
        )

    # -- calls

    async def unary(
        self,
        method: Method,
        request: bytes | Message,
        metadata: Mapping[str, str],
        remaining: float | None = None,
        endpoint: Endpoint | None = None,
        peer: Peer = "",
    ) -> tuple[Result, dict[str, str]]:
        """Returns the response and the headers to send with it. Raises CallFailed.

        `remaining` is the time until the caller's deadline, in seconds. `endpoint` counts the call;
        a transport that counts its calls by itself passes none.
        """
        started = perf_counter()
        # What stands when the caller goes away and CancelledError passes through.
        outcome = _GONE
        request_id = _request_id(metadata)
        logs.call.set((request_id, metadata.get("traceparent", "")))
        self._unary_calls += 1
        principal = None
        try:
            callers = self.callers
            principal = callers.known(method, metadata) or await callers.allowed(method, metadata, peer)
            deadline = None if remaining is None else self._clock.monotonic() + remaining
            context = CallContext(method.path, principal, request_id, metadata, deadline, peer)
            message = self._read(method, request, context)
            if _MIN_REVISION in metadata and not method.is_public:  # strangers wait for nothing
                remaining = await self._catch_up(context)
            if remaining is None:
                result = await method.handler(message, context)
            else:
                result = await deadlines.within(remaining, method.handler(message, context))
            headers = self._headers(context, result)
            outcome = _SUCCESS
        except asyncio.CancelledError:
            raise
        except Exception as error:
            nearer = await self._by_path(method, request, principal, error)
            told = self.told(nearer, method.path)
            outcome = _CODES[told.reason]
            raise CallFailed(statuses.of(told, request_id), self.bare_headers(request_id)) from error
        finally:
            self._unary_calls -= 1
            if self._is_draining:
                self._call_ended.set()
            if endpoint is not None or self._is_verbose:
                self._record(method, endpoint, metadata, outcome, started)
        return result, headers

    async def open(
        self,
        method: Method,
        request: bytes | Message | AsyncIterator[Any],
        metadata: Mapping[str, str],
        peer: Peer = "",
        remaining: float | None = None,
        endpoint: Endpoint | None = None,
    ) -> OpenStream:
        """Starts a streaming call. The caller must close() what this returns. Raises CallFailed."""
        started = perf_counter()
        request_id = _request_id(metadata)
        logs.call.set((request_id, metadata.get("traceparent", "")))
        outcome = _GONE
        is_open = False
        principal = None
        try:
            self._refuse_when_draining()
            principal = await self.callers.allowed(method, metadata, peer)
            deadline = None if remaining is None else self._clock.monotonic() + remaining
            client = self.callers.client(metadata, peer)
            context = CallContext(method.path, principal, request_id, metadata, deadline, client)
            message = (
                request if isinstance(request, AsyncIterator) else self._read(method, request, context)
            )
            if principal.path:
                _check_path(method, message, principal)
            if _MIN_REVISION in metadata and not method.is_public:  # strangers wait for nothing
                await self._catch_up(context)
            responses = method.handler(message, context)
            stream = OpenStream(self, method, endpoint, context, responses, started)
            is_open = True
        except asyncio.CancelledError:
            raise
        except Exception as error:
            nearer = await self._by_path(method, request, principal, error)
            told = self.told(nearer, method.path)
            outcome = _CODES[told.reason]
            raise CallFailed(statuses.of(told, request_id), self.bare_headers(request_id)) from error
        finally:
            if not is_open:
                self._record(method, endpoint, metadata, outcome, started)
        return stream

    async def check(
        self, method: Method, request: bytes | Message, metadata: Mapping[str, str], peer: Peer = ""
    ) -> None:
        """Raises ApiError if the caller may not call the method, or what its path names is not there,
        whatever else the request says.
        """
        principal = await self.callers.allowed(method, metadata, peer, is_trial=True)
        named = self.parse(method, request) if isinstance(request, bytes) else request
        await self._find(method, named, principal)

    async def admit(
        self, method: Method, request: Message, metadata: Mapping[str, str], peer: Peer = ""
    ) -> None:
        """Raises CallFailed where check() raises."""
        request_id = _request_id(metadata)
        try:
            await self.check(method, request, metadata, peer)
        except ApiError as error:
            raise CallFailed(statuses.of(error, request_id), self.bare_headers(request_id)) from error

    async def unknown(self, path: str, metadata: Mapping[str, str], peer: Peer = "") -> CallFailed:
        """Returns what the caller of a method that nobody serves is told, once it is known who that is."""
        request_id = _request_id(metadata)
        logs.call.set((request_id, metadata.get("traceparent", "")))
        try:
            await self.callers.authenticate(metadata, peer)
            told: ApiError = NotImplementedHere(f"this server does not offer {path}")
        except Exception as error:  # noqa: BLE001 - told() keeps what nobody should read
            told = self.told(error, path)
        return CallFailed(statuses.of(told, request_id), self.bare_headers(request_id))

    async def _find(self, method: Method, request: Message, principal: Principal) -> None:
        """Raises what says that the resource in the method's path is not there, or not the caller's."""
        if method.resource:
            key = getattr(request, method.resource)
            if "\0" in key:
                raise InvalidArgument(method.resource, NO_NUL)
            if key:
                await self._resources[method.collection](principal, key)

    async def _by_path(
        self, method: Method, request: Any, principal: Principal | None, error: Exception
    ) -> Exception:
        """Returns what is to be said in place of `error`: that the path leads nowhere comes before what
        is wrong with the rest.
        """
        if principal is None or not isinstance(error, _WRONG) or not method.resource:
            return error
        message = method.request_type.FromString(request) if isinstance(request, bytes) else request
        try:
            await self._find(method, message, principal)
        except ApiError as nearer:
            return nearer
        return error

    # -- draining and revocation

    def end_streams(self, error: Callable[[], ApiError], but: str = "") -> None:
        """Ends every open stream with an error of its own, except those of the service `but`."""
        for stream in tuple(self.streams):
            if stream.method.path.split("/")[1] != but:
                stream.end(error())

    def end_stale_streams(self) -> None:
        """Ends the streams whose credential has been revoked or has expired since they began."""
        holds = self.callers.holds
        for stream in tuple(self._ending):
            if not holds(stream.context.principal):
                stream.end(Unauthenticated("the credential of this stream no longer works"))

    def start_draining(self) -> None:
        """Refuses new streams from now on."""
        self._is_draining = True

    def _refuse_when_draining(self) -> None:
        if self._is_draining:
            raise Draining

    async def drained(self) -> None:
        """Returns when no call is under way. To be called after start_draining()."""
        while self._unary_calls or self.streams:
            self._call_ended.clear()
            await self._call_ended.wait()

    # -- for OpenStream, the other half of open()

    def stream_opened(self, stream: OpenStream) -> None:
        self.streams.add(stream)
        if stream.context.principal.may_end and not stream.method.is_public:
            self._ending.add(stream)
        self._telemetry.open_streams.labels(stream.method.path).inc()

    def stream_closed(
        self, stream: OpenStream, endpoint: Endpoint | None, outcome: str, started: float
    ) -> None:
        self.streams.discard(stream)
        self._ending.discard(stream)
        self._call_ended.set()
        self._telemetry.open_streams.labels(stream.method.path).dec()
        self._record(stream.method, endpoint, stream.context.metadata, outcome, started)

    def bare_headers(self, request_id: str) -> dict[str, str]:
        return {"x-request-id": request_id, "novasphere-revision": str(self._revisions.revision)}

    def told(self, error: Exception, path: str) -> ApiError:
        """Returns what the client may know of `error`, and logs what it may not."""
        if isinstance(error, ApiError):
            return error
        log.error("call failed", method=path, exc_info=error)
        return Internal()

    # -- the steps

    async def _catch_up(self, context: CallContext) -> float | None:
        """Waits for the revision that the caller wants to see. Returns what is then left of the call's
        time.
        """
        wanted, deadline = context.metadata[_MIN_REVISION], context.deadline
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            raise InvalidArgument(_MIN_REVISION, "must be a revision: a whole number")
        revision, now = int(wanted), self._clock.monotonic
        if revision > self._revisions.revision:
            timeout = _REVISION_WAIT if deadline is None else deadline - now()
            await self._revisions.wait_for_revision(revision, timeout)
        return None if deadline is None else deadline - now()

    def _read(self, method: Method, request: bytes | Message, context: CallContext) -> Message:
        """Returns the checked request, and fills in what it says about how to run."""
        message: Any = self.parse(method, request) if isinstance(request, bytes) else request
        if method.validate is not None:
            method.validate(message)
        if method.has_validate_only and message.validate_only:
            context.is_dry_run = True
        if method.has_request_id and message.request_id:
            context.idempotency = Idempotency(
                principal=context.principal.name,
                key=message.request_id,
                fingerprint=method.fingerprint(message),
            )
        return message  # type: ignore[no-any-return]

    def parse(self, method: Method, request: bytes) -> Message:
        """Returns the request that the bytes are. Raises TooLarge or MalformedBody."""
        if len(request) > self.message_bytes:
            raise TooLarge(
                f"the message takes {len(request)} bytes; at most {self.message_bytes} are accepted"
            )
        try:
            return method.request_type.FromString(request)
        except DecodeError:
            name = method.request_type.DESCRIPTOR.name
            raise MalformedBody(f"the message is not a {name}") from None

    def _headers(self, context: CallContext, result: Result) -> dict[str, str]:
        headers = context.headers
        headers["x-request-id"] = context.request_id
        headers["novasphere-revision"] = str(self._revisions.revision)
        if isinstance(result, One):
            headers.setdefault("etag", result.etag)
        else:
            _check(result)
        if context.idempotency is not None and context.idempotency.was_replayed:
            headers["idempotency-replayed"] = "true"
        if context.is_dry_run:
            headers["validate-only"] = "true"
        return headers

    def _record(
        self,
        method: Method,
        endpoint: Endpoint | None,
        metadata: Mapping[str, str],
        outcome: str,
        started: float,
    ) -> None:
        seconds = perf_counter() - started
        client_type = self._telemetry.client_type(
            metadata.get("x-client-type", ""), metadata.get("user-agent", "")
        )
        if endpoint is not None:
            endpoint.record(client_type, outcome, seconds)
        if self._is_verbose:
            log.debug(
                "call", method=method.path, status=outcome, seconds=seconds, client_type=client_type
            )


class OpenStream:
    """One streaming call under way. Whoever opened it takes responses with next() and then closes it."""

    def __init__(
        self,
        pipeline: Pipeline,
        method: Method,
        endpoint: Endpoint | None,
        context: CallContext,
        responses: Any,
        started: float,
    ) -> None:
        self.method = method
        self.context = context
        self._is_closed = False
        self._pipeline = pipeline
        self._endpoint = endpoint
        self._responses = responses
        self._started = started
        self._outcome = _GONE
        self._ending: ApiError | None = None
        self._step: asyncio.Timeout | None = None
        pipeline.stream_opened(self)

    async def next(self) -> Result | None:
        """Returns the next response, or None after the last. Raises CallFailed."""
        if self._ending is not None:
            raise self.failed(self._ending)
        try:
            # A timeout that end() can pull to now: it interrupts this wait and nothing else.
            async with asyncio.timeout(None) as self._step:
                result: Result = await anext(self._responses)
            _check(result)
        except StopAsyncIteration:
            self._outcome = _SUCCESS
            return None
        except asyncio.CancelledError:
            raise
        except Exception as error:
            is_ended = isinstance(error, TimeoutError)
            raise self.failed((is_ended and self._ending) or error) from error
        finally:
            self._step = None
        return result

    def end(self, error: ApiError) -> None:
        """Makes the present or the next call of next() fail with `error`."""
        if self._ending is None:
            self._ending = error
            if self._step is not None:
                self._step.reschedule(asyncio.get_running_loop().time())

    def failed(self, error: Exception) -> CallFailed:
        """Returns how the client is told of `error`, which ends this stream."""
        pipeline = self._pipeline
        told = pipeline.told(error, self.method.path)
        self._outcome = _CODES[told.reason]
        return CallFailed(statuses.of(told, self.context.request_id), self.headers())

    def headers(self) -> dict[str, str]:
        """Returns the headers of the response as they stand."""
        pipeline = self._pipeline
        return self.context.headers | pipeline.bare_headers(self.context.request_id)

    async def close(self) -> None:
        """Ends the servicer's generator and forgets the stream. To be called in `finally`."""
        if self._is_closed:
            return
        self._is_closed = True
        pipeline = self._pipeline
        try:
            await self._responses.aclose()
        except Exception as error:  # noqa: BLE001 - the stream has ended; only the log can know
            pipeline.told(error, self.method.path)
        finally:
            pipeline.stream_closed(self, self._endpoint, self._outcome, self._started)


def _request_id(metadata: Mapping[str, str]) -> str:
    given = metadata.get("x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return _PROCESS + str(next(_numbers))


def _check_path(method: Method, message: Any, principal: Principal) -> None:
    """Raises PermissionDenied unless the caller's ticket is for the path that the call has in REST."""
    if not method.has_path(principal.path, message):
        raise PermissionDenied(
            f"this ticket opens {principal.path} and nothing else", metadata={"path": principal.path}
        )


def _check(result: object) -> None:
    # What a transport cannot send would fail there, where its text would reach the client.
    if not isinstance(result, _RESULTS):
        raise TypeError(f"a servicer answered with {type(result).__name__}")
