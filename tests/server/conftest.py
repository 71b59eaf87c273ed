from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from novasphere_server.rpc.pipeline import Pipeline
from novasphere_server.rpc.server import GrpcServer
from novasphere_server.testing import RunningServer, running_server


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Undoes what a test does to the root logger."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Returns a function that waits until a condition holds, for things that tell nobody."""

    async def wait(condition: Callable[[], object], timeout: float = 60.0) -> None:
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110 - that is what it is for
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def channel(server: RunningServer) -> AsyncIterator[grpc.aio.Channel]:
    async with server.channel() as open_channel:
        yield open_channel


class Bench:
    """Serves servicers of a test's own through a pipeline like the server's."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.address = ""
        self.pipeline = Pipeline(
            authenticator=server.app.credentials,
            revisions=server.store,
            clock=server.clock,
            telemetry=server.app.telemetry,
            message_bytes=server.app.settings.message_bytes,
            refusal_burst=server.app.settings.refusal_burst,
        )

    @asynccontextmanager
    async def serving(
        self, service: str, servicer: object, *, write_timeout: float = 5.0
    ) -> AsyncIterator[grpc.aio.Channel]:
        self.pipeline.register(service, servicer)
        listener = GrpcServer(self.pipeline, "127.0.0.1:0", write_timeout=write_timeout)
        await listener.start()
        self.address = f"127.0.0.1:{listener.port}"
        try:
            async with grpc.aio.insecure_channel(self.address) as channel:
                yield channel
        finally:
            await listener.stop(0)


@pytest.fixture
def bench(server: RunningServer) -> Bench:
    return Bench(server)
