"""Agents: nodes as the schedules face has them. How nodes join is in core.identities, whether they are there in
core.presence.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from novasphere.api.v1 import options_pb2
from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import agent_pb2 as pb
from novasphere.schedule.v1 import agent_service_pb2 as api

from novasphere_server import errors
from novasphere_server.core import etags, identities, instants, pages, presence, task_configs
from novasphere_server.core.nodes import Nodes
from novasphere_server.core.pages import Field, Filter
from novasphere_server.core.presence import Presence
from novasphere_server.core.principals import Principal
from novasphere_server.store import tables
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import DEFAULT_NAMESPACE, NODES, agent_status
from novasphere_server.store.queries import Page
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction

_nodes = tables.nodes.c

CHANGEABLE = ("name", "namespace_id", "endpoint", "labels")


class _Status(pages.Words):
    """The status, of which the table knows all but who is busy."""

    def __init__(self, presence: Presence) -> None:
        super().__init__(pb.AgentStatus)
        self._presence = presence

    def filter(self, column: str, name: str, values: Sequence[int]) -> Filter:
        wanted = self.chosen(name, values)
        stored: Filter = (column, "in", tuple(sorted(wanted - {pb.AGENT_STATUS_BUSY})))
        if (pb.AGENT_STATUS_BUSY in wanted) == (pb.AGENT_STATUS_ONLINE in wanted):
            return stored
        busy = self._presence.full(options_pb2.FACE_SCHEDULES)
        if pb.AGENT_STATUS_BUSY in wanted:
            return "", "any", (stored, ("key", "in", busy))
        return "", "all", (stored, ("key", "not in", busy))


class Agents:
    """All agents."""

    def __init__(self, store: Store, nodes: Nodes, presence: Presence) -> None:
        self._store = store
        self._nodes = nodes
        # What of a row can be asked about.
        self._fields = {
            "id": Field("uid", pages.Text(stored_id)),
            "namespace_id": Field("agent_namespace", pages.Text()),
            "name": Field("agent_name", pages.Text()),
            "endpoint": Field("agent_endpoint", pages.Text()),
            "status": Field("agent_status", _Status(presence)),
            "created_at": Field("registered_at_us", pages.Instant()),
            "updated_at": Field("updated_at_us", pages.Instant()),
            "node_id": Field("key", pages.Text()),
            "revision": Field("revision", pages.Integer()),
        }

    async def get(self, agent_id: str) -> Rendered[pb.Agent]:
        """Returns the agent of an id, or of a node's name. Raises NodeNotFound."""
        return (await self._node(agent_id)).projected(agent_of)

    async def list(self, request: api.ListAgentsRequest) -> Page[pb.Agent]:
        """Returns the agents of the page that a request asks for."""
        page = await self._store.list(pages.query(NODES, self._fields, request))
        return Page([item.projected(agent_of) for item in page.items], page.total)

    async def create(
        self,
        principal: Principal,
        request: api.CreateAgentRequest,
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> node_pb2.Node:
        """Returns the new node, which no agent has joined as. Raises NodeNameTaken."""
        _check_reach(principal)
        task_configs.check_labels(request.labels, "labels")
        uid = uuid.uuid4().hex

        def create(tx: Transaction) -> node_pb2.Node:
            if tx.get(NODES, request.name) is not None or _named(tx, request.name):
                raise _name_taken(request.name)
            node = identities.new_node(tx, request.name, uid)
            node.is_reserved = True
            node.updated_at.CopyFrom(node.registered_at)
            for name in ("namespace_id", "endpoint"):
                if getattr(request, name):
                    setattr(node, name, getattr(request, name))
            _give_labels(node, request.labels)
            presence.settle(node, node_pb2.CONNECTION_STATE_OFFLINE, presence.FACES)
            tx.put(NODES, node)
            return node

        return await self._store.write(
            create, idempotency=idempotency, is_dry_run=is_dry_run, result_type=node_pb2.Node
        )

    async def update(
        self,
        principal: Principal,
        request: api.UpdateAgentRequest,
        fields: Collection[str],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> node_pb2.Node:
        """Returns the node with those fields as the request has them. Raises NodeNotFound and NodeNameTaken."""
        _check_reach(principal)
        task_configs.check_labels(request.labels, "labels")
        if "name" in fields and not request.name:
            raise errors.InvalidArgument("name", "must be set")
        node_id = await self._node_id(request.agent_id)

        def update(tx: Transaction) -> node_pb2.Node:
            node = tx.get(NODES, node_id)
            if node is None:
                raise _not_found(request.agent_id)
            etags.check(request.etag, node.revision)
            before = node_pb2.Node.FromString(node.SerializeToString())
            if "name" in fields:
                _rename(tx, node, request.name)
            for name in ("namespace_id", "endpoint"):
                if name in fields:
                    node.ClearField(name)
                    if getattr(request, name):
                        setattr(node, name, getattr(request, name))
            if "labels" in fields:
                _give_labels(node, request.labels)
            if node != before:
                node.updated_at.CopyFrom(instants.timestamp(tx.now_us))
                tx.put(NODES, node)
            return node

        return await self._store.write(
            update, idempotency=idempotency, is_dry_run=is_dry_run, result_type=node_pb2.Node
        )

    async def delete(
        self,
        principal: Principal,
        agent_id: str,
        *,
        etag: str = "",
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> node_pb2.Node:
        """Forgets the node with everything that belongs to it, and returns what it was."""
        try:
            return await self._nodes.delete(
                principal,
                await self._node_id(agent_id),
                etag=etag,
                idempotency=idempotency,
                is_dry_run=is_dry_run,
            )
        except errors.NodeNotFound:
            raise _not_found(agent_id) from None

    async def _node(self, agent_id: str) -> Rendered[node_pb2.Node]:
        node = await self._store.get(NODES, await self._node_id(agent_id))
        if node is None:
            raise _not_found(agent_id)
        return node

    async def _node_id(self, agent_id: str) -> str:
        """Returns the name of the node that an id, or a name, stands for."""
        rows = await self._store.read(sa.select(_nodes.key).where(_nodes.uid == stored_id(agent_id)))
        return str(rows[0].key) if rows else agent_id


def agent_of(node: node_pb2.Node) -> pb.Agent:
    """Returns a node as the schedules face prints it."""
    return pb.Agent(
        id=_printed_id(node.uid),
        namespace_id=node.namespace_id or DEFAULT_NAMESPACE,
        name=node.display_name or node.node_id,
        endpoint=node.endpoint,
        status=_status(node),
        labels=node.labels,
        created_at=node.registered_at,
        updated_at=node.updated_at,
        node_id=node.node_id,
        revision=node.revision,
    )


def stored_id(agent_id: str) -> str:
    """Returns the uid that is printed as `agent_id`."""
    try:
        return uuid.UUID(agent_id).hex
    except ValueError:
        return agent_id


def _printed_id(uid: str) -> str:
    try:
        return str(uuid.UUID(hex=uid))
    except ValueError:
        return uid


def _status(node: node_pb2.Node) -> pb.AgentStatus.ValueType:
    stored = agent_status(node)
    is_full = node.HasField("free_slots") and node.free_slots == 0
    return pb.AGENT_STATUS_BUSY if is_full and stored == pb.AGENT_STATUS_ONLINE else stored


def _give_labels(node: node_pb2.Node, labels: Mapping[str, str]) -> None:
    node.has_given_labels = bool(labels)
    node.labels.clear()
    node.labels.update(labels)


def _rename(tx: Transaction, node: node_pb2.Node, name: str) -> None:
    if name == (node.display_name or node.node_id):
        return
    if _named(tx, name):
        raise _name_taken(name)
    node.ClearField("display_name")
    if name != node.node_id:
        node.display_name = name


def _named(tx: Transaction, name: str) -> bool:
    return bool(tx.find(NODES, _nodes.agent_name == name, limit=1))


def _check_reach(principal: Principal) -> None:
    if principal.namespaces:
        raise errors.PermissionDenied(
            "this credential is bound to namespaces; nodes belong to all of them"
        )


def _name_taken(name: str) -> errors.NodeNameTaken:
    return errors.NodeNameTaken(name, f"an agent named {name!r} exists already: choose another name")


def _not_found(agent_id: str) -> errors.NodeNotFound:
    return errors.NodeNotFound(agent_id, f"Agent {agent_id!r} does not exist")
