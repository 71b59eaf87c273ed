"""Join tokens: made, listed and revoked. What enrolling does to them is in core.credentials."""

from __future__ import annotations

from collections.abc import Sequence

from novasphere.api.v1 import key_pb2

from novasphere_server.core import etags, page_tokens, secrets
from novasphere_server.core.principals import Principal
from novasphere_server.errors import JoinTokenNotFound, PermissionDenied
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import JOIN_TOKENS
from novasphere_server.store.queries import Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction


class JoinTokens:
    """The stored join tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self,
        creator: Principal,
        ttl_seconds: int,
        is_reusable: bool,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> tuple[key_pb2.JoinToken, str]:
        """Returns the new token and its secret; the secret is empty unless it was made just now."""
        _check_unbound(creator)
        secret = secrets.new(secrets.JOIN_TOKEN)

        def make(tx: Transaction) -> key_pb2.JoinToken:
            token = key_pb2.JoinToken(
                token_id=secrets.public_part(secret), is_reusable=is_reusable, created_by=creator.name
            )
            token.created_at.FromMicroseconds(tx.now_us)
            token.expires_at.FromMicroseconds(tx.now_us + ttl_seconds * 1_000_000)
            tx.put(JOIN_TOKENS, token, secret_sha256=secrets.sha256(secret))
            return token

        token = await self._store.write(
            make, idempotency=idempotency, is_dry_run=is_dry_run, result_type=key_pb2.JoinToken
        )
        is_replayed = idempotency is not None and idempotency.was_replayed
        return token, "" if is_dry_run or is_replayed else secret

    async def get(self, principal: Principal, token_id: str) -> Rendered[key_pb2.JoinToken]:
        """Returns one token. Raises JoinTokenNotFound."""
        _check_unbound(principal)
        found = await self._store.get(JOIN_TOKENS, token_id)
        if found is None:
            raise JoinTokenNotFound(token_id)
        return found

    async def list(
        self, principal: Principal, page_size: int, page_token: str
    ) -> tuple[Sequence[Rendered[key_pb2.JoinToken]], str]:
        """Returns one page, newest first, and the token of the next one."""
        _check_unbound(principal)
        query = Query(
            JOIN_TOKENS,
            filters=page_tokens.filters(JOIN_TOKENS, page_token),
            order_by=("-id",),
            limit=page_size,
        )
        page = await self._store.list(query)
        return page.items, await page_tokens.following(self._store, JOIN_TOKENS, page)

    async def revoke(
        self,
        principal: Principal,
        token_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> key_pb2.JoinToken:
        """Returns the token, useless from now on. A revoked token stays as it is."""
        _check_unbound(principal)

        def revoke(tx: Transaction) -> key_pb2.JoinToken:
            token = tx.get(JOIN_TOKENS, token_id)
            if token is None:
                raise JoinTokenNotFound(token_id)
            etags.check(etag, token.revision)
            if not token.HasField("revoked_at"):
                token.revoked_at.FromMicroseconds(tx.now_us)
                tx.put(JOIN_TOKENS, token)
            return token

        return await self._store.write(
            revoke, idempotency=idempotency, is_dry_run=is_dry_run, result_type=key_pb2.JoinToken
        )


def _check_unbound(principal: Principal) -> None:
    # A node takes the commands of every namespace.
    if principal.namespaces:
        raise PermissionDenied(
            "a credential that is bound to namespaces has no say in which machines join"
        )
