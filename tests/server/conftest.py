from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from novasphere_server.rpc.pipeline import Pipeline
from novasphere_server.rpc.server import GrpcServer
from novasphere_server.testing import RunningServer, running_server


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
        self.pipeline = Pipeline(
            authenticator=server.app.credentials,
            revisions=server.store,
            clock=server.clock,
            telemetry=server.app.telemetry,
        )

    @asynccontextmanager
    async def serving(
        self, service: str, servicer: object, *, write_timeout: float = 5.0
    ) -> AsyncIterator[grpc.aio.Channel]:
        self.pipeline.register(service, servicer)
        listener = GrpcServer(self.pipeline, "127.0.0.1:0", write_timeout=write_timeout)
        await listener.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{listener.port}") as channel:
                yield channel
        finally:
            await listener.stop(0)


@pytest.fixture
def bench(server: RunningServer) -> Bench:
    return Bench(server)
