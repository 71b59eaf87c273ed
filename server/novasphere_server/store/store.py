"""The store: the one door to what is remembered."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message

from novasphere_server import errors
from novasphere_server.backlogs import Backlog
from novasphere_server.clock import Clock
from novasphere_server.store import database, log, tables
from novasphere_server.store import idempotency as records
from novasphere_server.store.batches import Commit, Job
from novasphere_server.store.cache import Cache, KeyPage
from novasphere_server.store.database import FELL_BEHIND, Database, OtherHistory, Outage, State
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import KINDS, Kind
from novasphere_server.store.limits import Limits
from novasphere_server.store.live import LiveFields
from novasphere_server.store.log import Change
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.ring import Ring, Stretch
from novasphere_server.store.selfcheck import SelfCheck
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, Watches, WatchPage
from novasphere_server.store.writer import Outcome, Writer

M = TypeVar("M", bound=Message)
R = TypeVar("R")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Follow = Callable[[Sequence[Change]], None]
Recall = Callable[[log.Read], Awaitable[None]]

_log = logging.getLogger(__name__)

# How many pages of lists are kept whole, and how large each may be: some 40 MiB with what is made of them.
_SHARED_PAGES = 32
_SHARED_PAGE_BYTES = 256 * 1024
_LAST_MARK_SECONDS = 5.0  # of a stop: the database may hang


class Store:
    """Resources, their log, and what surrounds them.

    Belongs to one event loop. While the database is away everything raises DatabaseUnavailable, also
    what the cache could answer; the store finds back by itself while its loops run.
    """

    def __init__(self, data: Database, clock: Clock, limits: Limits, state: State) -> None:
        self._database = data
        self._clock = clock
        self._limits = limits
        self._epoch = state.epoch
        self._revision = state.revision
        self.backlogs = {"log": Backlog(), "idempotency": Backlog()}
        self._marked = state.revision
        self._is_available = True
        self._is_closing = False
        self._suspected = asyncio.Event()
        self._announced = asyncio.Event()
        self._following = asyncio.Lock()
        self._followers: list[tuple[Follow, Recall | None]] = []
        self._news_listeners: list[Callable[[str], None]] = []
        self._ring = Ring(KINDS, state.revision, limits.ring_bytes)
        self._cache = Cache(limits.cache_bytes, limits.cached_queries)
        self._live = LiveFields(clock.now_us())
        self._pages: dict[Query[Any], tuple[tuple[int, int], Page[Any]]] = {}
        # Watches that lag read in turn, and leave a connection to those who wait for one answer.
        self._watch_reads = asyncio.Semaphore(max(1, limits.readers - 1))
        self._watches = Watches(
            epoch=state.epoch,
            revision=state.revision,
            floor=state.floor,
            kinds=KINDS,
            ring=self._ring,
            cache=self._cache,
            live=self._live,
            read=self._select_in_turn,
            page_length=limits.page_length,
            page_bytes=limits.page_bytes,
        )
        self._writer = Writer(data, clock, limits, state, self._settled)
        self.selfcheck = SelfCheck(
            clock,
            read=self._select_in_turn,
            write=self.write,
            wait_for=self._watches.wait_for,
            cache=self._cache,
            page_length=limits.page_length,
        )

    @classmethod
    async def open(
        cls, url: str, *, clock: Clock, limits: Limits | None = None, data_dir: Path | None = None
    ) -> Store:
        """Opens the database that `url` names, creating or migrating it.

        "sqlite:////abs/path" or "postgresql://user@host/name". The server remembers in `data_dir` what
        tells a database that lies elsewhere from an older copy of it.
        """
        limits = limits or Limits()
        data = database.connect_to(url, limits, data_dir)
        state = await asyncio.to_thread(data.prepare, secrets.token_hex(8))
        return cls(data, clock, limits, state)

    async def close(self) -> None:
        """Commits what waits, ends the watches with Draining, and closes the database.

        The loops are to be stopped before.
        """
        await self._mark_the_end()
        self._is_closing = True
        self._watches.close()
        await self._writer.close()
        await self._database.close()

    def loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Returns what must run, by name, for idle watches to be sent bookmarks, for an outage to be
        noticed and to end, for what is past its time to be forgotten, and for what does not fit to be found.
        """
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "store-bookmarks": self._bookmark,
            "store-probe": self._probe,
            "store-maintenance": self._maintain,
            "store-selfcheck": self._check_itself,
        }
        if self._database.is_shared:
            loops |= {"store-listen": self._listen, "store-follow": self._follow}
        return loops

    @property
    def epoch(self) -> str:
        """Names the history: cursors of another one are refused."""
        return self._epoch

    @property
    def revision(self) -> int:
        """The last committed revision that readers see."""
        return self._revision

    @property
    def is_shared(self) -> bool:
        """Whether other servers may use the database, too."""
        return self._database.is_shared

    @property
    def pool_size(self) -> int:
        """How many connections are kept for readers."""
        return self._limits.readers

    @property
    def is_available(self) -> bool:
        """Whether the database answered when it was last asked."""
        return self._is_available

    async def write(
        self,
        mutation: Callable[[Transaction], R],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
        result_type: type[Message] | None = None,
        reads: Sequence[tuple[Kind[Any], str]] = (),
    ) -> R:
        """Runs a mutation on the writer's thread and returns its result once it is durable.

        Raises what the mutation raised, which undid it. With `idempotency` the result must be a
        Message, of `result_type` if that is given; it is stored with the effect and returned to
        whoever makes the same claim again. A dry run is undone, and recorded nowhere. `reads` are
        objects, by key, that the mutation is known to look at: they are read with those of others.
        """
        self._check_available()
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._writer.submit(Job(mutation, future, idempotency, is_dry_run, result_type, reads))
        return await future

    def known(self, kind: Kind[M], key: str) -> Rendered[M] | None:
        """Returns what get() returns, if that takes no waiting; None: ask get()."""
        if self._is_closing or not self._is_available:
            return None
        known = self._cache.peek(kind, key)
        if known is None or known.stored is None:
            return None
        return self._live.over(kind, key, known.stored)

    async def get(self, kind: Kind[M], key: str) -> Rendered[M] | None:
        """Returns an object with its live fields; None if there is none."""
        self._check_available()
        known = self._cache.peek(kind, key)
        stored = known.stored if known is not None else (await self._load(kind, [key]))[key]
        return None if stored is None else self._live.over(kind, key, stored)

    def with_live_fields(self, kind: Kind[M], key: str, stored: M) -> M:
        """Returns what a mutation made of an object, with the live fields that a reader sees now."""
        fields = self._live.fields(kind, key)
        return kind.message.FromString(stored.SerializeToString() + fields) if fields else stored

    async def _load(self, kind: Kind[M], keys: Sequence[str]) -> dict[str, Rendered[M] | None]:
        columns, state = kind.table.c, tables.revision
        statement = sa.select(state.c.value, columns.key, columns.revision, columns.body).select_from(
            state.outerjoin(kind.table, columns.key.in_(keys))
        )
        with self._cache.reading(kind) as reading:
            rows = await self._select(statement, None)
            await self._see(rows[0].value)
            found: dict[str, Rendered[M] | None] = dict.fromkeys(keys)
            for row in rows:
                if row.key is None:
                    continue
                found[row.key] = Rendered(kind.message, row.body, str(row.revision))
            return {key: self._cache.learn(reading, key, stored) for key, stored in found.items()}

    async def list(self, query: Query[M]) -> Page[M]:
        """Returns a page of objects with their live fields, and the number of all that match."""
        self._check_available()
        kind = query.kind
        revision = self._ring.last_change(kind)
        moment = (revision, self._live.version(kind))
        shared = self._pages.get(query)
        if shared is not None and shared[0] == moment:
            return shared[1]
        keys = self._cache.recall(query, revision)
        if keys is None:
            return await self._query(query, revision)
        found = {key: entry.stored for key in keys.keys if (entry := self._cache.peek(kind, key))}
        missing = [key for key in keys.keys if key not in found]
        if missing:
            found |= await self._load(kind, missing)
            newest = max(
                (int(stored.etag) for stored in found.values() if stored is not None), default=0
            )
            if newest > revision or None in found.values() or self._ring.last_change(kind) != revision:
                # Something was committed meanwhile: the objects are not all of the same moment.
                return await self._query(query, self._ring.last_change(kind))
        items = [
            self._live.over(kind, key, stored) for key in keys.keys if (stored := found[key]) is not None
        ]
        page = Page(items, keys.total)
        if moment == (self._ring.last_change(kind), self._live.version(kind)):
            self._share(query, moment, page)
        return page

    def _share(self, query: Query[Any], moment: tuple[int, int], page: Page[Any]) -> None:
        """Keeps a page that is asked for again and again, with what readers made of it."""
        self._pages.pop(query, None)
        if sum(len(item.wire) for item in page.items) > _SHARED_PAGE_BYTES:
            return
        if len(self._pages) >= _SHARED_PAGES:
            del self._pages[next(iter(self._pages))]
        self._pages[query] = (moment, page)

    async def _query(self, query: Query[M], revision: int) -> Page[M]:
        """Returns what the database says, as it was at one moment; remembers it if it is `revision`."""
        kind = query.kind
        items: list[Rendered[M]] = []
        keys = []
        with self._cache.reading(kind) as reading:
            rows = await self._select(query.statement(), None)
            await self._see(rows[0].value)
            for row in rows:
                if row.key is None:
                    continue
                keys.append(row.key)
                stored = Rendered(kind.message, row.body, str(row.revision))
                known = self._cache.learn(reading, row.key, stored)
                if known is not None and known.etag == stored.etag:
                    stored = known  # with what others have rendered already
                items.append(self._live.over(kind, row.key, stored))
        if self._ring.last_change(kind) == revision and rows[0].value <= self._revision:
            self._cache.remember(query, revision, KeyPage(keys, rows[0].total))
        return Page(items, rows[0].total)

    async def _see(self, revision: int) -> None:
        """Returns once that revision is published, which the database can be ahead of.

        Without it a reader could be told of a change, and then of the state before it.
        """
        if revision <= self._revision:
            return
        if self._database.is_shared:
            await self.catch_up()
        try:
            await self.wait_for_revision(revision, self._limits.lock_timeout)
        except errors.RevisionNotReached as error:
            raise errors.DatabaseUnavailable from error

    async def read(
        self, statement: sa.Executable, parameters: Parameters = None
    ) -> Sequence[sa.Row[Any]]:
        """Returns the rows of a SELECT, beside the writer; for tables that the log does not cover."""
        self._check_available()
        return await self._select(statement, parameters)

    async def _select(self, statement: sa.Executable, parameters: Parameters) -> Sequence[sa.Row[Any]]:
        if self._writer.is_over:
            raise errors.DatabaseUnavailable
        try:
            try:
                return await self._select_once(statement, parameters)
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # Lost while it idled, as likely as not: a fresh one tells whether the database is away.
            return await self._select_once(statement, parameters)
        except sa.exc.TimeoutError as error:  # every connection is busy
            raise errors.DatabaseUnavailable from error
        except sa.exc.DBAPIError as error:
            if not self._database.is_outage(error):
                raise
            self._suspect(error)
            raise errors.DatabaseUnavailable from error

    async def _select_once(
        self, statement: sa.Executable, parameters: Parameters
    ) -> Sequence[sa.Row[Any]]:
        async with self._database.readers.connect() as connection:
            return (await connection.execute(statement, parameters)).all()

    async def _select_in_turn(
        self, statement: sa.Executable, parameters: Parameters
    ) -> Sequence[sa.Row[Any]]:
        async with self._watch_reads:
            return await self._select(statement, parameters)

    async def wait_for_revision(self, revision: int, timeout: float) -> None:
        """Waits until readers see that revision; raises RevisionNotReached after `timeout` seconds."""
        if self._revision >= revision:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._watches.wait_for(revision)
        except TimeoutError:
            raise errors.RevisionNotReached(
                f"revision {revision} was not reached; the last one is {self._revision}",
                metadata={"revision": str(self._revision)},
            ) from None

    def set_live(self, kind: Kind[M], key: str, overlay: Callable[[], M]) -> None:
        """Replaces the live fields of an object: singular fields that the log does not carry.

        What `overlay` returns may change with the next call alone.
        """
        self._live.set(kind, key, overlay)

    async def watch(self, watch: Watch[M]) -> AsyncGenerator[WatchPage, None]:
        """Yields the present state and then every change; the caller must aclose() it.

        With a cursor, the changes behind it. Raises before the first page CursorInvalid, EpochChanged
        or CursorExpired. A page without events says that all is well, where others may be long in coming.
        """
        self._check_available()
        if watch.cursor and self._database.is_shared and self._watches.is_ahead(watch.cursor):
            await self.catch_up()  # the cursor may be of another server, which came further
        async with aclosing(self._watches.follow(watch)) as pages:
            async for page in pages:
                yield page

    def drop_live(self, kind: Kind[M], key: str) -> None:
        """Forgets the live fields of an object that is gone."""
        self._live.drop(kind.name, key)

    def on_commit(self, follow: Follow, recall: Recall | None = None) -> Callable[[], None]:
        """Has `follow` called on the event loop with the changes of every commit that has any.

        It comes after the cache has the commit and before its callers are answered; it must be quick.
        Who holds something that changes make and the tables know has it rebuilt by `recall`, which is given
        the way to read them: at the start, and when changes were missed. All that are committed after what
        it reads follow, and perhaps some that it has read. Returns what ends both.
        """
        follower = (follow, recall)
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)

    async def recall(self) -> None:
        """Has the followers take up what is stored, in the order in which they came. To be called while
        nothing is published: before the loops run. Raises DatabaseUnavailable.
        """
        for _, recall in self._followers:
            if recall is not None:
                await recall(self._select)

    def on_news(self, listener: Callable[[str], None]) -> None:
        """Has `listener` called with every item that another server's mutation put into its `news`.

        They can be lost, and come before or after the changes of their commit are published.
        """
        self._news_listeners.append(listener)

    def _check_available(self) -> None:
        if self._is_closing:
            raise errors.Draining
        if not self._is_available:
            raise errors.DatabaseUnavailable

    def _settled(self, outcome: Outcome) -> None:
        """Publishes what the writer committed, or notes that it could not."""
        if outcome.failure is not None:
            self._suspect(outcome.failure)
        for commit in outcome.commits:
            if commit.changes:
                self._publish(commit)

    def _publish(self, commit: Commit) -> None:
        if commit.last <= self._revision:
            return  # the other of writer and follower was first
        if commit.first <= self._revision:
            rest = [change for change in commit.changes if change.revision > self._revision]
            commit = replace(commit, first=self._revision + 1, changes=rest)
        by_kind: dict[str, list[Change]] = {}
        for change in commit.changes:
            by_kind.setdefault(change.kind_name, []).append(change)
        stretches = [
            Stretch(kind, commit.first, commit.last, by_kind[kind.name])
            for kind in KINDS
            if kind.name in by_kind
        ]
        for stretch in stretches:
            self._cache.follow(stretch)
            self._ring.append(stretch)
        for change in commit.changes:
            if change.after is None:
                self._live.drop(change.kind_name, change.key)
        self._revision = commit.last
        self._writer.follow(commit.last)
        for follow, _ in self._followers:
            try:
                follow(commit.changes)
            except Exception:  # noqa: BLE001 - logged with its traceback
                # What one follower gets wrong must not keep the others, or the callers, from the commit.
                _log.exception("a follower of the log failed")
        self._watches.publish(commit.last, stretches)

    def _suspect(self, error: BaseException) -> None:
        if self._is_available:
            _log.error("the database is unavailable", exc_info=error)
        self._is_available = False
        if isinstance(error, OtherHistory):
            self._writer.give_up()
        self._suspected.set()

    async def _probe(self) -> None:
        """Looks at the database from outside now and then, and until it is back when it is away."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.probe_interval):
                    await self._suspected.wait()
            await self.check()
            if not self._is_available:
                await asyncio.sleep(self._limits.probe_interval / 4)

    async def check(self) -> bool:
        """Asks the database whether it is there, notes the answer and returns it."""
        was_available = self._is_available
        revision = self._revision  # as it was before the look: commits go on meanwhile
        try:
            state = await asyncio.to_thread(self._database.probe, can_write=not was_available)
            if self._writer.is_over or state.epoch != self._epoch or state.revision < revision:
                raise OtherHistory  # noqa: TRY301 - noted like any other failure
            if state.floor > self._revision:
                if was_available:  # first nobody is answered any more
                    raise Outage(FELL_BEHIND)  # noqa: TRY301 - the same
                await self._start_over(state)
        except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
            self._suspect(error)
            return False
        if not was_available:
            await self._database.close()  # the connections of readers may be to a file that is gone
            self._suspected.clear()
            self._is_available = True
            _log.warning("the database is back")
        return True

    async def _start_over(self, state: State) -> None:
        """Goes on at `state`, although the log no longer tells what was committed before it. What is held
        here is read anew or forgotten, and watches end with a gap. Raises DatabaseUnavailable and Outage.
        """
        position = self._revision
        _log.warning("%s at revision %d, from %d", FELL_BEHIND, state.revision, position)
        self._live.start_over()
        # Nothing can be published before the jump, for nothing that can be read continues what is known.
        try:
            await self.recall()
        except Exception:
            _log.exception("starting over failed and is tried again")
            raise
        if self._revision != position:  # but for what the writer had committed before: look again
            raise Outage(FELL_BEHIND)
        self._cache.start_over()
        self._ring.start_over(state.revision)
        self._revision = state.revision
        self._writer.follow(state.revision)
        self._watches.start_over(state.revision)

    async def catch_up(self) -> None:
        """Publishes what other servers have committed by now. Raises DatabaseUnavailable."""
        async with self._following:
            is_behind = True
            while is_behind:
                position = self._revision
                page = await log.read_page(self._select, None, position, self._limits.follow_length)
                try:
                    if self._writer.is_over:
                        raise OtherHistory
                    page.state.check_continues(State(self._epoch, position, 0))
                except Outage as error:
                    if self._revision != position and not isinstance(error, OtherHistory):
                        continue  # it started over meanwhile
                    self._suspect(error)
                    raise errors.DatabaseUnavailable from error
                is_behind = page.end > position
                if is_behind:
                    self._publish(Commit(position + 1, page.end, page.changes))

    async def _follow(self) -> None:
        """Takes over what other servers commit: when they say so, and now and then unasked."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.follow_interval):
                    await self._announced.wait()
            self._announced.clear()
            with suppress(errors.DatabaseUnavailable):  # told by the probe
                await self.catch_up()

    async def _listen(self) -> None:
        """Wakes the follower when another server commits."""
        while True:
            try:
                async with aclosing(self._database.announcements()) as announcements:
                    async for news in announcements:
                        self._announced.set()
                        for item in news:
                            for listener in self._news_listeners:
                                listener(item)
            except Exception as error:  # noqa: BLE001 - polling goes on; the probe tells of an outage
                _log.debug("the database tells no news: %s", error)
            await asyncio.sleep(self._limits.probe_interval)

    async def _bookmark(self) -> None:
        while True:
            await asyncio.sleep(self._limits.bookmark_interval / 2)
            self._watches.tick()

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(self._limits.maintenance_interval)
            try:
                await self.maintain()
            except (errors.ApiError, OSError) as error:
                _log.warning("maintenance of the store is put off: %s", error)

    async def _check_itself(self) -> None:
        while True:
            await asyncio.sleep(self._limits.selfcheck_interval)
            try:
                await self.selfcheck.run()
            except errors.ApiError as error:
                _log.warning("the self-check is put off: %s", error)

    async def maintain(self) -> None:
        """Forgets idempotency records and log that are past their time, and marks the database anew."""
        now_us = self._clock.now_us()
        await self._purge_records(now_us)
        await self._compact(now_us)
        await self._renew_mark()

    async def _purge_records(self, now_us: int) -> None:
        limits, backlog = self._limits, self.backlogs["idempotency"]
        age_us = int(limits.idempotency_age * 1e6)
        rows = limits.compaction_step
        while rows >= limits.compaction_step:
            rows, oldest_us = await self.write(
                lambda tx: records.purge(tx, now_us - age_us, limits.compaction_step)
            )
            backlog.note(rows, None if oldest_us is None else oldest_us + age_us)
        backlog.clear(now_us)

    async def _compact(self, now_us: int) -> None:
        limits, backlog = self._limits, self.backlogs["log"]
        age_us = int(limits.log_age * 1e6)
        floor = await log.find_floor(
            self._select, kept_since_us=now_us - age_us, kept_rows=limits.log_length
        )
        while self._watches.floor < floor:
            done = await self.write(lambda tx: log.compact(tx, floor, limits.compaction_step))
            self._watches.floor = done.floor
            backlog.note(done.rows, None if done.oldest_us is None else done.oldest_us + age_us)
        backlog.clear(now_us)

    async def _mark_the_end(self) -> None:
        """Marks the database anew: any copy that misses a change is told from what is left behind."""
        try:
            async with asyncio.timeout(_LAST_MARK_SECONDS):
                await self._renew_mark()
        except (errors.ApiError, OSError) as error:  # a TimeoutError is an OSError
            _log.warning("a backup of the last minute would not be known for one: %s", error)

    async def _renew_mark(self) -> None:
        revision = self._revision
        if revision == self._marked:  # a copy that misses nothing need not be told apart
            return
        mark = await asyncio.to_thread(self._database.announce_mark)

        def carry(transaction: Transaction) -> None:
            for statement in self._database.carry_mark(mark):
                transaction.execute(statement)

        await self.write(carry)
        await asyncio.to_thread(self._database.settle_mark, mark)
        self._marked = revision
