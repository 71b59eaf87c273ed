"""One channel to the server: credentials, deadlines, retries and streams that are always cancelled."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol, TypeVar

import grpc

from novasphere_client import errors, statuses
from novasphere_client.retries import Patience
from novasphere_client.settings import REQUEST_IDS, Settings, SettingsError, is_request_id

Q = TypeVar("Q")
R = TypeVar("R")

# What says nothing of the try that failed with it, or with an answer that is lost.
_UNCLEAR = (errors.Unreachable, errors.DeadlineExceeded, errors.Internal)
# What is said of a request that was not carried out before either: else that would have been answered again.
_CLEAR = (
    errors.InvalidArgument,
    errors.NotFound,
    errors.AlreadyExists,
    errors.Aborted,
    errors.FailedPrecondition,
    errors.Unimplemented,
)

# A stream that lasted longer than any attempt to connect may take was a working one.
_CONNECT_SECONDS = 5.0
_WORKED_SECONDS = 2 * _CONNECT_SECONDS

# In less no answer comes: such a try would only hide why those before it failed.
_SHORTEST_TRY = 0.05

OnInterruption = Callable[[errors.NovasphereError], None]


class Mutation(Protocol):
    """A request that changes something: the server executes one `request_id` once."""

    request_id: str


M = TypeVar("M", bound=Mutation)


class Connection:
    """Makes calls. `timeout` bounds each unary call, tries included; `patience` its retries."""

    def __init__(
        self, settings: Settings, *, timeout: float, patience: float, request_id: str = ""
    ) -> None:
        if not is_request_id(request_id):
            raise SettingsError(f"request_id takes {REQUEST_IDS}, not {request_id!r}")
        self.settings = settings
        self.patience = patience
        self._timeout = timeout
        self.request_id = request_id
        self._metadata: list[tuple[str, str]] = []
        if settings.token is not None:
            self._metadata.append(("authorization", f"Bearer {settings.token}"))
        if request_id:
            self._metadata.append(("x-request-id", request_id))
        options: list[tuple[str, Any]] = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # Despite its name this bounds how long one attempt to connect may take.
            ("grpc.min_reconnect_backoff_ms", int(_CONNECT_SECONDS * 1000)),
            # Finds out about a connection whose other end vanished without a word.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            # The server bounds its answers in rows: no client could read on behind a limit of its own.
            ("grpc.max_receive_message_length", -1),
        ]
        if settings.is_loopback:
            # A proxy from the environment leads away from this machine.
            options.append(("grpc.enable_http_proxy", 0))
        self.channel = grpc.aio.insecure_channel(settings.server, options=options)

    async def close(self) -> None:
        await self.channel.close()

    async def read(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Q, R],
        request: Q,
        *,
        patience: float | None = None,
    ) -> R:
        """Calls a method that may be called twice as well as once."""
        deadline = time.monotonic() + self._timeout
        trying = Patience(self.patience if patience is None else patience)
        is_unclear = False
        while True:
            left = max(deadline - time.monotonic(), 0.001)
            try:
                return await method(request, timeout=left, metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                failure = self._described(statuses.from_rpc_error(error))
            is_unclear = not isinstance(failure, _CLEAR) and (is_unclear or _is_unclear(failure))
            failure.may_have_happened = is_unclear
            if isinstance(failure, errors.DeadlineExceeded) or time.monotonic() >= deadline:
                raise failure
            await trying.wait(failure)
            if deadline - time.monotonic() < _SHORTEST_TRY:
                raise failure

    async def mutate(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[M, R],
        request: M,
        *,
        patience: float | None = None,
    ) -> R:
        """Calls a method that changes something, under a request id: a retry changes nothing twice."""
        if not request.request_id:
            request.request_id = self.request_id or new_request_id()
        return await self.read(method, request, patience=patience)

    async def follow(
        self,
        start: Callable[[list[tuple[str, str]]], grpc.aio.UnaryStreamCall[Any, R]],
        *,
        patience: float | None,
        on_interruption: OnInterruption | None,
    ) -> AsyncGenerator[R, None]:
        """Yields the messages of a stream and of those that continue it.

        `start` is called with the metadata for each try and asks from wherever its caller has got to.
        The caller stops reading when it has all: a stream that ends before is one that broke.
        """
        trying = Patience(patience)
        while True:
            started = time.monotonic()
            call = start(self._metadata)
            try:
                async for message in call:
                    trying.renew()
                    yield message
                failure: errors.NovasphereError = errors.Unreachable(
                    "the stream ended too early", code="UNAVAILABLE", is_retriable=True
                )
            except grpc.aio.AioRpcError as error:
                failure = statuses.from_rpc_error(error)
            finally:
                # grpcio leaves the stream of an abandoned call open, on the server too.
                call.cancel()
            if time.monotonic() - started >= _WORKED_SECONDS:
                trying.renew()
            failure = self._described(failure)
            if on_interruption is not None and failure.is_retriable:
                on_interruption(failure)
            await trying.wait(failure)

    async def wait_until_ready(self, timeout: float) -> None:
        """Returns once the server answers the telephone; raises Unreachable when it does not in time."""
        try:
            async with asyncio.timeout(timeout):
                await self.channel.channel_ready()
        except TimeoutError:
            raise self._described(
                errors.Unreachable("no connection", code="UNAVAILABLE", is_retriable=True)
            ) from None

    def _described(self, failure: errors.NovasphereError) -> errors.NovasphereError:
        """Says for errors that no server made which server it was about."""
        if not failure.reason and isinstance(failure, errors.Unreachable | errors.DeadlineExceeded):
            failure.metadata.setdefault("server", self.settings.server)
        return failure


def _is_unclear(failure: errors.NovasphereError) -> bool:
    return isinstance(failure, _UNCLEAR) or failure.reason == "DATABASE_UNAVAILABLE"


def new_request_id() -> str:
    return uuid.uuid4().hex
