"""Who holds a credential: the admin token, an API key, a signed token, a join token, an agent's, a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from novasphere.api.v1 import key_pb2, options_pb2

from novasphere_server.clock import Clock
from novasphere_server.core import agent_tokens, instants, keys, refusals, secrets
from novasphere_server.core.agent_tokens import AgentTokens
from novasphere_server.core.jwts import Jwts
from novasphere_server.core.principals import ALL_SCOPES, Principal, PrincipalKind
from novasphere_server.core.refusals import Claim, Refused
from novasphere_server.core.tickets import Tickets, TicketUse
from novasphere_server.errors import Unauthenticated
from novasphere_server.store import tables
from novasphere_server.store.kinds import JOIN_TOKENS, KEYS, NODES
from novasphere_server.store.log import Change, Read
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

R = TypeVar("R")

ADMIN = Principal(PrincipalKind.ADMIN, "admin", ALL_SCOPES)

_ENROL = frozenset({options_pb2.SCOPE_ENROL})
_AGENT = frozenset({options_pb2.SCOPE_AGENT})
_JOIN_TOKEN_NAME = "join_token:"  # noqa: S105 - a word, not a secret
_LOCAL_JOIN = Principal(PrincipalKind.JOIN_TOKEN, f"{_JOIN_TOKEN_NAME}local", _ENROL)
_KEY_NAME = keys.NAME
_REMEMBERED = 10_000


class Credentials:
    """Proves who calls.

    API keys and signed tokens are remembered once proved, and forgotten when they expire, when the log
    says that the key changed, or when what signed the token is trusted no more. Join tokens and agent
    credentials open long streams, so they are looked up every time. What is compared is a
    hash of what was sent (the SHA-256 in the database, Python's keyed one in memory), which nobody can
    steer towards a stored one by measuring time.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        admin_token: str,
        join_token: str,
        jwts: Jwts | None = None,
        own_tokens: AgentTokens | None = None,
        tickets: Tickets | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._own = {admin_token: ADMIN, join_token: _LOCAL_JOIN}
        self._jwts = jwts
        self._agent_tokens = own_tokens or AgentTokens(store, clock)
        self._tickets = tickets or Tickets(store, clock)
        self._proved: dict[str, Principal] = {}  # by token
        # What is looked up every time and worked before.
        self._worked: dict[str, None] = {}
        self._ids: set[str] = set()  # of all keys and join tokens
        self._changes = 0
        # When each key was last used, in microseconds. What is stored is taken out.
        self._unstored_uses: dict[str, int] = {}
        # When each key ends, by the principal's name: what its open streams go by, which may have begun
        # before it changed. In microseconds; None: never.
        self._ends: dict[str, int | None] = {}
        store.on_commit(self._follow, self._recall)

    def known(self, token: str) -> Principal | None:
        """Returns who holds a token that was proved before, without asking the database."""
        own = self._own.get(token)
        if own is not None:
            return own
        proved = self._proved.get(token)
        if proved is None:
            return None
        now_us = self._clock.now_us()
        if proved.expires_at_us is not None and proved.expires_at_us <= now_us:
            del self._proved[token]
            return None
        if proved.kind is PrincipalKind.KEY:
            self._unstored_uses[proved.name.removeprefix(_KEY_NAME)] = now_us
        return proved

    def claim(self, token: str) -> Claim:
        """Returns what the token says of itself, without looking anything up."""
        was_proved = token in self._worked or self.known(token) is not None
        if not secrets.prefix_of(token):
            return Claim(was_proved=was_proved)
        public = secrets.public_part(token)
        return Claim(public, public in self._ids, was_proved)

    async def authenticate(self, token: str, ticket: TicketUse = TicketUse.NONE) -> Principal:
        """Returns who holds the token; `ticket` is what becomes of it if it is one. Raises Refused."""
        known = self.known(token)
        if known is not None:
            return known
        prefix = secrets.prefix_of(token)
        claimed = secrets.public_part(token) if prefix else ""
        match prefix:
            case secrets.API_KEY:
                return await self._prove_key(token, claimed)
            case secrets.JOIN_TOKEN:
                return await self._prove_join_token(token, claimed)
            case secrets.AGENT:
                return await self._prove_agent(token, claimed)
            case secrets.TICKET:
                return await self._prove_ticket(token, claimed, ticket)
        if AgentTokens.is_one(token):
            return await self._prove_agent_token(token)
        if self._jwts is not None and self._jwts.is_one(token):
            principal = self._jwts.verify(token)
            _remember(self._proved, token, principal)
            return principal
        raise Refused(refusals.UNKNOWN, "not the admin token, and of no known form")

    def follow_jwt_keys(self) -> bool:
        """Checks signed tokens by the keys that the operator's file holds now. Returns whether they are
        others than before. Raises JwksError, once for each version of a file that cannot be used.
        """
        if self._jwts is None or not self._jwts.reread():
            return False
        for token, proved in tuple(self._proved.items()):
            if not self.holds(proved):
                del self._proved[token]
        return True

    def holds(self, principal: Principal) -> bool:
        """Returns whether a stream that `principal` opened may go on.

        Agents are cut by the links themselves, which know when a node is deleted; a machine that
        joined stays when its join token is used up.
        """
        is_ours = principal.signed_with == agent_tokens.KEY_ID
        if (
            principal.kind is PrincipalKind.JWT
            and not is_ours
            and not (self._jwts is not None and self._jwts.trusts(principal.signed_with))
        ):
            return False
        ends_at_us = principal.expires_at_us
        if principal.kind is PrincipalKind.KEY or is_ours:
            ends_at_us = self._ends.get(principal.name, ends_at_us)
        return ends_at_us is None or self._clock.now_us() < ends_at_us

    @staticmethod
    def consume_join_token(
        tx: Transaction, principal: Principal, node_id: str, *, is_repeated: bool
    ) -> None:
        """Marks the join token of `principal` as used by a node that enrols in this transaction.

        A one-use token that was used is good for one thing: that the same node, which may never have
        received the answer, repeats its enrolment. Raises Unauthenticated.
        """
        if principal.kind is not PrincipalKind.JOIN_TOKEN or principal == _LOCAL_JOIN:
            return
        token = tx.get(JOIN_TOKENS, principal.name.removeprefix(_JOIN_TOKEN_NAME))
        if token is None or not _may_join(token, tx.now_us):
            raise Unauthenticated("the credential is not valid")
        if token.HasField("used_at") and not token.is_reusable and not is_repeated:
            raise Unauthenticated("the credential is not valid")
        token.used_at.FromMicroseconds(tx.now_us)
        token.used_by_node_id = node_id
        tx.put(JOIN_TOKENS, token)

    # -- the last use of keys: a live field, stored beside the log without a revision for each use

    async def store_uses(self) -> int:
        """Shows and stores which keys were used since the last time. Returns how many; those that cannot
        be stored stay for the next time.
        """
        used = self._unstored_uses.copy()
        if not used:
            return 0
        self._show_uses(used)

        def remember(tx: Transaction) -> None:
            columns = tables.keys.c
            for key_id, at_us in used.items():
                tx.execute(
                    sa.update(tables.keys).where(columns.key == key_id).values(last_used_at_us=at_us)
                )

        await self._store.write(remember)
        for key_id, at_us in used.items():
            if self._unstored_uses.get(key_id) == at_us:  # not used again meanwhile
                del self._unstored_uses[key_id]
        return len(used)

    def _show_uses(self, uses: Mapping[str, int]) -> None:
        for key_id, at_us in uses.items():
            self._store.set_live(KEYS, key_id, partial(_used, at_us))

    # -- within

    async def _prove_key(self, token: str, key_id: str) -> Principal:
        def refused(why: str) -> Refused:
            return Refused(PrincipalKind.KEY, why, claimed=key_id)

        changes_before = self._changes
        columns = tables.keys.c
        of_token = columns.secret_sha256 == secrets.sha256(token)
        rows = await self._store.read(sa.select(columns.id, columns.body).where(of_token))
        now_us = self._clock.now_us()
        if not rows:
            raise refused("no such key")
        key = KEYS.message.FromString(rows[0].body)
        if key.HasField("revoked_at"):
            raise refused("revoked")
        expires_at_us = instants.optional_microseconds(key, "expires_at")
        if expires_at_us is not None and expires_at_us <= now_us:
            raise refused("expired")
        principal = Principal(
            PrincipalKind.KEY,
            f"{_KEY_NAME}{key.key_id}",
            frozenset(key.scopes),
            frozenset(key.namespaces),
            expires_at_us=expires_at_us,
            number=rows[0].id,
        )
        self._unstored_uses[key.key_id] = now_us
        # A key that changed while it was read must not be remembered as it was.
        if changes_before == self._changes:
            _remember(self._proved, token, principal)
        return principal

    async def _prove_agent_token(self, token: str) -> Principal:
        changes_before = self._changes
        principal = await self._agent_tokens.verify(token)
        # One whose node was deleted while it was looked at must not be remembered.
        if changes_before == self._changes:
            _remember(self._proved, token, principal)
        return principal

    async def _prove_join_token(self, token: str, token_id: str) -> Principal:
        columns = tables.join_tokens.c
        of_token = columns.secret_sha256 == secrets.sha256(token)
        rows = await self._store.read(sa.select(columns.body).where(of_token))
        found = JOIN_TOKENS.message.FromString(rows[0].body) if rows else None
        if found is None or not _may_join(found, self._clock.now_us()):
            self._worked.pop(token, None)
            why = "no such token" if found is None else "revoked or expired"
            raise Refused(PrincipalKind.JOIN_TOKEN, why, claimed=token_id)
        _remember(self._worked, token, None)
        return Principal(PrincipalKind.JOIN_TOKEN, f"{_JOIN_TOKEN_NAME}{found.token_id}", _ENROL)

    async def _prove_agent(self, token: str, claimed: str) -> Principal:
        agents = tables.agents.c
        digest = secrets.sha256(token)
        rows = await self._store.read(
            sa.select(agents.node_uid).where(agents.credential_sha256 == digest)
        )
        if not rows:
            self._worked.pop(token, None)
            raise Refused(PrincipalKind.AGENT, "no such agent", claimed=claimed)
        _remember(self._worked, token, None)
        uid = str(rows[0].node_uid)
        return Principal(PrincipalKind.AGENT, f"agent:{uid}", _AGENT, node_uid=uid)

    async def _prove_ticket(self, token: str, claimed: str, use: TicketUse) -> Principal:
        maker = await self._tickets.holder(token, use)
        if not self.holds(maker):
            raise Refused(refusals.TICKET, "its maker's credential has ended", claimed=claimed)
        return maker

    async def _recall(self, read: Read) -> None:
        """Learns which keys and join tokens there are, when each key ends and when it was last used."""
        columns = tables.keys.c
        keys = await read(sa.select(columns.key, columns.body, columns.last_used_at_us), {})
        join_tokens = await read(sa.select(tables.join_tokens.c.key), {})
        self._changes += 1
        self._proved.clear()
        self._ends = dict.fromkeys(self._ends, 0)  # those that are gone
        self._ends |= {f"{_KEY_NAME}{row.key}": _ends_at_us(row.body) for row in keys}
        self._ids.update(row.key for row in (*keys, *join_tokens))
        stored = {row.key: row.last_used_at_us for row in keys if row.last_used_at_us is not None}
        self._show_uses(stored | self._unstored_uses)

    def _follow(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind_name in (KEYS.name, JOIN_TOKENS.name):
                self._ids.add(change.key)
            if change.kind_name == KEYS.name:
                self._end(f"{_KEY_NAME}{change.key}", _ends_at_us(change.after))
            elif change.kind_name == NODES.name and change.after is None and change.before is not None:
                uid = NODES.message.FromString(change.before).uid
                self._end(agent_tokens.principal_name(uid), 0)

    def _end(self, name: str, at_us: int | None) -> None:
        """Notes that what the principal of that name holds ends then, or at another time than before."""
        self._changes += 1
        for token, proved in tuple(self._proved.items()):
            if proved.name == name:
                del self._proved[token]
        self._ends[name] = at_us


def _remember(memory: dict[str, R], token: str, value: R) -> None:
    """Keeps what is known of a token, in place of the oldest if there is no room."""
    if len(memory) >= _REMEMBERED:
        del memory[next(iter(memory))]
    memory[token] = value


def _used(at_us: int) -> key_pb2.Key:
    """Returns what is laid over a stored key."""
    return key_pb2.Key(last_used_at=instants.timestamp(at_us))


def _ends_at_us(stored: bytes | None) -> int | None:
    """Returns when a key ends that is stored like this: at once if it is revoked or gone."""
    if stored is None:
        return 0
    key = key_pb2.Key.FromString(stored)
    return 0 if key.HasField("revoked_at") else instants.optional_microseconds(key, "expires_at")


def _may_join(token: key_pb2.JoinToken, now_us: int) -> bool:
    return not token.HasField("revoked_at") and now_us < token.expires_at.ToMicroseconds()
