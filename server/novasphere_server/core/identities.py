"""Who an agent is: enrolled once with a join token, recognised from then on by what it was given.

An agent holds a credential, which names its node, and a session token, which changes with every Hello.
The last two session tokens are good until the agent confirms that it stored the newer one; a copy of
its disk holds an older one sooner or later, and is refused.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2

from novasphere_server import errors
from novasphere_server.core import instants, profiles
from novasphere_server.core import secrets as credentials
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_agents = tables.agents
_c = _agents.c

_NO_SESSION = b""  # of an agent whose node was deleted
_ANY_SESSION = b"any"
_SESSIONS_OF = "sessions_epoch"  # in the table meta

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an agent is given in a Welcome."""

    session_token: str = field(repr=False)
    credential: str = field(default="", repr=False)  # only when it enrols


def new_session_token() -> str:
    return f"nss_{secrets.token_urlsafe(32)}"


def is_bound(principal: Principal, hello: link.Hello) -> bool:
    """Returns whether the caller is an agent that speaks for its node; False: it wants to enrol.

    Raises PermissionDenied when credential and Hello disagree.
    """
    if principal.kind is PrincipalKind.AGENT:
        if hello.node_uid != principal.node_uid:
            raise errors.PermissionDenied("the credential belongs to another node than hello.node_uid")
        return True
    if not (
        principal.has_scope(options_pb2.SCOPE_ENROL) or principal.has_scope(options_pb2.SCOPE_AGENT)
    ):
        raise errors.PermissionDenied("the credential does not let machines join")
    if principal.namespaces:
        raise errors.PermissionDenied(
            "a credential that is bound to namespaces cannot let machines join; nodes belong to all of them"
        )
    if hello.node_uid:
        raise errors.PermissionDenied(
            "hello.node_uid is set: an agent that has joined calls with its own credential"
        )
    return False


def check_name(node_id: str) -> None:
    if not _NAME.fullmatch(node_id):
        raise errors.InvalidArgument(
            "hello.node_id", "must be 1 to 253 letters, digits, dots, dashes and underscores"
        )


async def unconfirmed_uid(store: Store, principal: Principal, hello: link.Hello) -> str:
    """Returns the uid of a node that this very machine enrolled as without ever hearing so, or that is reserved
    for whoever joins first; or "".
    """
    node = await store.get(NODES, hello.node_id)
    if node is None:
        return ""
    known = node.message()
    if known.is_reserved:
        return known.uid
    _refuse_foreign(known)
    rows = await store.read(sa.select(_c.boot_id, _c.enrolled_by).where(_c.node_uid == known.uid))
    if rows and _is_same_enrolment(known, rows[0], principal, hello):
        return known.uid
    raise errors.NodeNameTaken(hello.node_id)


def enrol(
    tx: Transaction,
    principal: Principal,
    hello: link.Hello,
    uid: str,
    identity: Identity,
    server_id: str,
) -> tuple[node_pb2.Node, bool]:
    """Makes the machine a node. Returns that, not yet stored, and whether it repeats an enrolment.

    A machine that never confirmed its first Welcome may not have received it: it enrols again.
    Raises NodeNameTaken.
    """
    node = tx.get(NODES, hello.node_id)
    is_reserved = node is not None and node.uid == uid and node.is_reserved
    is_repeated = node is not None and not is_reserved
    row = tx.execute(sa.select(_c.boot_id, _c.enrolled_by).where(_c.node_uid == uid)).first()
    if node is None:
        if row is not None:  # deleted while it enrolled again; a uid never comes back
            raise errors.NodeDeleted(hello.node_id)
        node = new_node(tx, hello.node_id, uid)
    elif is_reserved:
        node.is_reserved = False
    elif node.uid != uid or row is None or not _is_same_enrolment(node, row, principal, hello):
        raise errors.NodeNameTaken(hello.node_id)
    store_identity(tx, uid, hello, identity, principal.name, server_id)
    return node, is_repeated


def new_node(tx: Transaction, node_id: str, uid: str) -> node_pb2.Node:
    """Returns a node that joins now, not yet stored."""
    return node_pb2.Node(
        id=tx.next_id("nodes"),
        node_id=node_id,
        uid=uid,
        registered_at=instants.timestamp(tx.now_us),
    )


def store_identity(
    tx: Transaction,
    uid: str,
    hello: link.Hello,
    identity: Identity,
    enrolled_by: str,
    server_id: str,
) -> None:
    """Remembers what a machine was given when it joined, in place of anything older."""
    tx.upsert(
        _agents,
        [
            {
                "node_uid": uid,
                "credential_sha256": credentials.sha256(identity.credential),
                "session_sha256": credentials.sha256(identity.session_token),
                "previous_session_sha256": None,
                "boot_id": hello.boot_id,
                "incarnation": _signed(hello.incarnation),
                "enrolled_by": enrolled_by,
                "server_id": server_id,
            }
        ],
    )


