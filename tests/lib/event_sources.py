"""Streams as programs read them that know nothing but the protocol: HTTP/1.1 from a socket, and server-sent
events as the HTML standard has browsers read them."""

from __future__ import annotations

import asyncio
import codecs
import re
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

# A last CR may be the first half of a CRLF.
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r(?!\Z))")
_SIP = 100  # bytes, so that what arrives is cut anywhere


class Refused(Exception):
    """The answer is not the stream that was asked for: a browser does not ask again."""


async def text_of(url: str, headers: Mapping[str, str], media_type: str) -> AsyncIterator[str]:
    """Yields the text of a streamed answer in pieces that end anywhere."""
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", f"Accept: {media_type}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        told = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        if status.split()[1] != "200" or not told["content-type"].startswith(media_type):
            raise Refused(f"{status}: {(await reader.read(2000)).decode()}")
        assert told["transfer-encoding"] == "chunked"
        decoder = codecs.getincrementaldecoder("utf-8")()
        while left := int(await reader.readuntil(b"\r\n"), 16):
            while left:
                data = await reader.read(min(left, _SIP))
                if not data:
                    raise ConnectionResetError("cut within a chunk")
                left -= len(data)
                yield decoder.decode(data)
            await reader.readexactly(2)
    finally:
        writer.transport.abort()


@dataclass(frozen=True)
class Event:
    type: str
    data: str
    last_event_id: str


class EventParser:
    """The parser of the HTML standard, section 9.2.6."""

    def __init__(self, last_event_id: str = "") -> None:
        self.retry_seconds: float | None = None
        self._unparsed = ""
        self._data: list[str] = []
        self._type = ""
        self._last_event_id = last_event_id

    def feed(self, text: str) -> Iterator[Event]:
        """Yields the events that are whole now."""
        self._unparsed += text
        end = 0
        for line in _LINE.finditer(self._unparsed):
            end = line.end()
            if line[1]:
                self._take(*line[1].split(":", 1))
                continue
            if self._data:
                yield Event(self._type or "message", "\n".join(self._data), self._last_event_id)
            self._data, self._type = [], ""
        self._unparsed = self._unparsed[end:]

    def _take(self, name: str, value: str = "") -> None:
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._last_event_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value) / 1000


class EventSource:
    """One connection after another, as a browser's EventSource makes them."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.last_event_id = ""
        self.retry_seconds = 3.0
        self._url = url
        self._headers = headers

    async def events(self) -> AsyncIterator[Event]:
        """Yields the events of one connection. It is for the caller to wait and to come back."""
        headers = dict(self._headers)
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        parser = EventParser(self.last_event_id)
        async with aclosing(text_of(self._url, headers, "text/event-stream")) as pieces:
            async for text in pieces:
                for event in parser.feed(text):
                    self.last_event_id = event.last_event_id
                    yield event
                self.retry_seconds = parser.retry_seconds or self.retry_seconds


async def lines_of(url: str, headers: Mapping[str, str]) -> AsyncIterator[str]:
    """Yields the whole lines of an NDJSON answer."""
    unfinished = ""
    async with aclosing(text_of(url, headers, "application/x-ndjson")) as pieces:
        async for text in pieces:
            *lines, unfinished = (unfinished + text).split("\n")
            for line in lines:
                yield line
