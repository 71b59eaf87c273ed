"""A gRPC client that takes only so many bytes a second, whatever the buffers in between would hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import h2.config
import h2.connection
import h2.events
from google.protobuf.message import Message


class StreamFailed(Exception):
    """The stream ended with a status other than OK, or with none."""

    def __init__(self, code: int | None, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


async def read_slowly(
    address: str, path: str, request: Message, token: str, bytes_per_second: float
) -> AsyncGenerator[bytes, None]:
    """Yields the messages of a server stream. Raises StreamFailed."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    # The window stays at HTTP/2's first 64 KiB, while grpcio's client lets in what a message needs.
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    http.initiate_connection()
    http.send_headers(1, [
        (":method", "POST"), (":scheme", "http"), (":authority", address), (":path", path),
        ("te", "trailers"), ("content-type", "application/grpc"), ("authorization", f"Bearer {token}"),
    ])  # fmt: skip
    http.send_data(1, _framed(request.SerializeToString()), end_stream=True)
    arrived = b""
    try:
        while True:
            writer.write(http.data_to_send())
            data = await reader.read(16 * 1024)
            if not data:
                raise StreamFailed(None, "the connection was cut")
            for event in http.receive_data(data):
                match event:
                    case h2.events.DataReceived():
                        await asyncio.sleep(len(event.data) / bytes_per_second)
                        http.acknowledge_received_data(event.flow_controlled_length, 1)
                        arrived += event.data
                        while len(arrived) >= 5 and len(arrived) >= (end := _end(arrived)):
                            yield arrived[5:end]
                            arrived = arrived[end:]
                    case h2.events.TrailersReceived():
                        trailers = dict(event.headers)
                        if trailers["grpc-status"] == "0":
                            return
                        raise StreamFailed(int(trailers["grpc-status"]), trailers["grpc-message"])
                    case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                        raise StreamFailed(None, f"the stream was cut: {event}")
    finally:
        writer.close()


def _framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def _end(data: bytes) -> int:
    """Returns where the first message ends."""
    return 5 + int.from_bytes(data[1:5], "big")
