"""Signed tokens (JWT) that this server itself gives out, in the name of an agent.

They are signed with a key of their own, made when the first one is asked for and kept in the database, as what must
sign cannot be kept as a hash: who can read the database can sign. No token is stored. It ends at its time,
or with its node.

The library that signs is imported once there is a key: it takes memory that most servers need not give.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from google.protobuf.wrappers_pb2 import StringValue
from novasphere.api.v1 import options_pb2

from novasphere_server.clock import Clock
from novasphere_server.core import keys
from novasphere_server.core.agents import Agents, stored_id
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.core.refusals import Refused
from novasphere_server.errors import InvalidArgument
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

KEY_ID = "novasphere"  # of the signing key, in the header of each token
_ISSUER = "novasphere"
_ALGORITHM = "HS256"
_META = "agent_token_key"  # in the table meta
_KEY_BYTES = 32
_LONGEST = 8192  # characters
_TTL = 24 * 3600  # seconds
_SECOND = 1_000_000

_meta = tables.meta.c


@dataclass(frozen=True, slots=True)
class AgentToken:
    """A token that was just made."""

    token: str = field(repr=False)
    token_id: str
    agent_id: str
    issued_at: int  # seconds since the Unix epoch
    expires_at: int


class AgentTokens:
    """The tokens that this server, and those that share its database, sign."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key = b""

    async def issue(
        self,
        granter: Principal,
        agents: Agents,
        agent_id: str,
        scopes: Sequence[options_pb2.Scope.ValueType],
        ttl_seconds: int | None,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> AgentToken:
        """Returns a token for the agent, empty when it was only checked. Raises NodeNotFound, and PermissionDenied
        for a scope that the granter does not hold.
        """
        granted = sorted(set(scopes)) or [options_pb2.SCOPE_READ]
        for scope in granted:
            if scope in (options_pb2.SCOPE_UNSPECIFIED, options_pb2.SCOPE_ENROL):
                raise InvalidArgument("permissions", "must be one of read, write, admin, agent")
        keys.check_holds(granter, granted)
        agent = (await agents.get(agent_id)).message()
        import jwt

        issued_at = self._clock.now_us() // _SECOND
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "sub": agent.id,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + (_TTL if ttl_seconds is None else ttl_seconds),
            "jti": secrets.token_hex(8),
            "permissions": [keys.scope_word(scope) for scope in granted],
        }
        if granter.namespaces:
            claims["namespaces"] = sorted(granter.namespaces)
        if idempotency is not None:
            # What is kept is what the token says: signed again, it is the same token, and a thief gets none.
            kept = await self._store.write(
                lambda _: StringValue(value=json.dumps(claims)),
                idempotency=idempotency,
                is_dry_run=is_dry_run,
                result_type=StringValue,
            )
            claims = json.loads(kept.value)
        signed = ""
        if not is_dry_run:
            signing_key = await self._signing_key()
            signed = jwt.encode(claims, signing_key, _ALGORITHM, headers={"kid": KEY_ID})
        return AgentToken(signed, claims["jti"], claims["sub"], claims["iat"], claims["exp"])

    @staticmethod
    def is_one(token: str) -> bool:
        """Returns whether a signed token says that it is of this kind."""
        if len(token) > _LONGEST:
            return False
        head = token.partition(".")[0]
        try:
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except (ValueError, RecursionError):
            return False
        return isinstance(header, dict) and header.get("kid") == KEY_ID

    async def verify(self, token: str) -> Principal:
        """Returns who holds the token. Raises Refused."""
        key = await self._stored_key()
        if not key:
            raise _refused("this server has signed no tokens")
        import jwt

        try:
            # The clock that counts is the server's own.
            claims = jwt.decode(
                token,
                key,
                [_ALGORITHM],
                issuer=_ISSUER,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError as error:
            raise _refused(f"not one of ours ({type(error).__name__})") from None
        uid = stored_id(claims["sub"])
        name = principal_name(uid)
        expires_at_us = claims["exp"] * _SECOND
        if self._clock.now_us() >= expires_at_us:
            raise _refused("expired", name)
        rows = await self._store.read(sa.select(tables.nodes.c.id).where(tables.nodes.c.uid == uid))
        if not rows:
            raise _refused("its agent was deleted", name)
        return Principal(
            PrincipalKind.JWT,
            name,
            frozenset(keys.scope_of(word) for word in claims["permissions"]),
            frozenset(claims.get("namespaces", ())),
            expires_at_us=expires_at_us,
            signed_with=KEY_ID,
        )

    async def _signing_key(self) -> bytes:
        """Returns the key; the first call on a database makes it."""

        def make(tx: Transaction) -> None:
            known = tx.execute(sa.select(_meta.value).where(_meta.name == _META)).scalar()
            if known is None:
                value = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
                tx.upsert(tables.meta, [{"name": _META, "value": value}])

        if not await self._stored_key():
            await self._store.write(make)
        return await self._stored_key()

    async def _stored_key(self) -> bytes:
        """Returns the key; empty before there is one."""
        if not self._key:
            rows = await self._store.read(sa.select(_meta.value).where(_meta.name == _META))
            self._key = base64.b64decode(rows[0].value) if rows else b""
        return self._key


def principal_name(uid: str) -> str:
    """Returns what the holder of a node's token is called."""
    return f"{PrincipalKind.JWT}:{_ISSUER}:{uid}"


def _refused(why: str, claimed: str = "") -> Refused:
    return Refused(PrincipalKind.JWT, why, claimed=claimed)
