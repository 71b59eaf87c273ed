"""Foreign nodes: machines that speak another protocol, through a bridge that holds their link.

They are told apart by their names alone. Whoever may speak for a node and comes last is the node; what an
older connection was sent is never sent again, and its result counts wherever it arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2

from novasphere_server import errors
from novasphere_server.core import attempts, identities, output_chunks, reports
from novasphere_server.core import task_states as states
from novasphere_server.core.attempts import Attempt, Key, Reconciliation, Recorded
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.identities import Identity
from novasphere_server.core.principals import Principal, PrincipalKind
from novasphere_server.store import tables
from novasphere_server.store.kinds import NODES
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_agents = tables.agents.c

M = TypeVar("M", link.OutputChunk, link.AttemptReport)


async def known_uid(store: Store, principal: Principal, hello: link.Hello) -> str:
    """Returns the uid of the node that a Hello speaks for, or "" for one that it makes.

    Raises NodeNotFound for a node that is back and never registered, and what admit() raises.
    """
    found = await store.get(NODES, hello.node_id)
    node = None if found is None else found.message()
    rows: Sequence[sa.Row[Any]] = ()
    if node is not None:
        rows = await store.read(sa.select(_agents.enrolled_by).where(_agents.node_uid == node.uid))
    _judge(principal, hello, node, rows[0] if rows else None)
    return "" if node is None else node.uid


def admit(
    tx: Transaction,
    principal: Principal,
    hello: link.Hello,
    uid: str,
    identity: Identity,
    server_id: str,
) -> tuple[node_pb2.Node, bool]:
    """Returns the node that a Hello speaks for, not yet stored, and whether the Hello makes it.

    Raises PermissionDenied and NodeNameTaken.
    """
    node = tx.get(NODES, hello.node_id)
    row = tx.execute(sa.select(_agents.enrolled_by).where(_agents.node_uid == uid)).first()
    _judge(principal, hello, node, row)
    is_created = node is None or node.is_reserved
    if node is not None and node.is_reserved and node.uid == uid:
        node.is_reserved, node.is_foreign = False, True
    elif node is None:
        if row is not None:  # deleted while it registered again; a uid never comes back
            raise errors.NodeDeleted(hello.node_id)
        node = identities.new_node(tx, hello.node_id, uid)
        node.is_foreign = True
    elif node.uid != uid:  # made meanwhile, or anew
        raise errors.NodeNameTaken(hello.node_id)
    if identity.credential:
        enrolled_by = row.enrolled_by if row is not None else principal.name
        identities.store_identity(tx, uid, hello, identity, enrolled_by, server_id)
    else:
        identities.move_session(tx, uid, identity, server_id)
    return node, is_created


def wants_credential(principal: Principal, hello: link.Hello) -> bool:
    """Returns whether the caller registers with something else than the node's own credential."""
    return hello.foreign.is_registration and principal.kind is not PrincipalKind.AGENT


def take_stock(tx: Transaction, node_uid: str) -> Reconciliation:
    """Returns what a node was sent and has not ended: for all that is known, it still runs there."""
    result = Reconciliation()
    tasks = tables.tasks.c
    rows = tx.execute(
        sa.select(tasks.key, tasks.attempt, tasks.fencing_token).where(
            tasks.node_uid == node_uid, tasks.state.in_(states.ON_NODE)
        )
    )
    for row in rows:
        tail = output_chunks.tail(tx, row.key, row.attempt)
        result.attempts[row.key, row.attempt] = Attempt(row.fencing_token, tail)
    return result


def record(
    tx: Transaction,
    node_uid: str,
    known: Mapping[Key, Attempt],
    output: Sequence[link.OutputChunk],
    told: Sequence[link.AttemptReport],
    settings: FleetSettings,
) -> Recorded:
    """Stores what a foreign node says of its commands, as attempts.record() does for agents.

    Where it names no attempt, it means the last that it was sent; none follows that one then, whose end the same
    result would be if it is told again. A result counts once: output that comes with another one is left out.
    """
    rows = attempts.sent(tx, sorted({chunk.run_id for chunk in output} | {r.run_id for r in told}))
    found = {key: task_pb2.StoredTask.FromString(row.body) for key, row in rows.items()}
    own = {key: stored for key, stored in found.items() if stored.instance.node_uid == node_uid}

    def meant(message: M) -> M:
        stored = own.get(message.run_id)
        if stored is None or message.attempt:
            return message
        identified = type(message)()
        identified.CopyFrom(message)
        identified.attempt = stored.instance.attempt
        identified.fencing_token = rows[message.run_id].fencing_token
        return identified

    def is_reported(chunk: link.OutputChunk) -> bool:
        stored = own.get(chunk.run_id)
        if stored is None or chunk.attempt not in (0, stored.instance.attempt):
            stored = reports.past(tx, node_uid, chunk.run_id, chunk.attempt)
        return stored is not None and reports.is_reported(stored)

    recorded = attempts.record(
        tx,
        node_uid,
        known,
        [meant(chunk) for chunk in output if not is_reported(chunk)],
        [meant(report) for report in told],
        settings,
        unnamed={report.run_id for report in told if not report.attempt},
    )
    for ack in recorded.report_acks:
        # A result that is told again, after another attempt followed, is not one that was never asked for.
        if ack.is_stale and reports.past(tx, node_uid, ack.run_id, ack.attempt) is not None:
            ack.is_stale = False
    return recorded


def _judge(
    principal: Principal,
    hello: link.Hello,
    node: node_pb2.Node | None,
    row: sa.Row[Any] | None,
) -> None:
    """Raises unless the caller may speak for the node, or may make it."""
    node_id = hello.node_id
    if principal.namespaces:
        raise errors.PermissionDenied(
            "a credential that is bound to namespaces cannot speak for a node; nodes belong to all of them"
        )
    if principal.kind is PrincipalKind.AGENT and (node is None or node.uid != principal.node_uid):
        raise errors.PermissionDenied(f"the credential belongs to another node than {node_id!r}")
    if node is None or node.is_reserved:
        if not hello.foreign.is_registration:
            raise errors.NodeNotFound(node_id)
        return
    if not node.is_foreign:
        raise errors.NodeNameTaken(
            node_id,
            f"node {node_id!r} has an agent of its own, which no other connection may replace: "
            "choose another node_id, or delete that node first",
        )
    is_trusted = principal.kind is PrincipalKind.AGENT or principal.has_scope(options_pb2.SCOPE_AGENT)
    if not is_trusted and (row is None or row.enrolled_by != principal.name):
        raise errors.NodeNameTaken(
            node_id,
            f"node {node_id!r} registered with another token: use that one, the token that it was answered "
            "with, or one with the scope agent; or choose another node_id",
        )
