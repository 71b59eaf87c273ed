"""Client connections: tells streams when theirs is lost, and answers those who speak no HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from novasphere_gateway.runtime import failures, requests
from novasphere_gateway.runtime.failures import Failure

Reject = Callable[[web.BaseRequest, Failure], web.StreamResponse]
"""Answers what never became a request."""

# What the kernel holds for a client that takes nothing, in bytes. Without a limit it holds megabytes.
_MAX_UNSENT = 128 * 1024

_log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One client connection."""

    __slots__ = ("_reject", "_writable", "on_lost", "peer")

    def __init__(
        self, manager: web.Server, reject: Reject, *, loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(manager, loop=loop, **options)
        self._reject = reject
        self.on_lost: Callable[[], None] | None = None
        self._writable: asyncio.Future[bool] | None = None
        self.peer = ""
        """HOST:PORT of the client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        name = transport.get_extra_info("peername")
        self.peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name or "")
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MAX_UNSENT)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.on_lost is not None:
            self.on_lost()
        super().connection_lost(exc)
        self._wake(is_writable=True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._wake(is_writable=True)

    async def writable(self, timeout: float) -> bool:
        """Waits until the client has taken enough of what was written, or is gone.

        Returns False if it has not within the timeout. aiohttp's own `drain` cannot be waited for twice
        once it was cancelled: the future that it waits for stays cancelled.
        """
        if not self.writing_paused or self.transport is None:
            return True
        self._writable = self._loop.create_future()
        timer = self._loop.call_later(timeout, lambda: self._wake(is_writable=False))
        try:
            return await self._writable
        finally:
            timer.cancel()
            self._writable = None

    def _wake(self, *, is_writable: bool) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(is_writable)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Logs what broke a connection, unless the client sent a body that nobody can decode."""
        if isinstance(kw.get("exc_info"), web.RequestPayloadError):
            _log.debug(*args, **kw)
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what could not be read as HTTP, and requests on which the handler itself failed."""
        if isinstance(exc, ContentEncodingError):  # aiohttp tells before there is a request
            failure = requests.unknown_encoding()
        elif status < 500:  # such bytes come from scanners: they fill no log
            # Not its text: that quotes what was sent, and a broken header may hold a credential.
            _log.debug("unreadable request", extra={"why": type(exc).__name__})
            failure = Failure("INVALID_ARGUMENT", "the request is not HTTP that this server reads")
        else:
            _log.error("request failed", exc_info=exc)
            failure = failures.internal()
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        return self._reject(request, failure)


class Listener(web.Server):
    """Makes a Connection of every accepted socket."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        reject: Reject,
        *,
        keepalive_timeout: float,
    ) -> None:
        super().__init__(handler, access_log=None, keepalive_timeout=keepalive_timeout)
        self._reject = reject

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self._reject, loop=self._loop, **self._kwargs)