def move_session(tx: Transaction, uid: str, identity: Identity, server_id: str) -> None:
    """Makes a session, known by its token to the server alone, the node's only one."""
    tx.execute(
        sa.update(_agents)
        .where(_c.node_uid == uid)
        .values(session_sha256=credentials.sha256(identity.session_token), server_id=server_id)
    )


async def verify(store: Store, hello: link.Hello) -> None:
    """Raises NodeDeleted or DuplicateIdentity unless the Hello comes from the node's own agent."""
    rows = await store.read(sa.select(_agents).where(_c.node_uid == hello.node_uid))
    _accepted_session(rows[0] if rows else None, hello)


def resume(tx: Transaction, hello: link.Hello, identity: Identity, server_id: str) -> node_pb2.Node:
    """Recognises an agent, gives it a new session and returns its node.

    Raises NodeDeleted and DuplicateIdentity.
    """
    row = tx.execute(sa.select(_agents).where(_c.node_uid == hello.node_uid)).first()
    accepted = _accepted_session(row, hello)
    found = tx.find(NODES, tables.nodes.c.uid == hello.node_uid)
    if not found:
        raise errors.NodeDeleted(hello.node_id)
    _refuse_foreign(found[0])
    tx.execute(
        sa.update(_agents)
        .where(_c.node_uid == hello.node_uid)
        .values(
            session_sha256=credentials.sha256(identity.session_token),
            previous_session_sha256=accepted,
            boot_id=hello.boot_id,
            incarnation=_signed(hello.incarnation),
            server_id=server_id,
            enrolled_by=None,  # it has its first Welcome, else it could not call like this
        )
    )
    return found[0]


def confirm(tx: Transaction, uid: str, session_token: str) -> None:
    """Drops the older session token: the agent has stored this one."""
    tx.execute(
        sa.update(_agents)
        .where(_c.node_uid == uid, _c.session_sha256 == credentials.sha256(session_token))
        .values(previous_session_sha256=None, enrolled_by=None)
    )


async def follow_history(store: Store) -> None:
    """Lets every agent in once whatever its session, if the database was put back from a backup.

    The sessions in it are older than those that agents were given since.
    """

    def forget_sessions(tx: Transaction) -> None:
        meta = tables.meta.c
        known = tx.execute(sa.select(meta.value).where(meta.name == _SESSIONS_OF)).scalar()
        if known == store.epoch:
            return
        tx.execute(
            sa.update(_agents)
            .where(_c.session_sha256 != _NO_SESSION)
            .values(previous_session_sha256=_ANY_SESSION)
        )
        tx.upsert(tables.meta, [{"name": _SESSIONS_OF, "value": store.epoch}])

    await store.write(forget_sessions)


def retire(tx: Transaction, uid: str) -> None:
    """Ends the agent of a node that is being deleted.

    Its credential stays known, so that an agent that was away can be told that its node is gone.
    """
    tx.execute(
        sa.update(_agents)
        .where(_c.node_uid == uid)
        .values(session_sha256=_NO_SESSION, previous_session_sha256=None, enrolled_by=None)
    )


def describe(node: node_pb2.Node, hello: link.Hello, peer: str) -> None:
    """Writes on the node what its agent says of the machine."""
    profiles.apply(node, hello.profile, peer)
    node.capacity = min(hello.capacity, 2**31 - 1)
    node.boot_id = hello.boot_id


def _refuse_foreign(node: node_pb2.Node) -> None:
    """Raises NodeNameTaken for a node that no agent of ours may become."""
    if node.is_foreign:
        raise errors.NodeNameTaken(
            node.node_id,
            f"{node.node_id!r} is a foreign node, connected without an agent of ours: choose another "
            "--name, or delete that node first",
        )


def _is_same_enrolment(
    node: node_pb2.Node, row: sa.Row[Any], principal: Principal, hello: link.Hello
) -> bool:
    return (
        row.enrolled_by == principal.name
        and row.boot_id == hello.boot_id
        and node.hostname == hello.profile.hostname
    )


def _accepted_session(row: sa.Row[Any] | None, hello: link.Hello) -> bytes:
    if row is None or row.session_sha256 == _NO_SESSION:
        raise errors.NodeDeleted(hello.node_id)
    presented = credentials.sha256(hello.session_token)
    if row.previous_session_sha256 == _ANY_SESSION:
        return presented
    for known in (row.session_sha256, row.previous_session_sha256):
        if known and hmac.compare_digest(known, presented):
            return presented
    raise errors.DuplicateIdentity(hello.node_id)


def _signed(value: int) -> int:
    return min(value, 2**63 - 1)  # what the database holds
