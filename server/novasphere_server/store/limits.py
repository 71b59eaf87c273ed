"""Every number that bounds the store, in one place; all of them are settings."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the store holds, and for how long. Times are in seconds."""

    resource_bytes: int = 256 * KIB  # one stored message
    queue_length: int = 10_000  # mutations that wait for the writer
    batch_length: int = 256  # mutations that share a commit
    # A commit takes no further mutation from either on: what they put is held in memory, and PostgreSQL
    # hears nothing while they run, which it does not put up with for long.
    batch_rows: int = 2000
    batch_bytes: int = 4 * MIB
    log_age: float = 24 * HOUR
    log_length: int = 1_000_000  # rows of the log
    idempotency_age: float = 24 * HOUR
    ring_bytes: int = 16 * MIB  # recent changes kept in memory
    cache_bytes: int = 64 * MIB  # objects kept in memory, as they are sent
    cached_queries: int = 512  # lists whose keys are remembered
    page_length: int = 64  # rows of a page of a watch; every slow reader holds one
    # A mutation reaches a watcher in one message, and gRPC's clients take 4 MiB unless told otherwise.
    # So these two and one resource must stay below that.
    mutation_bytes: int = 1 * MIB  # a mutation of many objects leaves the rest to the next from here on
    page_bytes: int = 128 * KIB  # a page of a watch ends after the mutation that brings it there
    readers: int = 4  # connections for reads
    lock_timeout: float = 3.0  # how long a statement waits for somebody else's lock
    follow_interval: float = 1.0  # how often the log is looked at for what other servers wrote, unasked
    follow_length: int = 1000  # rows of the log that are taken over at once
    bookmark_interval: float = 15.0
    probe_interval: float = 2.0
    maintenance_interval: float = 60.0
    selfcheck_interval: float = 300.0
    compaction_step: int = 2000  # rows of the log, or idempotency records, forgotten in one transaction
