"""Where the bytes of remote processes go: this process's own streams, exactly and at once."""

from __future__ import annotations

import asyncio
import os
import select

from novasphere_client.cli import terminal

_OUT = 1
_ERR = 2

# A line that goes on for longer is printed in parts.
_LONGEST_LINE = 64 * 1024


class Sink:
    """Writes to standard output and standard error without Python's buffers between.

    Writing happens on a thread: a reader that takes its time must not keep the event loop, and with it
    Ctrl-C, from being heard.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def write(self, data: bytes, *, is_error: bool) -> None:
        """Returns once everything is written. Raises CannotWrite."""
        async with self._lock:
            await asyncio.to_thread(_write_all, _ERR if is_error else _OUT, data)


class Lines:
    """Prints one node's output line by line, each line after the node's name."""

    def __init__(self, sink: Sink, node: str, *, colour: str | None) -> None:
        self._sink = sink
        self._prefix = terminal.paint(f"[{node}]", colour).encode() + b" "
        self._rest = {False: b"", True: b""}

    async def write(self, data: bytes, *, is_error: bool) -> None:
        *lines, rest = (self._rest[is_error] + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines.append(rest)
            rest = b""
        self._rest[is_error] = rest
        if lines:
            await self._sink.write(
                b"".join(self._prefix + line + b"\n" for line in lines), is_error=is_error
            )

    async def finish(self) -> None:
        """Prints what is left of a last line without an end."""
        for is_error, rest in self._rest.items():
            if rest:
                self._rest[is_error] = b""
                await self._sink.write(self._prefix + rest + b"\n", is_error=is_error)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # Another program made the terminal non-blocking, for everyone who shares it.
            select.select([], [descriptor], [])
        except OSError as error:
            raise terminal.CannotWrite(error) from error
