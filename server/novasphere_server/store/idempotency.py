"""What makes a repeated mutation return the first one's answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.database import Database
from novasphere_server.store.transactions import Transaction

Scope = tuple[str, str]  # principal and key


@dataclass(slots=True)
class Idempotency:
    """One client's claim that a request is the same as an earlier one.

    Scope is (principal, key); `fingerprint` digests method and canonical request. `was_replayed` is
    set by `Store.write` when the stored answer was returned and nothing was executed.
    """

    principal: str
    key: str
    fingerprint: bytes
    was_replayed: bool = False

    @property
    def scope(self) -> Scope:
        return self.principal, self.key


class Record(NamedTuple):
    """What was recorded under a claim: a row of the table."""

    principal: str
    key: str
    fingerprint: bytes
    message_type: str
    message: bytes
    at_us: int


_RECORD = tables.idempotency


def find(
    connection: sa.Connection, database: Database, claims: Iterable[Idempotency]
) -> dict[Scope, Record | None]:
    """Returns what is recorded under each of the claims, by its scope."""
    found: dict[Scope, Record | None] = {claim.scope: None for claim in claims}
    for row in database.select(connection, _RECORD, Record._fields, ("principal", "key"), found):
        record = Record(*row)
        found[record.principal, record.key] = record
    return found


def recall(record: Record | None, claim: Idempotency, since_us: int) -> Message | None:
    """Returns the answer that was recorded under the claim since then, None if there is none.

    Raises IdempotencyKeyReused when it was recorded for another request.
    """
    if record is None or record.at_us < since_us:
        return None
    if record.fingerprint != claim.fingerprint:
        raise errors.IdempotencyKeyReused
    descriptor = descriptor_pool.Default().FindMessageTypeByName(record.message_type)
    return message_factory.GetMessageClass(descriptor).FromString(record.message)


def is_recorded(transaction: Transaction, claim: Idempotency) -> bool:
    """Returns whether the claim's key was used, for the same request or another."""
    c = _RECORD.c
    record = sa.select(c.key).where(c.principal == claim.principal, c.key == claim.key)
    return transaction.execute(record).first() is not None


def record(transaction: Transaction, claim: Idempotency, answer: Message) -> Record:
    """Records the answer under the claim, in the transaction of its effect."""
    made = Record(
        *claim.scope,
        fingerprint=claim.fingerprint,
        message_type=answer.DESCRIPTOR.full_name,
        message=answer.SerializeToString(),
        at_us=transaction.now_us,
    )
    transaction.upsert(_RECORD, [made._asdict()])
    return made


def purge(transaction: Transaction, before_us: int, step: int) -> tuple[int, int | None]:
    """Forgets the oldest of what was recorded before then, about `step` records. Returns how many, and
    when the oldest was recorded.
    """
    at_us = _RECORD.c.at_us
    oldest_first = sa.select(at_us).where(at_us < before_us).order_by(at_us).limit(1)
    oldest = transaction.execute(oldest_first).scalar()
    if oldest is None:
        return 0, None
    last = transaction.execute(oldest_first.offset(step - 1)).scalar()
    is_due = at_us < before_us if last is None else at_us <= last
    return transaction.execute(sa.delete(_RECORD).where(is_due)).rowcount, oldest
