"""Server streams over HTTP: as server-sent events, as NDJSON, or as the bytes that the rows carry.

A stream is served by the task that aiohttp runs for its request. That task waits for rows and writes
them; timers and other parts interrupt it by ending its scope, for one of the reasons in `Ending`.

The head waits until the server has accepted the call, so that whoever is refused learns it from the status.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import orjson
from aiohttp import web

from novasphere_gateway.backend import ACCEPTED, Answer, Backend, Call, CallError
from novasphere_gateway.model import Route
from novasphere_gateway.runtime import failures, replies, requests
from novasphere_gateway.runtime.connections import Connection
from novasphere_gateway.runtime.endpoints import Endpoint
from novasphere_gateway.runtime.failures import Failure
from novasphere_gateway.runtime.requests import Incoming
from novasphere_gateway.runtime.settings import GatewaySettings
from novasphere_gateway.runtime.times import Stamps

_log = logging.getLogger(__name__)

_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": still here\n\n"


class Ending(enum.Enum):
    """Why a stream ends before its rows do."""

    GONE = "the client went away"
    DRAINING = "the server is shutting down"
    OVERDUE = "the server did not accept the call in time"


class ClientGone(Exception):
    """Nobody reads the answer any more. `status` is what was sent of it, or 499."""

    def __init__(self, status: int) -> None:
        super().__init__("the client went away")
        self.status = status


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """A form that a stream can have."""

    name: str
    media_type: str
    prelude: bytes
    heartbeat: bytes
    rows: str
    """The response's field that holds the rows; empty: each response is one."""
    row: Callable[[Any], bytes]
    """Turns a row into bytes. One function per route: what rows remember is keyed by it."""
    error: Callable[[dict[str, Any]], bytes] | None
    """Turns a problem into the last row; None: the form has no room for one."""


def formats(route: Route) -> dict[str, Format]:
    """Returns the forms of a stream by name: sse, ndjson and, where rows carry bytes, raw."""
    rules = route.stream
    if rules is None:
        return {}
    dump, id_of, event_of, raw_of = rules.dump, rules.id_of, rules.event_of, rules.raw_of

    def sse(row: Any) -> bytes:
        head = ""
        if id_of is not None and (identity := id_of(row)):
            head = f"id: {identity}\n"
        if event_of is not None and (event := event_of(row)):
            head += f"event: {event}\n"
        return head.encode() + b"data: " + dump(row) + b"\n\n"

    def ndjson(row: Any) -> bytes:
        return dump(row) + b"\n"

    found = {
        "sse": Format(
            "sse",
            "text/event-stream; charset=utf-8",
            _RETRY,
            _HEARTBEAT,
            rules.rows,
            sse,
            lambda problem: b"event: ERROR\ndata: " + _error_row(problem) + b"\n\n",
        ),
        "ndjson": Format(
            "ndjson",
            "application/x-ndjson",
            b"",
            b"",
            rules.rows,
            ndjson,
            lambda problem: _error_row(problem) + b"\n",
        ),
    }
    if raw_of is not None:
        for name, media_type in (
            ("text", "text/plain; charset=utf-8"),
            ("bytes", "application/octet-stream"),
        ):
            found[name] = Format(name, media_type, b"", b"", rules.rows, raw_of, None)
    return found


def _error_row(problem: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": "ERROR", "error": problem})


_NAMES = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "text/plain": "text",
    "application/octet-stream": "bytes",
    "*/*": "sse",
    "text/*": "sse",
    "application/*": "ndjson",
}


@lru_cache(maxsize=256)
def _choose(accept: str, offered: tuple[str, ...]) -> str | None:
    for weight, media_type in requests.weighted(accept):
        name = _NAMES.get(media_type)
        if weight > 0 and name in offered:
            return name
    return None


def negotiate(accept: str, offered: dict[str, Format]) -> Format:
    """Returns the form that the client likes best; events, where it does not say."""
    if not accept:
        return offered["sse"]
    name = _choose(accept, tuple(offered))
    if name is None:
        forms = ", ".join(f.media_type for f in offered.values())
        raise Failure("NOT_ACCEPTABLE", f"a stream is answered as one of {forms}")
    return offered[name]


