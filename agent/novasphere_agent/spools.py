"""What an attempt printed: two growing files, sent in pieces and kept until acknowledged."""

from __future__ import annotations

import contextlib
import os
import struct
from collections import deque
from pathlib import Path
from typing import NamedTuple

from novasphere_agent.messages import Stream

CHUNK_BYTES = 64 * 1024
STREAMS = (Stream.STDOUT, Stream.STDERR)
_NAMES = {Stream.STDOUT: "stdout", Stream.STDERR: "stderr"}
# Past this many remembered alternations between the streams, growth is noticed later, not lost.
_MOST_STRETCHES = 4096
_OBSERVED = struct.Struct("<QQ?")


class Piece(NamedTuple):
    """A part of one stream that is to be sent now."""

    stream: Stream
    offset: int
    length: int


class Stretch(NamedTuple):
    """Growth of one stream that was seen before the stretch after it."""

    stream: Stream
    start: int
    end: int


class Spools:
    """Follows both streams of one attempt.

    `observe` notes growth, in order, up to the limit; `take` plans what to send next, `read` reads that,
    `acknowledge` forgets it. How far was observed is noted in a file before anything of it is sent, so
    that the agent's successor makes the same cut at the limit.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._paths = {stream: directory / name for stream, name in _NAMES.items()}
        self._notes = directory / "observed"
        self._limit = limit
        self._final: dict[Stream, int] | None = None
        self._observed = dict.fromkeys(STREAMS, 0)
        self._sent = dict.fromkeys(STREAMS, 0)
        self._acked = dict.fromkeys(STREAMS, 0)
        self._stretches: deque[Stretch] = deque()
        self._unreadable: set[Stream] = set()
        self.is_dropping = False
        self._recall()

    def _recall(self) -> None:
        with contextlib.suppress(FileNotFoundError, struct.error):
            stdout, stderr, self.is_dropping = _OBSERVED.unpack(self._notes.read_bytes())
            for stream, end in zip(STREAMS, (stdout, stderr), strict=True):
                self._grow(stream, min(end, self._size(stream)))  # less, after a power cut

    @property
    def unacked(self) -> int:
        """How many bytes were sent on this connection and not acknowledged."""
        return sum(max(self._sent[stream] - self._acked[stream], 0) for stream in STREAMS)

    @property
    def is_all_sent(self) -> bool:
        """Nothing more will come, and all there is was sent."""
        return self._final is not None and self._sent == self._observed

    @property
    def has_unsent(self) -> bool:
        return self._sent != self._observed

    def total(self, stream: Stream) -> int:
        """Returns how much of a stream is kept, as far as is known."""
        return self._observed[stream]

    def observe(self) -> bool:
        """Notes new output; True when there is some."""
        sizes = {stream: self._size(stream) for stream in STREAMS}
        if self._final is not None:
            sizes = {stream: min(sizes[stream], self._final[stream]) for stream in STREAMS}
        for stream in self._unreadable:
            sizes[stream] = self._observed[stream]
        room = self._limit - sum(self._observed.values())
        is_over = sum(sizes.values()) > self._limit
        if len(self._stretches) >= _MOST_STRETCHES and not is_over and self._final is None:
            return False
        has_grown = False
        for stream in STREAMS:
            growth = min(sizes[stream] - self._observed[stream], room)
            if growth > 0:
                room -= growth
                has_grown = True
                self._grow(stream, self._observed[stream] + growth)
        is_cut = any(sizes[stream] > self._observed[stream] for stream in STREAMS)
        if has_grown or (is_cut and not self.is_dropping):
            self.is_dropping = self.is_dropping or is_cut
            self._note()
        if is_cut:
            # What is past the limit would only fill the disk.
            for stream in STREAMS:
                with contextlib.suppress(FileNotFoundError):
                    os.truncate(self._paths[stream], self._observed[stream])
        return has_grown

    def finish(self, stdout_bytes: int, stderr_bytes: int) -> None:
        """Says how long the streams were when the command ended; what comes later does not count."""
        self._final = dict(zip(STREAMS, (stdout_bytes, stderr_bytes), strict=True))
        self.observe()

    def finish_as_is(self) -> None:
        """Ends the streams where they are: nobody knows how long they should be."""
        self.finish(self._size(Stream.STDOUT), self._size(Stream.STDERR))

    def rewind(self, stdout_offset: int, stderr_offset: int) -> None:
        """Goes on from what the server has, on a new connection."""
        for stream, offset in zip(STREAMS, (stdout_offset, stderr_offset), strict=True):
            # The server may have more than a power cut has left here; that part is not read again.
            self._grow(stream, offset)
            if offset < self._acked[stream]:
                # A server that was restored from a backup; the files still have it.
                self._stretches.appendleft(Stretch(stream, offset, self._acked[stream]))
            self._acked[stream] = self._sent[stream] = offset
        self._prune()

    def take(self, budget: int) -> list[Piece]:
        """Returns what to send next, no more than `budget` bytes, and counts it as sent."""
        pieces: list[Piece] = []
        for stretch in self._stretches:
            end = min(stretch.end, self._observed[stretch.stream])  # the rest may have been given up
            while budget > 0:
                start = max(stretch.start, self._sent[stretch.stream])
                length = min(end - start, budget, CHUNK_BYTES)
                if length <= 0:
                    break
                pieces.append(Piece(stretch.stream, start, length))
                self._sent[stretch.stream] = start + length
                budget -= length
            if budget <= 0:
                break
        return pieces

    def read(self, piece: Piece) -> bytes:
        """Reads a piece. Blocks."""
        descriptor = os.open(self._paths[piece.stream], os.O_RDONLY)
        try:
            data = os.pread(descriptor, piece.length, piece.offset)
        finally:
            os.close(descriptor)
        if len(data) < piece.length:
            raise OSError(f"{self._paths[piece.stream]} is shorter than it was")
        return data

    def give_up(self, piece: Piece) -> None:
        """Drops the rest of a stream, from a piece that cannot be read any more."""
        self._unreadable.add(piece.stream)
        end = min(piece.offset, self._observed[piece.stream])
        self._observed[piece.stream] = self._sent[piece.stream] = end
        self.is_dropping = True

    def acknowledge(self, stream: Stream, offset: int) -> int:
        """Notes what the server has; returns how many bytes that frees."""
        freed = min(offset, self._sent[stream]) - self._acked[stream]
        if freed <= 0:
            return 0
        self._acked[stream] += freed
        self._prune()
        return freed

    def _grow(self, stream: Stream, end: int) -> None:
        start = self._observed[stream]
        if end <= start:
            return
        self._observed[stream] = end
        if self._stretches and self._stretches[-1].stream == stream:
            start = self._stretches.pop().start
        self._stretches.append(Stretch(stream, start, end))

    def _prune(self) -> None:
        while self._stretches and self._stretches[0].end <= self._acked[self._stretches[0].stream]:
            self._stretches.popleft()

    def _size(self, stream: Stream) -> int:
        try:
            return self._paths[stream].stat().st_size
        except FileNotFoundError:
            return 0

    def _note(self) -> None:
        noted = _OBSERVED.pack(*(self._observed[stream] for stream in STREAMS), self.is_dropping)
        # On a full disk the output matters more than where a successor would make the cut.
        with contextlib.suppress(OSError):
            descriptor = os.open(self._notes, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, noted, 0)
            finally:
                os.close(descriptor)
