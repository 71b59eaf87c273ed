"""Many commands at once, all or none: one mutation, one revision, one message to each watcher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api
from novasphere.node.v1 import node_pb2

from novasphere_server import errors
from novasphere_server.core import commands, task_ids, tasks
from novasphere_server.core import task_states as states
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.principals import Principal
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.queries import Query
from novasphere_server.store.rendered import Rendered
from novasphere_server.store.store import Store
from novasphere_server.store.transactions import Transaction


class CommandBatches:
    """Creates, reads and cancels commands by the hundred."""

    def __init__(self, store: Store, settings: FleetSettings) -> None:
        self._store = store
        self._settings = settings

    async def create(
        self,
        principal: Principal,
        requests: Sequence[api.CreateCommandRequest],
        *,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.BatchCreateCommandsResponse:
        """Returns the new commands, PENDING, in the order of the requests. Raises NodeNotFound, and
        TooLarge for more than a watcher can be told of at once.
        """
        for index, request in enumerate(requests):
            _check_alone(request, f"requests[{index}]")
            commands.check(principal, request, self._settings, f"requests[{index}].")
        size = sum(request.ByteSize() for request in requests)
        ids = [task_ids.new() for _ in requests]

        def create(tx: Transaction) -> api.BatchCreateCommandsResponse:
            if size > tx.room:
                raise errors.TooLarge(
                    f"they take {size} bytes together, at most {tx.room} are accepted: "
                    "send them in several batches"
                ).at("requests")
            nodes: dict[str, node_pb2.Node] = {}
            for index, request in enumerate(requests):
                if request.node_id not in nodes:
                    nodes[request.node_id] = _node(tx, request.node_id, index)
            created = [
                commands.new(tx, command_id, nodes[request.node_id], request, principal, self._settings)
                for command_id, request in zip(ids, requests, strict=True)
            ]
            for stored in created:
                tasks.add(tx, stored)
            return api.BatchCreateCommandsResponse(
                commands=[commands.command_of(stored) for stored in created]
            )

        return await self._store.write(
            create,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.BatchCreateCommandsResponse,
            reads=[(NODES, request.node_id) for request in requests],
        )

    async def get(
        self, principal: Principal, command_ids: Sequence[str]
    ) -> list[Rendered[pb.CommandWithResult]]:
        """Returns commands with their results as they were at one moment. Raises CommandNotFound."""
        wanted = tuple(dict.fromkeys(task_ids.run_id(command_id) for command_id in command_ids))
        page = await self._store.list(Query(TASKS, filters=(("key", "in", wanted),), limit=len(wanted)))
        shown = [item.projected(commands.command_with_result) for item in page.items]
        found = {item.message().command.command_id: item for item in shown}
        for index, command_id in enumerate(command_ids):
            with _about(f"command_ids[{index}]"):
                item = found.get(task_ids.run_id(command_id))
                if item is None or not principal.may_touch(item.message().command.namespace):
                    raise commands.out_of_reach(principal, command_id)
        return [found[task_ids.run_id(command_id)] for command_id in command_ids]

    async def cancel(
        self,
        principal: Principal,
        command_ids: Sequence[str],
        *,
        grace_seconds: int | None = None,
        idempotency: Idempotency | None = None,
        is_dry_run: bool = False,
    ) -> api.BatchCancelCommandsResponse:
        """Returns the commands after the request, in the order of the ids; those that had ended are as
        they were. Raises CommandNotFound, and TooLarge for more than a watcher can be told of at once.
        """

        def cancel(tx: Transaction) -> api.BatchCancelCommandsResponse:
            response = api.BatchCancelCommandsResponse()
            for index, command_id in enumerate(command_ids):
                with _about(f"command_ids[{index}]"):
                    stored = commands.find(tx, principal, command_id)
                if not states.is_terminal(stored.task.state):
                    tasks.request_cancel(tx, stored, principal.name, grace_seconds, principal.number)
                if tx.room < 0:
                    raise errors.TooLarge(
                        f"only the first {index} of these commands are small enough to be cancelled "
                        "together: send them in several batches"
                    ).at("command_ids")
                response.commands.append(commands.command_of(stored))
            return response

        return await self._store.write(
            cancel,
            idempotency=idempotency,
            is_dry_run=is_dry_run,
            result_type=api.BatchCancelCommandsResponse,
            reads=[(TASKS, task_ids.run_id(command_id)) for command_id in command_ids],
        )


def _check_alone(request: api.CreateCommandRequest, where: str) -> None:
    """Refuses what stands for a call as a whole in one of its parts."""
    if request.request_id:
        raise errors.InvalidArgument(
            f"{where}.request_id", "must be empty: the batch has one request_id for all of it"
        )
    if request.validate_only:
        raise errors.InvalidArgument(
            f"{where}.validate_only", "must not be set: set it on the batch, for all of it"
        )


def _node(tx: Transaction, node_id: str, index: int) -> node_pb2.Node:
    node = tx.get(NODES, node_id)
    if node is None:
        raise errors.NodeNotFound(node_id).at(f"requests[{index}].node_id")
    return node


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Makes what is refused say which field of the request it is about."""
    try:
        yield
    except (errors.CommandNotFound, errors.PermissionDenied) as refusal:
        refusal.at(field)
        raise
