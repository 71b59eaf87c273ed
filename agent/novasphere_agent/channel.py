"""One connection to the server."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.protocol import H2Protocol

from novasphere_agent import wire
from novasphere_agent.refusals import StatusDetails

CONNECT_SECONDS = 10.0
# The server sends nothing of its own accord, but it answers pings: silence means that nobody is there.
PING_SECONDS = 6.0
SILENCE_SECONDS = 18.0
HUNG_UP = "the server hung up"


class LinkChannel(Channel):
    """A channel that knows its own address, notices silence, and can be dropped at once."""

    def __init__(self, host: str, port: int, *, ping_seconds: float = PING_SECONDS) -> None:
        super().__init__(
            host,
            port,
            codec=wire.Codec(),
            status_details_codec=StatusDetails(),
            config=Configuration(
                _keepalive_time=ping_seconds,
                # The silence is measured here, where it also ends connections with unsent data.
                _keepalive_timeout=3600.0,
                _http2_max_pings_without_data=0,
                _http2_min_sent_ping_interval_without_data=ping_seconds / 2,
            ),
        )
        self._transport: asyncio.Transport | None = None
        self._heard_at = time.monotonic()

    async def open(self) -> str:
        """Connects, and returns this machine's address on the way to the server."""
        await self.__connect__()
        assert self._transport is not None  # noqa: S101 - set by the connecting
        address: Any = self._transport.get_extra_info("sockname")
        return str(address[0]) if isinstance(address, tuple) else ""

    @property
    def silent_seconds(self) -> float:
        return time.monotonic() - self._heard_at

    def abort(self) -> None:
        """Drops the connection without waiting for what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    async def __connect__(self) -> H2Protocol:
        protocol = await super().__connect__()
        # A forwarder whose own server is away takes connections and drops them; grpclib would go on.
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError(HUNG_UP)
        return protocol

    async def _create_connection(self) -> H2Protocol:
        self._transport, protocol = await asyncio.wait_for(
            asyncio.get_running_loop().create_connection(self._protocol_factory, self._host, self._port),
            CONNECT_SECONDS,
        )
        self._heard_at = time.monotonic()
        return protocol

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        receive = protocol.data_received

        def data_received(data: bytes) -> None:
            self._heard_at = time.monotonic()
            receive(data)

        protocol.data_received = data_received  # type: ignore[method-assign]  # the factory is grpclib's
        return protocol
