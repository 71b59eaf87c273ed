"""API keys and join tokens over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

from novasphere.api.v1 import join_token_service_pb2, key_service_pb2

from novasphere_server import logs
from novasphere_server.core.join_tokens import JoinTokens
from novasphere_server.core.keys import Keys, Rename, Reschedule
from novasphere_server.errors import InvalidArgument
from novasphere_server.rpc import update_masks, watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many, One

log = logs.get(__name__)

_PAGE_SIZE = 50
_TTL_SECONDS = 3600


class KeyService:
    """Serves novasphere.api.v1.KeyService."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def CreateKey(
        self, request: key_service_pb2.CreateKeyRequest, context: CallContext
    ) -> key_service_pb2.CreateKeyResponse:
        key, secret = await self._keys.create(
            context.principal,
            request.name,
            request.scopes,
            request.namespaces,
            request.expires_at.ToMicroseconds() if request.HasField("expires_at") else None,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        response = key_service_pb2.CreateKeyResponse(
            key_id="" if context.is_dry_run else key.key_id,  # a dry run made nothing to name
            name=key.name,
            scopes=key.scopes,
            namespaces=key.namespaces,
            created_at=key.created_at,
        )
        if key.HasField("expires_at"):
            response.expires_at.CopyFrom(key.expires_at)
        if secret:
            response.secret = secret
            log.info("API key created", key_id=key.key_id, by=context.principal.name)
        return response

    async def ListKeys(
        self, request: key_service_pb2.ListKeysRequest, context: CallContext
    ) -> Many[key_service_pb2.ListKeysResponse]:
        size = request.page_size or _PAGE_SIZE
        rows, following = await self._keys.list(context.principal, size, request.page_token)
        return Many(key_service_pb2.ListKeysResponse(next_page_token=following), "keys", rows)

    async def GetKey(
        self, request: key_service_pb2.GetKeyRequest, context: CallContext
    ) -> One[key_service_pb2.GetKeyResponse]:
        key = await self._keys.get(context.principal, request.key_id)
        return One(key_service_pb2.GetKeyResponse(), "key", key)

    async def WatchKeys(
        self, request: key_service_pb2.WatchKeysRequest, context: CallContext
    ) -> AsyncIterator[Many[key_service_pb2.WatchKeysResponse]]:
        watch = self._keys.watch(context.principal, request.key_id, request.cursor)
        async with aclosing(watch) as pages:
            async for page in pages:
                yield watch_rows.response(
                    page, key_service_pb2.WatchKeysResponse, key_service_pb2.KeyEvent
                )

    async def UpdateKey(
        self, request: key_service_pb2.UpdateKeyRequest, context: CallContext
    ) -> key_service_pb2.UpdateKeyResponse:
        before = await self._keys.get(context.principal, request.key_id)
        key = await self._keys.update(
            context.principal,
            request.key_id,
            tuple(_changes(request)),
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect and before.message().revision != key.revision:
            log.info("API key updated", key_id=key.key_id, by=context.principal.name)
        context.headers["etag"] = str(key.revision)
        return key_service_pb2.UpdateKeyResponse(key=key)

    async def RevokeKey(
        self, request: key_service_pb2.RevokeKeyRequest, context: CallContext
    ) -> key_service_pb2.RevokeKeyResponse:
        before = await self._keys.get(context.principal, request.key_id)
        key = await self._keys.revoke(
            context.principal,
            request.key_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect and before.message().revision != key.revision:
            log.info("API key revoked", key_id=key.key_id, by=context.principal.name)
        context.headers["etag"] = str(key.revision)
        return key_service_pb2.RevokeKeyResponse(key=key)


def _changes(request: key_service_pb2.UpdateKeyRequest) -> Iterator[Rename | Reschedule]:
    named = update_masks.fields(request, ("name", "expires_at"))
    if "name" in named:
        if not request.name:
            raise InvalidArgument("name", "must be set")
        yield Rename(request.name)
    if "expires_at" in named:
        is_set = request.HasField("expires_at")
        yield Reschedule(request.expires_at.ToMicroseconds() if is_set else None)


class JoinTokenService:
    """Serves novasphere.api.v1.JoinTokenService."""

    def __init__(self, join_tokens: JoinTokens) -> None:
        self._join_tokens = join_tokens

    async def CreateJoinToken(
        self, request: join_token_service_pb2.CreateJoinTokenRequest, context: CallContext
    ) -> join_token_service_pb2.CreateJoinTokenResponse:
        token, secret = await self._join_tokens.create(
            context.principal,
            request.ttl_seconds if request.HasField("ttl_seconds") else _TTL_SECONDS,
            request.is_reusable,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.is_dry_run:  # which made nothing to name
            token.ClearField("token_id")
            token.ClearField("revision")
        response = join_token_service_pb2.CreateJoinTokenResponse(join_token=token)
        if secret:
            response.secret = secret
            log.info("join token created", token_id=token.token_id, by=context.principal.name)
        return response

    async def ListJoinTokens(
        self, request: join_token_service_pb2.ListJoinTokensRequest, context: CallContext
    ) -> Many[join_token_service_pb2.ListJoinTokensResponse]:
        size = request.page_size or _PAGE_SIZE
        rows, following = await self._join_tokens.list(context.principal, size, request.page_token)
        response = join_token_service_pb2.ListJoinTokensResponse(next_page_token=following)
        return Many(response, "join_tokens", rows)

    async def RevokeJoinToken(
        self, request: join_token_service_pb2.RevokeJoinTokenRequest, context: CallContext
    ) -> join_token_service_pb2.RevokeJoinTokenResponse:
        before = await self._join_tokens.get(context.principal, request.token_id)
        token = await self._join_tokens.revoke(
            context.principal,
            request.token_id,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect and before.message().revision != token.revision:
            log.info("join token revoked", token_id=token.token_id, by=context.principal.name)
        context.headers["etag"] = str(token.revision)
        return join_token_service_pb2.RevokeJoinTokenResponse(join_token=token)
