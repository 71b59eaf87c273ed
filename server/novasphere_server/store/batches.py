"""A batch: many mutations in one database transaction, each undone by itself if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message

from novasphere_server.clock import Clock
from novasphere_server.store import failpoints, idempotency, log, tables
from novasphere_server.store.database import Database, State
from novasphere_server.store.idempotency import Idempotency, Record, Scope
from novasphere_server.store.kinds import Kind
from novasphere_server.store.limits import Limits
from novasphere_server.store.log import Change
from novasphere_server.store.puts import Put
from novasphere_server.store.transactions import (
    Id,
    PutOffFailed,
    Touched,
    Transaction,
    Waiting,
    read_bodies,
    together,
)


@dataclass(slots=True, eq=False)
class Job:
    """One mutation, who waits for it, and how it went."""

    mutation: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    claim: Idempotency | None = None
    is_dry_run: bool = False
    result_type: type[Message] | None = None
    reads: Sequence[tuple[Kind[Any], str]] = ()  # objects that it will look at, by key
    result: Any = None
    error: BaseException | None = None
    was_replayed: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """What became durable together: the changes of the revisions `first` to `last`."""

    first: int
    last: int
    changes: Sequence[Change]


_COLUMNS = tuple(column.name for column in tables.changes.columns)


class Batch:
    """An open database transaction that mutations share."""

    def __init__(
        self,
        connection: sa.Connection,
        database: Database,
        clock: Clock,
        limits: Limits,
        state: State,
        *,
        is_careful: bool,
    ) -> None:
        self._connection = connection
        self._is_careful = is_careful  # nothing is done together: what fails is known to be whose it is
        self._database = database
        self._clock = clock
        self._limits = limits
        self._first = state.revision + 1
        self._last = state.revision
        self._waiting = Waiting(connection, database)
        self._bodies: dict[Id, bytes | None] = {}
        self._records: dict[Scope, Record | None] = {}
        self._sequences: dict[str, int] = {}
        self._first_sequences: dict[str, int] = {}
        self._changes: list[Change] = []
        self._news: set[str] = set()
        self._rows: list[tuple[Any, ...]] = []
        self._row_bytes = 0

    def look_up(self, jobs: Sequence[Job]) -> None:
        """Reads together what the mutations will look at, as far as that is known. Raises PutOffFailed."""
        if self._is_careful:
            return
        keys: dict[Kind[Any], set[str]] = {}
        for kind, key in (object_ for job in jobs for object_ in job.reads):
            keys.setdefault(kind, set()).add(key)
        claims = [job.claim for job in jobs if job.claim is not None and not job.is_dry_run]
        with together(self._database):
            for kind, wanted in keys.items():
                self._bodies |= read_bodies(self._connection, self._database, kind, wanted)
            if claims:
                self._records |= idempotency.find(self._connection, self._database, claims)

    def run(self, job: Job) -> None:
        """Runs one mutation and notes how it went. Raises what says that the database is away."""
        transaction = Transaction(
            self._connection,
            self._database,
            self._limits,
            now_us=self._clock.now_us(),
            revision=self._last + 1,
            waiting=self._waiting,
            bodies=self._bodies,
            sequences=self._sequences,
            first_sequences=self._first_sequences,
        )
        try:
            if job.is_dry_run or self._is_careful:
                transaction.mark()  # what it does must be tried, too, or be tried alone
            record = self._call(transaction, job)
            if job.is_dry_run:
                transaction.mark()  # so that what would fail has failed
            else:
                transaction.finish()
        except BaseException as error:
            if self._database.is_outage(error) or isinstance(error, PutOffFailed):
                raise
            # A future refuses StopIteration: it would end the coroutine that waits.
            job.error = RuntimeError("StopIteration") if isinstance(error, StopIteration) else error
        if job.error is not None or job.is_dry_run:
            transaction.undo()
            return
        self._keep(transaction)
        if record is not None:
            self._records[record.principal, record.key] = record

    def _call(self, transaction: Transaction, job: Job) -> Record | None:
        """Notes the mutation's result, and returns what it was recorded as."""
        # A dry run must leave no trace, and say what the mutation would do now.
        claim = None if job.is_dry_run else job.claim
        if claim is not None:
            if claim.scope not in self._records:
                self._records |= idempotency.find(self._connection, self._database, [claim])
            since_us = transaction.now_us - int(self._limits.idempotency_age * 1e6)
            answer = idempotency.recall(self._records[claim.scope], claim, since_us)
            if answer is not None:
                _check_type(answer, job.result_type)
                job.result, job.was_replayed = answer, True
                return None
        job.result = result = job.mutation(transaction)
        if isinstance(result, CoroutineType):
            result.close()
            raise TypeError("a mutation is a synchronous function; this one is a coroutine function")
        if claim is None:
            return None
        _check_type(result, job.result_type)
        return idempotency.record(transaction, claim, result)

    def _keep(self, transaction: Transaction) -> None:
        """Takes over what a mutation did."""
        self._sequences.update(transaction.sequences)
        self._news |= transaction.news
        touched = [item for item in transaction.touched.items() if _is_changed(item[1])]
        if not touched:
            return
        self._last = transaction.revision
        for index, ((kind_name, key), object_) in enumerate(touched):
            self._bodies[kind_name, key] = object_.after
            before, after = object_.before, object_.after
            self._row_bytes += len(before or b"") + len(after or b"")
            self._changes.append(Change(self._last, index, kind_name, key, before, after))
            self._rows.append(
                (
                    self._last,
                    index,
                    kind_name,
                    key,
                    object_.namespace,
                    object_.type(),
                    before,
                    after,
                    transaction.now_us,
                )
            )

    @property
    def is_full(self) -> bool:
        """Whether it holds so much that it takes no further mutation."""
        rows = len(self._rows) + self._waiting.rows
        return (
            rows >= self._limits.batch_rows
            or self._row_bytes + self._waiting.bytes >= self._limits.batch_bytes
        )

    def finish(self) -> Commit:
        """Writes what the mutations have in common. The transaction is ready to be committed."""
        upsert = self._database.upsert_many
        rows = self._sequences.items()
        self._waiting.add(Put(tables.sequences, upsert, ("name", "value"), row) for row in rows)
        self._waiting.write()
        if self._rows:
            self._database.insert_many(self._connection, tables.changes, _COLUMNS, self._rows)
            self._database.advance(self._connection, self._last)
        if self._rows or self._news:
            self._database.announce(self._connection, sorted(self._news))
        return Commit(self._first, self._last, self._changes)


