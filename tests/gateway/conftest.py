"""A gateway that listens on a free port, in front of a backend that a test speaks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
import pytest
import uvloop
from gateways import MOMENT, FakeBackend, Server
from novasphere.gateway import ERRORS, ROUTES
from novasphere_gateway.model import Route
from novasphere_gateway.runtime import Gateway, GatewaySettings


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}  # the loop that serves users


Start = Callable[..., Awaitable[Server]]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
async def start(backend: FakeBackend) -> AsyncIterator[Start]:
    """Starts gateways that stop with the test."""
    running: list[Server] = []

    async def start_one(
        *more: Route, routes: Sequence[Route] = ROUTES, extra: Any = None, **settings: Any
    ) -> Server:
        told: list[tuple[Any, ...]] = []
        gateway = Gateway(
            backend,
            [*routes, *more],
            ERRORS,
            openapi=b'{"openapi":"3.1.0"}',
            settings=GatewaySettings(**settings),
            extra=extra,
            on_request=lambda *facts: told.append(facts),
            clock=lambda: MOMENT,
        )
        port = await gateway.start("127.0.0.1", 0)
        server = Server(gateway, port, aiohttp.ClientSession(auto_decompress=True))
        server.requests = told
        running.append(server)
        return server

    yield start_one
    for server in running:
        await server.session.close()
        await server.gateway.stop(5)
    assert backend.open_streams == 0


@pytest.fixture
async def server(start: Start) -> Server:
    return await start()
