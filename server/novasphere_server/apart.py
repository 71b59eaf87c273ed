"""The gateway as a process of its own, in front of a server elsewhere."""

from __future__ import annotations

import asyncio
import signal
from types import TracebackType
from typing import Self

import uvloop
from aiohttp import web
from novasphere import gateway as generated
from novasphere.api.v1 import options_pb2
from novasphere_gateway.channel import Channel
from novasphere_gateway.runtime import Gateway, GatewaySettings
from novasphere_gateway.runtime.requests import Incoming

from novasphere_server import listening, logs
from novasphere_server.rpc.systems import VERSION
from novasphere_server.settings import ApartSettings
from novasphere_server.telemetry import CONTENT_TYPE, Telemetry

log = logs.get(__name__)


class GatewayApart:
    """One gateway: its channel to the server, its listener and its metrics. It keeps nothing."""

    def __init__(self, settings: ApartSettings) -> None:
        self.settings = settings
        self.telemetry = Telemetry(VERSION)
        self.http_address = settings.http
        self._is_draining = False
        self._channel = Channel(str(settings.server), message_bytes=settings.message_bytes)
        self._gateway = Gateway(
            self._channel,
            generated.ROUTES,
            generated.ERRORS,
            openapi=listening.openapi(),
            settings=GatewaySettings(
                max_body_size=settings.message_bytes,
                write_timeout=settings.stream_write_seconds,
                cors_origins=frozenset(settings.cors_origins),
                query_tokens=settings.query_tokens,
            ),
            extra={
                ("GET", "/livez"): self._livez,
                ("GET", "/readyz"): self._readyz,
                ("GET", "/metrics"): self._metrics,
            },
            on_request=self.telemetry.count_request,
        )

    async def __aenter__(self) -> Self:
        try:
            self.http_address = await listening.serve_http(self._gateway, self.settings.http)
        except BaseException:
            await self._channel.close()
            raise
        log.info("ready", version=VERSION, http=str(self.http_address), server=str(self.settings.server))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        log.info("draining")
        self._is_draining = True
        try:
            await self._gateway.stop(self.settings.drain_seconds)
        finally:
            await self._channel.close()

    async def _livez(self, request: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, request: web.BaseRequest) -> web.Response:
        is_serving = await self._channel.is_serving()
        is_ready = is_serving and not self._is_draining
        report = {
            "status": "ready" if is_ready else "draining" if self._is_draining else "not ready",
            "server": "serving" if is_serving else "not serving",
        }
        return web.json_response(report, status=200 if is_ready else 503)

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        incoming = Incoming(request)
        await self._channel.authorize(incoming.metadata(), incoming.peer, options_pb2.SCOPE_READ)
        return web.Response(body=self.telemetry.exposition(), headers={"Content-Type": CONTENT_TYPE})


def run(settings: ApartSettings) -> None:
    """Returns after the drain that SIGTERM or SIGINT begins. Raises CannotStart."""
    uvloop.run(_serve(settings))


async def _serve(settings: ApartSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with GatewayApart(settings) as gateway:
        print(  # noqa: T201 - the one line of data
            f"Novasphere's gateway is ready: REST http://{gateway.http_address.reachable}, "
            f"server {settings.server}",
            flush=True,
        )
        await stopping.wait()
