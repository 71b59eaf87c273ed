"""What makes a repeated mutation return the first one's answer."""

from __future__ import annotations

from dataclasses import dataclass


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