def _is_changed(object_: Touched) -> bool:
    # Created and deleted by the same mutation: nobody else ever saw it.
    return object_.before is not None or object_.after is not None


def _check_type(answer: Any, result_type: type[Message] | None) -> None:
    if not isinstance(answer, result_type or Message):
        raise TypeError(
            f"a recorded answer must be a {(result_type or Message).__name__}, not {type(answer)}"
        )


class TooFarBehind(Exception):
    """Others wrote more than is read while everybody waits: it is to be taken over before, in steps."""


def take_over(connection: sa.Connection, known: State, limits: Limits) -> Commit:
    """Returns the next of what others wrote since `known`. Keeps nobody from writing."""
    try:
        page = log.read_at_most(connection, known.revision, limits.follow_length)
        if page is None:
            page = log.read_mutation(connection, known.revision + 1)
    finally:
        connection.rollback()
    page.state.check_continues(known)
    return Commit(known.revision + 1, page.end, page.changes)


def _read_missed(connection: sa.Connection, known: State, state: State, limits: Limits) -> Commit:
    """Returns all that others wrote since `known`. Raises TooFarBehind."""
    if state.revision > known.revision + limits.follow_length:
        raise TooFarBehind
    page = log.read_at_most(connection, known.revision, limits.follow_length)
    if page is None or page.end < state.revision:
        raise TooFarBehind
    return Commit(known.revision + 1, page.end, page.changes)


def execute(
    connection: sa.Connection,
    database: Database,
    clock: Clock,
    limits: Limits,
    known: State,
    jobs: Sequence[Job],
) -> tuple[list[Commit], int]:
    """Runs jobs in one transaction and commits it.

    Returns what the caller has not seen yet: usually one commit; one more before it when others wrote
    since `known`, or when a commit of ours came through although the database reported a failure. Returns
    also how many jobs were run: those behind them did not fit. Raises TooFarBehind.
    """
    try:
        done = _attempt(connection, database, clock, limits, known, jobs, is_careful=False)
    except PutOffFailed:
        for job in jobs:
            job.result, job.error, job.was_replayed = None, None, False
        done = _attempt(connection, database, clock, limits, known, jobs, is_careful=True)
    failpoints.hit(failpoints.AFTER_COMMIT)
    return done


def _attempt(
    connection: sa.Connection,
    database: Database,
    clock: Clock,
    limits: Limits,
    known: State,
    jobs: Sequence[Job],
    *,
    is_careful: bool,
) -> tuple[list[Commit], int]:
    commits = []
    count = 0
    try:
        state = database.begin(connection)
        state.check_continues(known)
        if state.revision > known.revision:
            commits.append(_read_missed(connection, known, state, limits))
        if state.now_us is not None:
            clock.follow(state.now_us)
        batch = Batch(connection, database, clock, limits, state, is_careful=is_careful)
        batch.look_up(jobs)
        for job in jobs:
            batch.run(job)
            count += 1
            if batch.is_full:
                break
        commits.append(batch.finish())
        failpoints.hit(failpoints.BEFORE_COMMIT)
        connection.commit()
    except BaseException:
        with suppress(sa.exc.DBAPIError):  # on a connection that is lost nothing is left to undo
            connection.rollback()
        raise
    return commits, count
