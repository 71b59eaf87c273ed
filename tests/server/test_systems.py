"""What the server tells of itself."""

from __future__ import annotations

import grpc.aio
from novasphere.api.v1 import key_service_pb2, key_service_pb2_grpc
from novasphere.node.v1 import system_service_pb2, system_service_pb2_grpc
from novasphere.schedule.v1 import task_pb2
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.transactions import Transaction
from novasphere_server.testing import RunningServer


async def test_a_key_counts_the_commands_of_its_namespaces_alone(
    server: RunningServer, channel: grpc.aio.Channel
):
    def fill(tx: Transaction) -> None:
        for namespace, state in (
            ("a", task_pb2.WORK_STATE_PENDING),
            ("a", task_pb2.WORK_STATE_SUCCEEDED),
            ("b", task_pb2.WORK_STATE_DISPATCHED),
            ("c", task_pb2.WORK_STATE_PENDING),
        ):
            number = tx.next_id("tasks")
            task = task_pb2.Task(number=number, id=f"{number}", namespace_id=namespace, state=state)
            tx.put(TASKS, task_pb2.StoredTask(task=task))

    await server.store.write(fill)
    keys = key_service_pb2_grpc.KeyServiceStub(channel)
    system = system_service_pb2_grpc.SystemServiceStub(channel)

    async def counts(*namespaces: str) -> tuple[int, int]:
        wanted = key_service_pb2.CreateKeyRequest(name="reader", namespaces=namespaces)
        key = await keys.CreateKey(wanted, metadata=server.authorization())
        stats = await system.GetSystemStats(
            system_service_pb2.GetSystemStatsRequest(), metadata=server.authorization(key.secret)
        )
        return stats.total_commands, stats.pending_commands

    assert await counts() == (4, 3)
    assert await counts("a") == (2, 1)
    assert await counts("c", "b") == (2, 2)
    assert await counts("empty") == (0, 0)
