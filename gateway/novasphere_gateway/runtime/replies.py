"""Answers as the bytes that go over the wire.

aiohttp asks a response for `prepare`, `write_eof` and `keep_alive`, nothing more; answering it with
finished bytes costs a fraction of what building a `web.Response` does.
"""

from __future__ import annotations

import asyncio
import fcntl
import http
import sys
import termios
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from aiohttp import web

from novasphere_gateway.runtime.times import Stamps

if TYPE_CHECKING:
    from novasphere_gateway.runtime.connections import Connection

# Larger bodies are compressed, and larger writes split, outside the event loop's hot path.
_LARGE = 256 * 1024
_JOIN = 64 * 1024
# A reader is looked at so often within the write timeout. One look would cut innocent readers when it
# is the server that was busy: late timers run before the sockets are served.
_LOOKS = 4

# 499 is what the API says for a client that went away; the standard library does not know it.
_PHRASES = {s.value: s.phrase for s in http.HTTPStatus} | {499: "Client Closed Request"}


class SlowReader(Exception):
    """The client took nothing for the write timeout, and its connection was cut."""


def header(name: str, value: str) -> str:
    """Returns one header line. What could break out of it, or is not ASCII, becomes "?"."""
    if not (value.isascii() and value.isprintable()):
        value = "".join(c if c.isascii() and c.isprintable() else "?" for c in value)
    return f"{name}: {value}\r\n"


async def drain(request: web.BaseRequest, timeout: float) -> None:
    """Waits until the client has taken what was written, or is gone. Raises SlowReader."""
    connection = cast("Connection", request.protocol)  # the listener makes no others
    idle_looks = 0
    while connection.writing_paused and (transport := connection.transport) is not None:
        waiting = _untaken(transport)
        if await connection.writable(timeout / _LOOKS):
            return
        idle_looks = idle_looks + 1 if _untaken(transport) >= waiting else 0
        if idle_looks == _LOOKS:
            transport.abort()
            raise SlowReader


def _untaken(transport: asyncio.WriteTransport) -> int:
    """Returns how many written bytes the client's side has not acknowledged.

    Our own buffer alone would not tell: the kernel takes from it in steps as large as a third of its
    send buffer, and a client on a thin line may need longer than the timeout for one.
    """
    unacknowledged = bytearray(4)
    connection = transport.get_extra_info("socket")
    try:
        fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, unacknowledged)
    except OSError:  # closed, or a system that does not count them
        return transport.get_write_buffer_size()
    return transport.get_write_buffer_size() + int.from_bytes(unacknowledged, sys.byteorder)


class Reply:
    """A whole answer."""

    __slots__ = ("_headers", "_request", "_stamps", "_timeout", "body", "keep_alive", "status")

    def __init__(
        self,
        request: web.BaseRequest,
        status: int,
        headers: str,
        body: bytes,
        *,
        stamps: Stamps,
        write_timeout: float,
        keep_alive: bool,
    ) -> None:
        self._request = request
        self._headers = headers  # lines, without Date, Content-Length and Connection
        self._stamps = stamps
        self._timeout = write_timeout
        self.status = status
        self.body = body
        self.keep_alive = keep_alive and request.keep_alive

    def as_response(self) -> web.StreamResponse:
        """Returns this as what aiohttp's types ask of a handler."""
        return cast("web.StreamResponse", self)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Does nothing: head and body go out in one write."""

    async def write_eof(self) -> None:
        request, body = self._request, self.body
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        head = head_of(self.status, self._headers, self._stamps)
        if self.status not in {204, 304}:
            head += f"Content-Length: {len(body)}\r\n"
        head += connection_of(request, self.keep_alive) + "\r\n"
        if request.method == "HEAD" or not body:
            transport.write(head.encode())
        elif len(body) < _JOIN:
            transport.write(head.encode() + body)
        else:
            transport.writelines((head.encode(), body))
        if request.protocol.writing_paused:
            try:
                await drain(request, self._timeout)
            except SlowReader as cut:
                raise ConnectionResetError("the client took nothing") from cut


class Sent:
    """Stands for an answer that its handler has written itself."""

    __slots__ = ("keep_alive", "status")

    def __init__(self, status: int, *, keep_alive: bool) -> None:
        self.status = status
        self.keep_alive = keep_alive

    def as_response(self) -> web.StreamResponse:
        return cast("web.StreamResponse", self)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Does nothing: all was written."""

    async def write_eof(self) -> None:
        """Does nothing: all was written."""


@lru_cache(maxsize=64)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}\r\n"


def head_of(status: int, headers: str, stamps: Stamps) -> str:
    """Returns the head up to, and without, the headers about length and connection."""
    return f"{_status_line(status)}{headers}Date: {stamps.http()}\r\n"


def connection_of(request: web.BaseRequest, keep_alive: bool) -> str:
    """Returns the Connection header, where one is needed."""
    if not keep_alive:  # said to all: what could not be read may come from a client of HTTP/1.1
        return "Connection: close\r\n"
    return "" if request.version >= (1, 1) else "Connection: keep-alive\r\n"


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: str) -> bool:
    for offer in accept_encoding.lower().split(","):
        coding, _, parameters = offer.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            weight = parameters.replace(" ", "").removeprefix("q=")
            return not weight or weight.strip("0.") != ""
    return False


def _gzip(body: bytes) -> bytes:
    # Level 1: on JSON it saves nearly what level 6 saves, for a third of the time.
    compressor = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return compressor.compress(body) + compressor.flush()


async def compress(body: bytes) -> bytes:
    """Returns the body gzipped, off the event loop where that takes long."""
    return _gzip(body) if len(body) < _LARGE else await asyncio.to_thread(_gzip, body)