class Stream:
    """One stream being served."""

    def __init__(
        self,
        endpoint: Endpoint,
        form: Format,
        incoming: Incoming,
        *,
        headers: str,
        problem: Callable[[Failure], dict[str, Any]],
        settings: GatewaySettings,
        stamps: Stamps,
    ) -> None:
        self._endpoint = endpoint
        self._form = form
        self._request = incoming.request
        self._request_id = incoming.request_id
        self._headers = headers
        self._problem = problem
        self._settings = settings
        self._stamps = stamps
        self._loop = asyncio.get_running_loop()
        self._is_chunked = self._request.version >= (1, 1)
        self._is_head = self._request.method == "HEAD"
        self._memo_key = (endpoint, form.name, self._is_chunked)
        self._scope: asyncio.Timeout | None = None
        self._ending: Ending | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wrote_at = 0.0
        self.is_open = False
        """The head is written: what comes now can only be rows."""

    def end(self, why: Ending) -> None:
        """Ends the stream soon, from outside its task."""
        if self._ending is None:
            self._ending = why
            if self._scope is not None:
                self._scope.reschedule(self._loop.time())

    async def serve(self, backend: Backend, call: Call) -> web.StreamResponse:
        """Writes the stream.

        Raises Failure while an ordinary HTTP error can still be sent, and ClientGone.
        """
        connection = cast("Connection", self._request.protocol)  # the listener makes no others
        connection.on_lost = lambda: self.end(Ending.GONE)
        try:
            return await self._finish(await self._run(backend, call))
        except replies.SlowReader:
            _log.info(
                "stream cut: its reader took nothing",
                extra={"request_id": self._request_id, "route": self._endpoint.label},
            )
            raise ClientGone(200 if self.is_open else 499) from None
        except ConnectionResetError:
            raise ClientGone(200 if self.is_open else 499) from None
        finally:
            connection.on_lost = None
            if self._timer is not None:
                self._timer.cancel()

    async def _run(self, backend: Backend, call: Call) -> Failure | None:
        """Writes rows until there are no more. Returns why they ended, where that was not their end."""
        answers = backend.stream(call)
        try:
            async with asyncio.timeout(None) as scope:
                self._scope = scope
                if self._ending is not None:  # before there was a scope to end
                    scope.reschedule(self._loop.time())
                # Rows may take for ever, but not the head.
                self._timer = self._loop.call_later(
                    self._settings.request_timeout, self.end, Ending.OVERDUE
                )
                await self._write_all(answers)
        except TimeoutError as e:
            if not scope.expired():
                return self._unexpected(e)
        except CallError as e:
            return failures.from_status(e.status)
        except (ConnectionResetError, replies.SlowReader) as e:
            if self._is_connected() and not isinstance(e, replies.SlowReader):
                return self._unexpected(e)
            raise
        except Exception as e:  # noqa: BLE001 - whatever it is, the stream ends with a reason
            return self._unexpected(e)
        finally:
            self._scope = None
            close = getattr(answers, "aclose", None)
            if close is not None:
                await close()
        if self._ending is Ending.GONE:
            raise ConnectionResetError("the client went away")
        if self._ending is Ending.DRAINING:
            return failures.draining()
        return failures.overdue() if self._ending is Ending.OVERDUE else None

    def _unexpected(self, error: Exception) -> Failure:
        _log.error(
            "stream failed",
            exc_info=error,
            extra={"request_id": self._request_id, "route": self._endpoint.label},
        )
        return failures.internal()

    async def _write_all(self, answers: AsyncIterator[Answer]) -> None:
        protocol = self._request.protocol
        timeout = self._settings.write_timeout
        async for answer in answers:
            frame = b"" if answer is ACCEPTED else self._frame(answer)
            if not self.is_open:
                self._open(frame)
                if self._is_head:
                    return
            elif frame:
                self._write(frame)
            if protocol.writing_paused:
                await replies.drain(self._request, timeout)

    def _frame(self, answer: Answer) -> bytes:
        """Returns one message's rows as one write, made once for every reader of the same rows."""
        rows_field, row, parts = self._form.rows, self._form.row, answer.parts
        if parts is not None and parts.field == rows_field:
            items = parts.items
            return parts.memo(
                self._memo_key, lambda: self._framed(b"".join([item.json(row) for item in items]))
            )
        rows: Sequence[Any] = getattr(answer.message, rows_field) if rows_field else (answer.message,)
        return self._framed(b"".join([row(r) for r in rows]))

    def _framed(self, data: bytes) -> bytes:
        # An empty chunk would end the response.
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked and data else data

    def _is_connected(self) -> bool:
        transport = self._request.transport
        return transport is not None and not transport.is_closing()

    def _write(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client went away")
        transport.write(data)
        self._wrote_at = self._loop.time()

    def _open(self, first: bytes = b"") -> None:
        """Writes the head, and with it the first rows if they are there."""
        self.is_open = True
        head = replies.head_of(200, self._headers, self._stamps)
        if self._is_chunked:
            head += "Transfer-Encoding: chunked\r\n"
        head += replies.connection_of(self._request, self.keep_alive) + "\r\n"
        if self._is_head:
            self._write(head.encode())
            return
        self._write(head.encode() + self._framed(self._form.prelude) + first)
        if self._timer is not None:
            self._timer.cancel()
        if self._form.heartbeat:
            self._timer = self._loop.call_later(self._settings.heartbeat_interval, self._beat)

    def _beat(self) -> None:
        """Writes a comment if nothing was written for an interval, and waits for the next time."""
        interval = self._settings.heartbeat_interval
        due, now = self._wrote_at + interval, self._loop.time()
        if due <= now:
            # A reader that is behind gets no comment: its stream is not silent.
            if self._is_connected() and not self._request.protocol.writing_paused:
                self._write(self._framed(self._form.heartbeat))
            due = now + interval
        self._timer = self._loop.call_at(due, self._beat)

    @property
    def keep_alive(self) -> bool:
        """Whether the connection can serve another request: only chunks tell where a stream ends."""
        return self._request.keep_alive and (self._is_chunked or self._is_head)

    async def _finish(self, failure: Failure | None) -> web.StreamResponse:
        """Ends the answer so that the client can tell a whole stream from a broken one."""
        if failure is not None and not self.is_open:
            raise failure
        if not self.is_open:
            self._open()
        if not self._is_head:
            self._write_end(failure)
            await replies.drain(self._request, self._settings.write_timeout)
        return replies.Sent(200, keep_alive=self.keep_alive and failure is None).as_response()

    def _write_end(self, failure: Failure | None) -> None:
        if failure is not None and (self._form.error is None or self._request.protocol.writing_paused):
            # Without the last chunk the client sees that the answer is not whole.
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError("the stream has no room for a reason")
        last = b""
        if failure is not None and self._form.error is not None:
            last = self._framed(self._form.error(self._problem(failure)))
        if self._is_chunked:
            last += b"0\r\n\r\n"
        if last:
            self._write(last)
