"""The same over a real channel, with the generated stubs that any client has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from novasphere.api.v1 import key_service_pb2 as key_api
from novasphere.api.v1 import key_service_pb2_grpc as key_grpc
from novasphere.api.v1 import options_pb2, watch_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as command_api
from novasphere.node.v1 import command_service_pb2_grpc as command_grpc
from novasphere.node.v1 import metric_service_pb2 as metric_api
from novasphere.node.v1 import metric_service_pb2_grpc as metric_grpc
from novasphere.node.v1 import node_pb2
from novasphere.node.v1 import node_service_pb2 as node_api
from novasphere.node.v1 import node_service_pb2_grpc as node_grpc
from novasphere_client import Client
from novasphere_server.core.task_configs import TEXT_LIMIT
from novasphere_server.testing import RunningServer, running_server


@pytest.fixture
async def server(tmp_path) -> AsyncIterator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


class Link:
    """An agent's end of the stream."""

    def __init__(self, channel: grpc.aio.Channel, metadata) -> None:
        self.call = link_grpc.LinkServiceStub(channel).Connect(metadata=metadata)
        self.sent = 0
        self.received = 0

    async def send(self, **content) -> None:
        self.sent += 1
        content.setdefault("free_slots", 2)
        await self.call.write(
            link.ConnectRequest(sequence=self.sent, acked_sequence=self.received, **content)
        )

    async def receive(self) -> link.ConnectResponse:
        async with asyncio.timeout(60):
            frame = await self.call.read()
        assert frame is not grpc.aio.EOF, "the server ended the stream"
        self.received = frame.sequence
        return frame


def hello(**fields) -> link.Hello:
    defaults = {"node_id": "n1", "protocol": 1, "capacity": 2, "profile": {"hostname": "h"}}
    return link.Hello(**(defaults | fields))


async def test_a_command_goes_to_an_agent_and_its_output_comes_back(server):
    async with server.channel() as channel:
        admin = server.authorization()
        nodes = node_grpc.NodeServiceStub(channel)
        commands = command_grpc.CommandServiceStub(channel)
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello())
        welcome = (await agent.receive()).welcome
        await agent.send(heartbeat={"sample": {"cpu_usage": 12.5}})

        node = (await nodes.GetNode(node_api.GetNodeRequest(node_id="n1"), metadata=admin)).node
        assert node.uid == welcome.node_uid
        assert node.ip_address == "127.0.0.1"
        assert node.status == node_pb2.NODE_STATUS_ONLINE

        request = command_api.CreateCommandRequest(node_id="n1", command_text="echo hi")
        created = await commands.CreateCommand(request, metadata=admin)
        assert (created.status, created.message) == (pb.COMMAND_STATUS_PENDING, "命令已提交执行")
        [dispatch] = (await agent.receive()).dispatches
        assert dispatch.run_id == created.command_id
        identity = {
            "run_id": dispatch.run_id,
            "attempt": dispatch.attempt,
            "fencing_token": dispatch.fencing_token,
        }
        await agent.send(
            output=[{**identity, "stream": link.STREAM_STDOUT, "data": b"hi\n"}],
            reports=[{**identity, "phase": link.ATTEMPT_PHASE_EXITED, "exit_code": 0}],
        )
        frame = await agent.receive()
        assert frame.acked_sequence == agent.sent
        assert frame.output_acks[0].offset == 3
        assert not frame.report_acks[0].is_stale

        got = await commands.GetCommand(
            command_api.GetCommandRequest(command_id=created.command_id), metadata=admin
        )
        assert got.command.state == pb.COMMAND_STATE_SUCCEEDED
        assert (got.result.stdout, got.result.exit_code) == ("hi\n", 0)
        read = commands.ReadCommandOutput(
            command_api.ReadCommandOutputRequest(command_id=created.command_id, follow=True),
            metadata=admin,
        )
        events = [event async for response in read for event in response.events]
        assert [event.data for event in events] == [b"hi\n", b""]

        listed = await commands.ListCommands(command_api.ListCommandsRequest(), metadata=admin)
        assert listed.total == 1
        assert listed.commands[0] == got.command
        history = await commands.ListNodeCommands(
            command_api.ListNodeCommandsRequest(node_id="n1"), metadata=admin
        )
        assert history.commands[0].result == got.result

        await server.app.fleet.metrics.flush()
        metrics = metric_grpc.MetricServiceStub(channel)
        wanted = metric_api.GetLatestMetricRequest(node_id="n1")
        sample = await metrics.GetLatestMetric(wanted, metadata=admin)
        assert sample.metric.cpu_usage == 12.5
        agent.call.cancel()


async def test_watches_and_languages_and_ids_of_requests(server):
    async with server.channel() as channel:
        admin = server.authorization()
        commands = command_grpc.CommandServiceStub(channel)
        nodes = node_grpc.NodeServiceStub(channel)
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello(), free_slots=0)
        await agent.receive()

        watch = commands.WatchCommands(command_api.WatchCommandsRequest(), metadata=admin)
        first = await watch.read()
        assert [event.HasField("object") for event in first.events] == [False]

        request = command_api.CreateCommandRequest(node_id="n1", command_text="true", request_id="once")
        english = (*admin, ("accept-language", "en-US,en;q=0.9,zh;q=0.8"))
        call = commands.CreateCommand(request, metadata=english)
        created = await call
        assert created.message == "command accepted"
        again = commands.CreateCommand(request, metadata=admin)
        assert (await again).command_id == created.command_id
        assert dict(await again.trailing_metadata())["idempotency-replayed"] == "true"
        second = await watch.read()
        assert [event.object.command_id for event in second.events] == [created.command_id]
        assert second.events[0].cursor

        request = command_api.CreateCommandRequest(node_id="n1", command_text="true", validate_only=True)
        assert not (await commands.CreateCommand(request, metadata=admin)).command_id

        await nodes.DeleteNode(node_api.DeleteNodeRequest(node_id="n1"), metadata=admin)
        assert (await agent.receive()).closing.reason == "NODE_DELETED"
        third = await watch.read()
        assert third.events[0].object.command_id == created.command_id
        watch.cancel()


