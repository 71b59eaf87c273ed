"""What the server tells of itself."""

from __future__ import annotations

import grpc.aio
from novasphere.api.v1 import key_service_pb2, key_service_pb2_grpc
from novasphere.node.v1 import command_pb2, system_service_pb2, system_service_pb2_grpc
from novasphere_server.store.kinds import COMMANDS
from novasphere_server.store.transactions import Transaction
from novasphere_server.testing import RunningServer


async def test_a_key_counts_the_commands_of_its_namespaces_alone(
    server: RunningServer, channel: grpc.aio.Channel
):
    def fill(tx: Transaction) -> None:
        for namespace, status in (
            ("a", command_pb2.COMMAND_STATUS_PENDING),
            ("a", command_pb2.COMMAND_STATUS_SUCCESS),
            ("b", command_pb2.COMMAND_STATUS_PENDING),
            ("c", command_pb2.COMMAND_STATUS_PENDING),
        ):
            number = tx.next_id("command")
            command = command_pb2.Command(
                id=number, command_id=f"cmd-{number}", namespace=namespace, status=status
            )
            tx.put(COMMANDS, command_pb2.CommandWithResult(command=command))

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
