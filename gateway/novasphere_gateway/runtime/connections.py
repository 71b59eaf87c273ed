"""Client connections: tells streams when theirs is lost, and speaks JSON to those who speak no HTTP."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from novasphere_gateway.runtime import requests
from novasphere_gateway.runtime.envelopes import PROBLEM

# What the kernel holds for a client that takes nothing, in bytes. Without a limit it holds megabytes.
_MAX_UNSENT = 128 * 1024

_log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One client connection."""

    __slots__ = ("_writable", "on_lost", "peer")

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
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

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what could not be read as HTTP. Such bytes come from scanners: they fill no log."""
        _log.debug("unreadable request", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        body = {
            "type": "urn:novasphere:error:INVALID_ARGUMENT",
            "title": "The request is not HTTP that this server reads.",
            "status": status,
            "code": "INVALID_ARGUMENT",
        }
        response = web.Response(
            status=status,
            body=orjson.dumps(body),
            content_type=PROBLEM,
            headers={
                "X-Novasphere-Reason": "INVALID_ARGUMENT",
                "X-Request-Id": requests.new_request_id(),
            },
        )
        response.force_close()
        return response


class Listener(web.Server):
    """Makes a Connection of every accepted socket."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        keepalive_timeout: float,
    ) -> None:
        super().__init__(handler, access_log=None, keepalive_timeout=keepalive_timeout)

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)
