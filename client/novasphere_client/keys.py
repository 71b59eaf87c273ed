"""Credentials: API keys for programs, join tokens for machines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from novasphere.api.v1 import (
    join_token_service_pb2,
    join_token_service_pb2_grpc,
    key_pb2,
    key_service_pb2,
    key_service_pb2_grpc,
    options_pb2,
)

from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.nodes import timestamp
from novasphere_client.watches import Watch

KeyWatch = Watch[key_service_pb2.KeyEvent]

_PAGE = 500


class Keys:
    """API keys: credentials for programs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = key_service_pb2_grpc.KeyServiceStub(connection.channel)

    async def create(
        self,
        name: str,
        *,
        scopes: Sequence[options_pb2.Scope.ValueType] = (),
        namespaces: Sequence[str] = (),
        expires_at: datetime | None = None,
        request_id: str = "",
        validate_only: bool = False,
    ) -> key_service_pb2.CreateKeyResponse:
        """Makes a key. Its secret is in this answer and nowhere else."""
        request = key_service_pb2.CreateKeyRequest(
            name=name,
            scopes=scopes,
            namespaces=namespaces,
            request_id=request_id,
            validate_only=validate_only,
        )
        if expires_at is not None:
            request.expires_at.CopyFrom(timestamp(expires_at))
        return await self._connection.mutate(self._service.CreateKey, request)

    async def list(
        self, *, page_size: int | None = None, page_token: str = ""
    ) -> key_service_pb2.ListKeysResponse:
        """Returns one page of keys, newest first."""
        request = key_service_pb2.ListKeysRequest(page_size=page_size, page_token=page_token)
        return await self._connection.read(self._service.ListKeys, request)

    async def all(self) -> AsyncIterator[key_pb2.Key]:
        """Yields every key, newest first."""
        token = ""
        while True:
            page = await self.list(page_size=_PAGE, page_token=token)
            for key in page.keys:
                yield key
            token = page.next_page_token
            if not token:
                return

    async def get(self, key_id: str) -> key_pb2.Key:
        """Returns one key; never its secret."""
        request = key_service_pb2.GetKeyRequest(key_id=key_id)
        return (await self._connection.read(self._service.GetKey, request)).key

    async def update(
        self,
        key_id: str,
        *,
        name: str | None = None,
        expires_at: datetime | None = None,
        never_expires: bool = False,
        etag: str = "",
        request_id: str = "",
        validate_only: bool = False,
    ) -> key_pb2.Key:
        """Changes what a key is called and when it stops working; what is not given stays.

        Raises ValueError for an `expires_at` of a key that never expires.
        """
        if expires_at is not None and never_expires:
            raise ValueError("give expires_at or never_expires, not both")
        request = key_service_pb2.UpdateKeyRequest(
            key_id=key_id, name=name, etag=etag, request_id=request_id, validate_only=validate_only
        )
        if name is not None:
            request.update_mask.paths.append("name")
        if expires_at is not None or never_expires:
            request.update_mask.paths.append("expires_at")
        if expires_at is not None:
            request.expires_at.CopyFrom(timestamp(expires_at))
        return (await self._connection.mutate(self._service.UpdateKey, request)).key

    async def revoke(
        self, key_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> key_pb2.Key:
        """Makes a key useless at once."""
        request = key_service_pb2.RevokeKeyRequest(
            key_id=key_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        return (await self._connection.mutate(self._service.RevokeKey, request)).key

    def watch(
        self,
        *,
        cursor: str = "",
        key_id: str = "",
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> KeyWatch:
        """Watches keys; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchKeys(
                key_service_pb2.WatchKeysRequest(cursor=cursor, key_id=key_id), metadata=metadata
            ),
            lambda key: str(key.key_id),
            key_service_pb2.KeyEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )


class JoinTokens:
    """Join tokens: how a machine becomes a node."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = join_token_service_pb2_grpc.JoinTokenServiceStub(connection.channel)

    async def create(
        self,
        *,
        ttl_seconds: int | None = None,
        is_reusable: bool = False,
        request_id: str = "",
        validate_only: bool = False,
    ) -> join_token_service_pb2.CreateJoinTokenResponse:
        """Makes a join token. Its secret is in this answer and nowhere else."""
        request = join_token_service_pb2.CreateJoinTokenRequest(
            ttl_seconds=ttl_seconds,
            is_reusable=is_reusable,
            request_id=request_id,
            validate_only=validate_only,
        )
        return await self._connection.mutate(self._service.CreateJoinToken, request)

    async def list(
        self, *, page_size: int | None = None, page_token: str = ""
    ) -> join_token_service_pb2.ListJoinTokensResponse:
        """Returns one page of join tokens, newest first."""
        request = join_token_service_pb2.ListJoinTokensRequest(
            page_size=page_size, page_token=page_token
        )
        return await self._connection.read(self._service.ListJoinTokens, request)

    async def all(self) -> AsyncIterator[key_pb2.JoinToken]:
        """Yields every join token, newest first."""
        token = ""
        while True:
            page = await self.list(page_size=_PAGE, page_token=token)
            for join_token in page.join_tokens:
                yield join_token
            token = page.next_page_token
            if not token:
                return

    async def revoke(
        self, token_id: str, *, request_id: str = "", validate_only: bool = False
    ) -> key_pb2.JoinToken:
        """Makes a join token useless at once. Machines that joined with it stay."""
        request = join_token_service_pb2.RevokeJoinTokenRequest(
            token_id=token_id, request_id=request_id, validate_only=validate_only
        )
        return (await self._connection.mutate(self._service.RevokeJoinToken, request)).join_token
