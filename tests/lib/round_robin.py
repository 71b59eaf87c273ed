"""A TCP proxy that gives each connection to the next server, or to another if that one does not answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence


class RoundRobin:
    """Forwards bytes and knows nothing of them."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._next = 0
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            upstream = await self._connect()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pump(reader, upstream[1]))
                    group.create_task(_pump(upstream[0], writer))
            except* OSError:
                pass
            finally:
                upstream[1].transport.abort()
        writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._next += 1
        for turn in range(len(self._ports)):
            port = self._ports[(self._next + turn) % len(self._ports)]
            with contextlib.suppress(ConnectionRefusedError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionRefusedError


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ends with an error when the stream does: both directions end together."""
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError


@contextlib.asynccontextmanager
async def round_robin(ports: Sequence[int]) -> AsyncIterator[int]:
    """Yields the port of a proxy before these."""
    proxy = RoundRobin(ports)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
