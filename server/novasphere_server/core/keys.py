"""API keys: made, listed, watched, changed and revoked. Their secrets leave this module once and are kept as hashes."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from novasphere.api.v1 import key_pb2, options_pb2

from novasphere_server.core import etags, instants, page_tokens, secrets
from novasphere_server.core.principals import Principal, unreachable
from novasphere_server.errors import ApiError, InvalidArgument, KeyNotFound, KeyRevoked, PermissionDenied
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import KEYS
from novasphere_server.store.queries import Page, Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction
from novasphere_server.store.watches import Watch, WatchPage

_table = tables.keys.c

NAME = "key:"  # before a key's id, the name of a principal that holds it
_SCAN = 200  # keys looked through at once for those within reach
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Rename:
    """What to call a key."""

    name: str


@dataclass(frozen=True)
class Reschedule:
    """When a key stops working. None: never."""

    expires_at_us: int | None


class Keys:
    """The API keys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self,
        creator: Principal,
        name: str,
        scopes: Sequence[options_pb2.Scope.ValueType],
        namespaces: Sequence[str],
        expires_at_us: int | None,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> tuple[key_pb2.Key, str]:
        """Returns the new key and its secret; the secret is empty unless a key was made just now."""
        granted = _granted(creator, scopes, namespaces)
        secret = secrets.new(secrets.API_KEY)

        def make(tx: Transaction) -> key_pb2.Key:
            # Not before: the same request again is answered even when the key has expired since.
            _check_future(tx, expires_at_us)
            key = key_pb2.Key(
                key_id=secrets.public_part(secret),
                name=name,
                scopes=granted,
                namespaces=sorted(set(namespaces)),
                created_by=creator.name,
            )
            key.created_at.FromMicroseconds(tx.now_us)
            if expires_at_us is not None:
                key.expires_at.FromMicroseconds(expires_at_us)
            tx.put(KEYS, key, secret_sha256=secrets.sha256(secret))
            return key

        key = await self._store.write(
            make, idempotency=idempotency, is_dry_run=is_dry_run, result_type=key_pb2.Key
        )
        is_replayed = idempotency is not None and idempotency.was_replayed
        return key, "" if is_dry_run or is_replayed else secret

    async def get(self, principal: Principal, key_id: str) -> Rendered[key_pb2.Key]:
        found = await self._store.get(KEYS, key_id)
        if found is None or (
            principal.namespaces and not _reaches(principal, found.message().namespaces)
        ):
            raise _out_of_reach(principal, key_id)
        return found

    async def list(
        self, principal: Principal, page_size: int, page_token: str
    ) -> tuple[Sequence[Rendered[key_pb2.Key]], str]:
        """Returns one page of what the principal reaches, newest first, and the token of the next one."""
        rows: list[Rendered[key_pb2.Key]] = []
        while True:
            query = Query(
                KEYS,
                filters=page_tokens.filters(KEYS, page_token),
                order_by=("-id",),
                # Namespaces are no column: of the keys of all, few may be within reach.
                limit=max(page_size, _SCAN) if principal.namespaces else page_size,
            )
            page = await self._store.list(query)
            rows += [row for row in page.items if _reaches(principal, row.message().namespaces)]
            if len(rows) > page_size:
                page = Page(rows[:page_size], len(rows))
                return page.items, await page_tokens.following(self._store, KEYS, page)
            page_token = await page_tokens.following(self._store, KEYS, page)
            if len(rows) == page_size or not page_token:
                return rows, page_token

    def watch(self, principal: Principal, key_id: str, cursor: str) -> AsyncGenerator[WatchPage, None]:
        """Returns the pages of a watch over the keys within reach. The caller must aclose() it."""
        return self._store.watch(
            Watch(
                kind=KEYS,
                cursor=cursor,
                identity=(key_id, principal.namespaces),
                matches=lambda key: _reaches(principal, key.namespaces),
                key=key_id,
            )
        )

    async def update(
        self,
        principal: Principal,
        key_id: str,
        changes: Sequence[Rename | Reschedule],
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> key_pb2.Key:
        """Returns the changed key. One that is as it shall be stays at its revision."""

        def update(tx: Transaction) -> key_pb2.Key:
            key = self._find(tx, principal, key_id)
            etags.check(etag, key.revision)
            before = key_pb2.Key.FromString(key.SerializeToString())
            for change in changes:
                if isinstance(change, Rename):
                    key.name = change.name
                else:
                    _reschedule(tx, principal, key, change.expires_at_us)
            if key == before:
                return key
            if key.HasField("revoked_at"):
                raise KeyRevoked(key_id)
            tx.put(KEYS, key)
            return key

        key = await self._store.write(
            update, idempotency=idempotency, is_dry_run=is_dry_run, result_type=key_pb2.Key
        )
        return self._store.with_live_fields(KEYS, key_id, key)

    async def revoke(
        self,
        principal: Principal,
        key_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> key_pb2.Key:
        """Returns the key, useless from now on. A revoked key stays as it is."""

        def revoke(tx: Transaction) -> key_pb2.Key:
            key = self._find(tx, principal, key_id)
            etags.check(etag, key.revision)
            if not key.HasField("revoked_at"):
                key.revoked_at.FromMicroseconds(tx.now_us)
                tx.put(KEYS, key)
            return key

        key = await self._store.write(
            revoke, idempotency=idempotency, is_dry_run=is_dry_run, result_type=key_pb2.Key
        )
        return self._store.with_live_fields(KEYS, key_id, key)

    @staticmethod
    def _find(tx: Transaction, principal: Principal, key_id: str) -> key_pb2.Key:
        key = tx.get(KEYS, key_id)
        if key is None or not _reaches(principal, key.namespaces):
            raise _out_of_reach(principal, key_id)
        return key


def _granted(
    creator: Principal, scopes: Sequence[options_pb2.Scope.ValueType], namespaces: Sequence[str]
) -> list[options_pb2.Scope.ValueType]:
    """Returns the scopes of a new key. Nobody can grant what they do not hold."""
    if options_pb2.SCOPE_UNSPECIFIED in scopes:
        raise InvalidArgument("scopes", "must name scopes such as read or write")
    granted = sorted(set(scopes)) or [options_pb2.SCOPE_READ]
    check_holds(creator, granted)
    for index, namespace in enumerate(namespaces):
        if not _NAMESPACE.fullmatch(namespace):
            raise InvalidArgument(
                f"namespaces[{index}]",
                "must consist of lower-case letters, digits and inner dashes, at most 63 characters",
            )
    if not _reaches(creator, namespaces):
        raise PermissionDenied(
            "a credential that is bound to namespaces can only make keys bound to some of them"
        )
    return granted


def scope_word(scope: options_pb2.Scope.ValueType) -> str:
    """Returns what a scope is called: read, write, ..."""
    return options_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower()


def scope_of(word: str) -> options_pb2.Scope.ValueType:
    """Returns the scope that is called so."""
    return options_pb2.Scope.Value(f"SCOPE_{word.upper()}")


def check_holds(granter: Principal, scopes: Sequence[options_pb2.Scope.ValueType]) -> None:
    """Raises PermissionDenied for a scope that the granter does not hold."""
    for scope in scopes:
        if not granter.has_scope(scope):
            word = scope_word(scope)
            raise PermissionDenied(
                f"a credential cannot grant the scope {word}, which it does not hold",
                metadata={"scope": word},
            )


def _check_future(tx: Transaction, expires_at_us: int | None) -> None:
    if expires_at_us is not None and expires_at_us <= tx.now_us:
        raise InvalidArgument("expires_at", "must lie in the future")


def _reschedule(
    tx: Transaction, principal: Principal, key: key_pb2.Key, expires_at_us: int | None
) -> None:
    present_us = instants.optional_microseconds(key, "expires_at")
    if expires_at_us == present_us:
        return
    _check_future(tx, expires_at_us)
    if present_us is not None and (expires_at_us is None or expires_at_us > present_us):
        check_holds(principal, key.scopes)  # more time is granted like a new key
    key.ClearField("expires_at")
    if expires_at_us is not None:
        key.expires_at.FromMicroseconds(expires_at_us)


def _reaches(principal: Principal, namespaces: Sequence[str]) -> bool:
    """Returns whether a key of these namespaces can do nothing beyond those of the principal."""
    bound = principal.namespaces
    return not bound or (bool(namespaces) and bound.issuperset(namespaces))


def _out_of_reach(principal: Principal, key_id: str) -> ApiError:
    return unreachable(principal, KeyNotFound(key_id), f"API key {key_id!r}")
