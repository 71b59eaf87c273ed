"""Whether the store still says one thing: what its tables hold is what its log makes of what they held before,
and what is in memory is what the tables hold.

A kind has a digest that does not depend on order: the sum of a hash of each of its objects. A change moves it
by the hash of what came less that of what went, so that the log brings an older digest forward without any
object that did not change. The table is read in pages while commits go on; each change that was committed
between two pages belongs either before the pages that are still to come, or behind those that were read.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import DecodeError

from novasphere_server.clock import Clock
from novasphere_server.store import log, queries, tables
from novasphere_server.store.cache import Cache
from novasphere_server.store.kinds import KINDS, Kind
from novasphere_server.store.transactions import Transaction

_log = logging.getLogger(__name__)

_MODULUS = 2**128
_PREFIX = "selfcheck:"  # of the rows of `meta` that hold the last digests
_SAMPLE = 64  # cached objects of a kind that one check looks at


@dataclass(frozen=True, slots=True)
class Digest:
    """What the objects of a kind add up to at a revision."""

    revision: int
    value: int

    def spell(self) -> str:
        return f"{self.revision}:{self.value:032x}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        revision, _, value = text.partition(":")
        return cls(int(revision), int(value, 16))


# Before the first change there was nothing. As long as the log reaches back to that, it explains everything.
_BEGINNING = Digest(0, 0)


class SelfCheck:
    """Checks a store while it is used. The digests are kept in the database, so that what happens to it while
    no server runs is found, too.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        read: log.Read,
        write: Callable[[Callable[[Transaction], None]], Awaitable[None]],
        wait_for: Callable[[int], Awaitable[None]],
        cache: Cache,
        page_length: int,
    ) -> None:
        self._clock = clock
        self._read = read
        self._write = write
        self._wait_for = wait_for
        self._cache = cache
        self._page_length = page_length
        self._finished_at = clock.monotonic()
        self.revision = 0  # up to which every kind was compared
        self.mismatches = 0

    def age(self) -> float:
        """Returns how many seconds ago the last check ended; before the first, since the start."""
        return self._clock.monotonic() - self._finished_at

    async def run(self) -> None:
        """Checks every kind once, and logs and counts what does not fit. A mismatch of a table counts once: the
        next check begins from what was found. One of an object in memory counts until it is gone.
        """
        rows = await self._read(sa.select(tables.meta).where(tables.meta.c.name.startswith(_PREFIX)), {})
        known = {row.name: row.value for row in rows}
        found: dict[str, Digest] = {}
        for kind in KINDS:
            name = f"{_PREFIX}{kind.name}"
            before = Digest.parse(known[name]) if name in known else _BEGINNING
            after = await self._check(kind, before)
            if after is None:
                return
            found[name] = after
            await self._check_cached(kind)
        changed = [
            {"name": name, "value": digest.spell()}
            for name, digest in found.items()
            if digest.spell() != known.get(name)
        ]
        if changed:
            await self._write(lambda transaction: transaction.upsert(tables.meta, changed))
        self.revision = min(digest.revision for digest in found.values())
        self._finished_at = self._clock.monotonic()

    async def _check(self, kind: Kind[Any], before: Digest) -> Digest | None:
        """Compares the table with the log since `before`. Returns what the table adds up to now; None when the
        log was compacted meanwhile.
        """
        read = 0  # what the pages add up to, each as it was when it was read
        expected = before.value  # what they should add up to
        since = 0  # what happened to objects after their page
        position = before.revision
        is_explained = is_first = True
        page = queries.objects_by_key(kind)
        last_key = ""
        is_last = False
        while not is_last:
            rows = await self._read(page, {"after": last_key, "limit": self._page_length})
            at, floor = rows[0].value, rows[0].floor
            if is_first and not floor <= position <= at:
                _log.info(
                    "the log does not reach back to the last self-check of %ss: it begins again",
                    kind.name,
                )
                is_explained, position = False, at
            is_first = False
            changes = log.Between(kind.name, position, at, passed_key=last_key)
            while not changes.is_read:
                for change, is_passed in await changes.read(self._read, self._page_length):
                    moved = _hash_after(change) - _hash_before(kind, change)
                    if is_passed:
                        since += moved
                    else:
                        expected += moved
                if changes.floor > position:
                    _log.info("the log was compacted below a self-check: the next begins again")
                    return None
            position = at
            found = [row for row in rows if row.key is not None]
            read += sum(_hash(row.key, row.revision, row.body) for row in found)
            is_last = len(found) < self._page_length
            last_key = found[-1].key if found else last_key
        if is_explained and (read - expected) % _MODULUS:
            self.mismatches += 1
            _log.error(
                "the self-check found that the stored objects of kind %s at revision %d are not what the log "
                "makes of those at revision %d: something else changed the database, or it is damaged",
                kind.name,
                position,
                before.revision,
            )
        return Digest(position, (read + since) % _MODULUS)

    async def _check_cached(self, kind: Kind[Any]) -> None:
        """Compares some of the objects in memory with the table."""
        with self._cache.reading(kind) as reading:
            known = self._cache.known(kind)
            keys = random.sample(sorted(known), min(_SAMPLE, len(known)))
            rows = await self._read(queries.objects_of(kind, keys), {})
            # What was committed and is not published yet is not in memory, and need not be.
            await self._wait_for(rows[0].value)
        stored = {row.key: (str(row.revision), row.body) for row in rows if row.key is not None}
        for key in keys:
            cached = known[key]
            in_memory = None if cached is None else (cached.etag, cached.wire)
            if not reading.is_outdated(key) and in_memory != stored.get(key):
                self.mismatches += 1
                _log.error(
                    "the self-check found that %s %r in memory is not what is stored at revision %d: "
                    "restart the server",
                    kind.name,
                    key,
                    rows[0].value,
                )


def _hash(key: str, revision: int, body: bytes) -> int:
    name = f"{len(key)}:{key}:{revision}:".encode()
    return int.from_bytes(hashlib.blake2b(name + body, digest_size=16).digest())


def _hash_after(change: log.Change) -> int:
    return 0 if change.after is None else _hash(change.key, change.revision, change.after)


def _hash_before(kind: Kind[Any], change: log.Change) -> int:
    if change.before is None:
        return 0
    try:
        revision = kind.revision(kind.message.FromString(change.before))
    except DecodeError:
        revision = 0  # no object ever had it: this will not fit
    return _hash(change.key, revision, change.before)
