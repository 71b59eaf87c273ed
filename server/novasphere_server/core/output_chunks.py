"""What attempts printed, as it is kept: in chunks that follow each other without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import sqlalchemy as sa
from novasphere.link.v1 import link_service_pb2 as link

from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.transactions import Transaction

CHUNK_LIMIT = 64 * 1024  # bytes of one chunk on the link
_DELETION_STEP = 200  # of commands, or of chunks
_DELETION_BYTES = 4 * 1024 * 1024

_table = tables.output_chunks
_c = _table.c
_COLUMNS = ("run_id", "attempt", "position", "stream", "offset", "data")
_DELETE_ONE = sa.delete(_table).where(
    _c.run_id == sa.bindparam("b_id"),
    _c.attempt == sa.bindparam("b_attempt"),
    _c.position == sa.bindparam("b_position"),
)

Stream: TypeAlias = link.Stream.ValueType


@dataclass(frozen=True, slots=True)
class Tail:
    """How much of an attempt's output is stored: where the next byte of each stream belongs."""

    stdout: int = 0
    stderr: int = 0

    @property
    def length(self) -> int:
        return self.stdout + self.stderr

    def of(self, stream: Stream) -> int:
        return self.stdout if stream == link.STREAM_STDOUT else self.stderr

    def grown(self, stream: Stream, length: int) -> Tail:
        if stream == link.STREAM_STDOUT:
            return Tail(self.stdout + length, self.stderr)
        return Tail(self.stdout, self.stderr + length)


@dataclass(slots=True)
class Appending:
    """Chunks of one frame on their way into the table, trimmed to what is new."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    length: int = 0
    # Streams of attempts that are here from their first byte on, so that nobody has to read them again.
    whole: dict[tuple[str, int, Stream], bytes] = field(default_factory=dict)

    def add(self, tail: Tail, chunk: link.OutputChunk) -> Tail:
        """Returns the tail after the chunk. Raises LinkProtocol when bytes before it are missing."""
        if chunk.stream not in (link.STREAM_STDOUT, link.STREAM_STDERR):
            raise errors.LinkProtocol("an output chunk names no stream")
        if len(chunk.data) > CHUNK_LIMIT:
            raise errors.LinkProtocol(f"an output chunk is longer than {CHUNK_LIMIT} bytes")
        expected = tail.of(chunk.stream)
        if chunk.offset > expected:
            raise errors.LinkProtocol(
                f"output of {chunk.run_id} begins at byte {chunk.offset}, expected was {expected}"
            )
        data = chunk.data[expected - chunk.offset :]
        if not data:
            return tail
        self.rows.append((chunk.run_id, chunk.attempt, tail.length, chunk.stream, expected, data))
        self.length += len(data)
        stream = (chunk.run_id, chunk.attempt, chunk.stream)
        if not expected or stream in self.whole:
            self.whole[stream] = self.whole.get(stream, b"") + data
        return tail.grown(chunk.stream, len(data))

    def write(self, tx: Transaction) -> None:
        tx.insert(_table, _COLUMNS, self.rows)


def tail(tx: Transaction, run_id: str, attempt: int) -> Tail:
    """Returns how much of an attempt's output is stored."""

    def end(stream: Stream) -> int:
        row = tx.execute(
            sa.select(_c.offset, sa.func.length(_c.data).label("length"))
            .where(_c.run_id == run_id, _c.attempt == attempt, _c.stream == stream)
            .order_by(_c.offset.desc())
            .limit(1)
        ).first()
        return 0 if row is None else int(row.offset) + int(row.length)

    return Tail(end(link.STREAM_STDOUT), end(link.STREAM_STDERR))


def length_of(run_id: str, attempt: int) -> sa.Select[tuple[int]]:
    """Returns the query for how much of an attempt's output is stored: one row, or none if nothing is."""
    return (
        sa.select((_c.position + sa.func.length(_c.data)).label("length"))
        .where(_c.run_id == run_id, _c.attempt == attempt)
        .order_by(_c.position.desc())
        .limit(1)
    )


def head(tx: Transaction, run_id: str, attempt: int, stream: Stream, length: int) -> bytes:
    """Returns the first `length` bytes of one stream of an attempt."""
    chunks = tx.execute(
        sa.select(_c.data)
        .where(
            _c.run_id == run_id,
            _c.attempt == attempt,
            _c.stream == stream,
            _c.offset < length,
        )
        .order_by(_c.offset)
    ).scalars()
    return b"".join(chunks)[:length]


def shown(data: bytes, limit: int) -> tuple[str, bool]:
    """Returns bytes as text of at most `limit` bytes, and whether some had to go for that.

    What is not UTF-8 is replaced, by something longer than itself.
    """
    text = data.decode(errors="replace")
    if len(text) * 4 <= limit:
        return text, False
    encoded = text.encode()
    return (text, False) if len(encoded) <= limit else (encoded[:limit].decode(errors="ignore"), True)


def delete_some(tx: Transaction, run_ids: Sequence[str]) -> bool:
    """Deletes output of commands, its ends first, as much as takes the writer no longer than others should
    wait. Returns whether that was all of it.
    """
    chunks = tx.execute(
        sa.select(_c.run_id, _c.attempt, _c.position, sa.func.length(_c.data).label("length"))
        .where(_c.run_id.in_(run_ids))
        .order_by(_c.run_id.desc(), _c.attempt.desc(), _c.position.desc())
        .limit(_DELETION_STEP + 1)
    ).all()
    step: list[dict[str, object]] = []
    size = 0
    for chunk in chunks[:_DELETION_STEP]:
        if size >= _DELETION_BYTES:
            break
        size += chunk.length
        step.append({"b_id": chunk.run_id, "b_attempt": chunk.attempt, "b_position": chunk.position})
    if step:
        tx.execute(_DELETE_ONE, step)
    return len(step) == len(chunks)


def delete(tx: Transaction, run_ids: Sequence[str]) -> None:
    """Deletes all output of commands."""
    for start in range(0, len(run_ids), _DELETION_STEP):
        step = run_ids[start : start + _DELETION_STEP]
        tx.execute(sa.delete(_table).where(_c.run_id.in_(step)))