async def test_lists_and_watches_of_the_longest_commands_arrive(server):
    # More than 16 MiB.
    texts = {f"{n:03}".ljust(TEXT_LIMIT, "x") for n in range(140)}
    ours = Client.connect(server.grpc_address, server.admin_token)
    async with server.channel() as channel, ours as client:
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello(), free_slots=0)
        await agent.receive()
        async with asyncio.TaskGroup() as group:
            for text in texts:
                group.create_task(client.commands.create("n1", text))

        listed = await client.commands.list(limit=200)
        assert {command.command_text for command in listed.commands} == texts

        # A client like any other, which takes messages of gRPC's default size.
        commands = command_grpc.CommandServiceStub(channel)
        watch = commands.WatchCommands(
            command_api.WatchCommandsRequest(), metadata=server.authorization()
        )
        present = set()
        while not (events := (await watch.read()).events)[-1].cursor:
            present |= {event.object.command_text for event in events}
        assert present == texts
        watch.cancel()
        agent.call.cancel()


async def test_a_client_with_grpcs_own_limits_watches_a_node_go_with_all_its_commands(server):
    async with server.channel() as channel:
        admin = server.authorization()
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello(), free_slots=0)
        await agent.receive()
        commands = command_grpc.CommandServiceStub(channel)
        watch = commands.WatchCommands(command_api.WatchCommandsRequest(), metadata=admin)
        await watch.read()
        request = command_api.CreateCommandRequest(node_id="n1", command_text="#" * 100_000)
        ids = {(await commands.CreateCommand(request, metadata=admin)).command_id for _ in range(60)}
        delete = node_api.DeleteNodeRequest(node_id="n1")
        await node_grpc.NodeServiceStub(channel).DeleteNode(delete, metadata=admin)
        deleted = set()
        async with asyncio.timeout(60):
            while deleted != ids:
                deleted |= {
                    event.object.command_id
                    for event in (await watch.read()).events
                    if event.type == watch_pb2.EVENT_TYPE_DELETED
                }
        watch.cancel()
        agent.call.cancel()


async def test_a_server_that_stops_says_so_to_its_agents(tmp_path):
    async with running_server(tmp_path) as server:
        channel = server.channel()
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello())
        await agent.receive()
    frame = await agent.receive()
    assert frame.closing.reason == "DRAINING"
    await channel.close()


async def test_an_agent_with_many_free_slots_gets_many_long_commands(server):
    async with server.channel() as channel:
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello(capacity=64), free_slots=0)
        await agent.receive()
        commands = command_grpc.CommandServiceStub(channel)
        request = command_api.CreateCommandRequest(node_id="n1", command_text="#" * 120_000)
        ids = [
            (await commands.CreateCommand(request, metadata=server.authorization())).command_id
            for _ in range(40)
        ]
        await agent.send(free_slots=64)
        received: list[str] = []
        while len(received) < len(ids):
            received += [dispatch.run_id for dispatch in (await agent.receive()).dispatches]
        assert received == ids
        agent.call.cancel()


async def test_a_key_that_is_bound_to_a_namespace_deletes_no_node(server):
    async with server.channel() as channel:
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello())
        await agent.receive()
        wanted = key_api.CreateKeyRequest(
            name="tenant", scopes=[options_pb2.SCOPE_WRITE, options_pb2.SCOPE_ADMIN], namespaces=["a"]
        )
        keys = key_grpc.KeyServiceStub(channel)
        tenant = await keys.CreateKey(wanted, metadata=server.authorization())
        delete = node_api.DeleteNodeRequest(node_id="n1")
        nodes = node_grpc.NodeServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await nodes.DeleteNode(delete, metadata=server.authorization(tenant.secret))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        await nodes.DeleteNode(delete, metadata=server.authorization())
        agent.call.cancel()


async def test_samples_of_a_time_beyond_the_calendar_are_refused(server):
    async with server.channel() as channel:
        agent = Link(channel, server.authorization(server.join_token))
        await agent.send(hello=hello())
        await agent.receive()
        metrics = metric_grpc.MetricServiceStub(channel)
        wanted = metric_api.GetMetricSummaryRequest(
            node_id="n1", start_time={"seconds": 0}, end_time={"seconds": 2**62}
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await metrics.GetMetricSummary(wanted, metadata=server.authorization())
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        agent.call.cancel()


async def test_many_agents_come_and_go(server):
    async with server.channel() as channel:
        join = server.authorization(server.join_token)
        agents = [Link(channel, join) for _ in range(50)]

        async def come(number: int, agent: Link) -> None:
            await agent.send(hello=hello(node_id=f"n{number}"))
            await agent.receive()
            await agent.send(heartbeat={})

        async with asyncio.TaskGroup() as group:
            for number, agent in enumerate(agents):
                group.create_task(come(number, agent))
        links = server.app.fleet.links
        assert links.linked_agents == 50
        for agent in agents:
            agent.call.cancel()
        async with asyncio.timeout(60):
            while links.linked_agents:  # noqa: ASYNC110 - nothing tells when the last one is gone
                await asyncio.sleep(0.01)
