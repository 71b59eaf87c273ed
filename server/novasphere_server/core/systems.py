"""The system as a whole: how much there is of everything, and whether its database answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import agent_pb2, task_pb2

from novasphere_server.core.principals import Principal
from novasphere_server.errors import DatabaseUnavailable
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.queries import Query
from novasphere_server.store.store import Store

# Only the totals are used, and the store remembers them until a node or a task changes.
_ALL_NODES = Query(NODES, limit=0)
_ONLINE_NODES = Query(NODES, filters=(("status", "=", node_pb2.NODE_STATUS_ONLINE),), limit=0)
_OFFLINE_AGENTS = Query(NODES, filters=(("agent_status", "=", agent_pb2.AGENT_STATUS_OFFLINE),), limit=0)
# Not yet known to run, as the nodes face has it.
_PENDING = ("state", "in", (task_pb2.WORK_STATE_PENDING, task_pb2.WORK_STATE_DISPATCHED))


@dataclass(frozen=True, slots=True)
class Totals:
    """How many nodes there are, and how many commands that the caller may see."""

    nodes: int
    online_nodes: int
    commands: int
    pending_commands: int


class System:
    """Everything that a server has, taken together."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, principal: Principal) -> Totals:
        """Returns how much there is, as far as the principal may see it."""

        async def total(query: Query[Any]) -> int:
            return (await self._store.list(query)).total

        return Totals(
            nodes=await total(_ALL_NODES),
            online_nodes=await total(_ONLINE_NODES),
            commands=await total(_commands(principal)),
            pending_commands=await total(_commands(principal, _PENDING)),
        )

    async def count_agents(self) -> tuple[int, int]:
        """Returns how many agents there are in all, and offline, as the schedules face has them."""
        everything, offline = [await self._store.list(query) for query in (_ALL_NODES, _OFFLINE_AGENTS)]
        return everything.total, offline.total

    @property
    def pool_size(self) -> int:
        """How many connections to the database are kept for readers."""
        return self._store.pool_size

    def check_database(self) -> None:
        """Raises DatabaseUnavailable if the database did not answer when it was last asked."""
        if not self._store.is_available:
            raise DatabaseUnavailable


def _commands(principal: Principal, *filters: tuple[str, str, Any]) -> Query[Any]:
    """Returns the query for the commands that the principal may see."""
    if principal.namespaces:
        filters += (("namespace", "in", tuple(sorted(principal.namespaces))),)
    return Query(TASKS, filters=filters, limit=0)
