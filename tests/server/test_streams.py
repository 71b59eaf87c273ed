"""Streams end with a reason and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from contextlib import aclosing

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status
from novasphere.node.v1 import node_pb2
from novasphere.node.v1 import node_service_pb2 as nodes
from novasphere.node.v1 import node_service_pb2_grpc as nodes_grpc
from novasphere_server import errors
from novasphere_server.testing import RunningServer, running_server
from slow_readers import StreamFailed, read_slowly

WATCH = "/grpc.health.v1.Health/Watch"
NODE_SERVICE = "novasphere.node.v1.NodeService"
KEY_SERVICE = "novasphere.api.v1.KeyService"


def reason_of(error: grpc.aio.AioRpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    assert any(d.Unpack(info) for d in rpc_status.from_call(error).details)
    return info.reason


async def end_of(call) -> grpc.StatusCode:
    """Reads a stream to its end and returns the status."""
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error.code()
    return await call.code()


def watch_health(channel: grpc.aio.Channel, service: str = ""):
    return channel.unary_stream(
        WATCH,
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )(health_pb2.HealthCheckRequest(service=service))


class Flood:
    """Watches that never end: quiet ones, and ones that send without a pause."""

    def __init__(self) -> None:
        self.ended = 0

    async def ListNodes(self, request, context): ...
    async def GetNode(self, request, context): ...
    async def DeleteNode(self, request, context): ...

    async def WatchNodes(self, request, context):
        big = nodes.WatchNodesResponse()
        big.events.add(object=node_pb2.Node(os_info="x" * 500_000))
        try:
            yield nodes.WatchNodesResponse()
            while request.cursor == "flood":
                yield big
            await asyncio.Event().wait()
        finally:
            self.ended += 1


CLIENTS = """
    import asyncio, sys
    import grpc.aio
    from novasphere.node.v1 import node_service_pb2 as nodes
    from novasphere.node.v1 import node_service_pb2_grpc as nodes_grpc

    async def main(address, token):
        own = (("grpc.use_local_subchannel_pool", 1),)
        channels = [grpc.aio.insecure_channel(address, own) for _ in range(8)]
        metadata = (("authorization", "Bearer " + token),)
        calls = []
        for index in range(200):
            stub = nodes_grpc.NodeServiceStub(channels[index % 8])
            calls.append(stub.WatchNodes(nodes.WatchNodesRequest(), metadata=metadata))
            await calls[-1].read()
        print("open", flush=True)
        sys.stdin.read()

    asyncio.run(main(*sys.argv[1:]))
"""


async def test_streams_that_200_clients_abandon_leave_nothing(bench, server: RunningServer, until):
    flood = Flood()
    async with bench.serving(NODE_SERVICE, flood):
        clients = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            textwrap.dedent(CLIENTS),
            bench.address,
            server.admin_token,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert await clients.stdout.readline() == b"open\n"
            assert len(bench.pipeline.streams) == 200
        finally:
            # The hard way: nothing is closed, the process just ends.
            clients.kill()
            await clients.communicate()
        await until(lambda: not bench.pipeline.streams)
        assert flood.ended == 200


async def test_streams_whose_calls_are_dropped_leave_nothing(bench, server: RunningServer, until):
    """The client stays connected and only forgets its calls, which some grpcio releases never tell."""
    flood = Flood()
    async with bench.serving(NODE_SERVICE, flood) as channel:
        stub = nodes_grpc.NodeServiceStub(channel)
        for _ in range(200):
            call = stub.WatchNodes(nodes.WatchNodesRequest(), metadata=server.authorization())
            await call.read()
            del call
        await until(lambda: not bench.pipeline.streams)
        assert flood.ended == 200


async def test_clients_that_go_while_they_are_written_to_are_no_errors(
    bench, server: RunningServer, until, caplog: pytest.LogCaptureFixture
):
    flood = Flood()
    async with bench.serving(NODE_SERVICE, flood) as channel:
        watch = nodes_grpc.NodeServiceStub(channel).WatchNodes
        request = nodes.WatchNodesRequest(cursor="flood")
        calls = [watch(request, metadata=server.authorization()) for _ in range(20)]
        for call in calls:
            await call.read()
        for call in calls:
            call.cancel()
        await until(lambda: flood.ended == 20)
        await until(lambda: not bench.pipeline.streams)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_reader_that_takes_nothing_is_cut(bench, server: RunningServer, until):
    flood = Flood()
    async with bench.serving(NODE_SERVICE, flood, write_timeout=0.3) as channel:
        stub = nodes_grpc.NodeServiceStub(channel)
        call = stub.WatchNodes(nodes.WatchNodesRequest(cursor="flood"), metadata=server.authorization())
        await call.read()
        await until(lambda: flood.ended == 1)
        await until(lambda: not bench.pipeline.streams)
        samples = server.app.telemetry.exposition().decode()
        assert (
            'endpoint="/novasphere.node.v1.NodeService/WatchNodes",method="grpc",status="ABORTED"'
            in samples
        )
        # Whoever reads on after all does not take it for the end of the stream.
        assert await end_of(call) is not grpc.StatusCode.OK


async def test_a_reader_too_slow_for_the_first_message_is_told(bench, server: RunningServer):
    class LargeAtOnce(Flood):
        async def WatchNodes(self, request, context):
            yield nodes.WatchNodesResponse(events=[{"object": {"os_info": "x" * 250 * 1024}}])

    async with bench.serving(NODE_SERVICE, LargeAtOnce(), write_timeout=1.0):
        path, request = f"/{NODE_SERVICE}/WatchNodes", nodes.WatchNodesRequest()
        # Takes the message, all but what fits into the window, in 1.5 s.
        read = read_slowly(bench.address, path, request, server.admin_token, 125 * 1024)
        async with aclosing(read) as messages, asyncio.timeout(60):
            with pytest.raises(StreamFailed) as caught:
                assert [len(message) async for message in messages]
    assert caught.value.code == grpc.StatusCode.ABORTED.value[0]


def test_a_cut_reader_is_told_how_long_it_had():
    assert "took nothing for 0.3 s" in errors.SlowConsumer(0.3).message
    assert "took nothing for 30 s" in errors.SlowConsumer(30.0).message


async def test_a_large_answer_arrives_whole(bench, server: RunningServer):
    class Large(Flood):
        async def GetNode(self, request, context):
            return nodes.GetNodeResponse(node=node_pb2.Node(os_info="x" * 5_000_000))

    async with bench.serving(NODE_SERVICE, Large()):
        any_size = (("grpc.max_receive_message_length", -1),)
        async with grpc.aio.insecure_channel(bench.address, any_size) as channel:
            answer = await nodes_grpc.NodeServiceStub(channel).GetNode(
                nodes.GetNodeRequest(node_id="n"), metadata=server.authorization()
            )
    assert len(answer.node.os_info) == 5_000_000


async def test_a_drain_ends_streams_with_its_reason_and_lets_calls_finish(tmp_path):
    server_context = running_server(tmp_path)
    server = await server_context.__aenter__()
    async with server.channel() as channel:
        watch = watch_health(channel)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        await server_context.__aexit__(None, None, None)
        assert await end_of(watch) is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in await watch.details()
        assert dict(await watch.trailing_metadata())["x-request-id"]


async def test_new_streams_are_refused_while_draining(server: RunningServer, channel):
    server.app.pipeline.start_draining()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watch_health(channel).read()
    assert reason_of(caught.value) == "DRAINING"


async def test_health_tells_of_the_server_and_of_each_service(server: RunningServer, channel):
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    served = {path.split("/")[1] for path in server.app.pipeline.methods if "/novasphere." in path}
    for service in ("", *served):
        answer = await check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_health_watcher_hears_every_change(server: RunningServer, channel):
    known, unknown = watch_health(channel, KEY_SERVICE), watch_health(channel, "nobody")
    status = health_pb2.HealthCheckResponse
    assert (await unknown.read()).status == status.SERVICE_UNKNOWN
    assert (await known.read()).status == status.SERVING
    server.app.health.set(False)
    assert (await known.read()).status == status.NOT_SERVING


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")  # noqa: PTH110
async def test_a_server_that_stopped_holds_no_files(tmp_path):
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(2):
        async with running_server(tmp_path):
            pass
    # The event loop and gRPC keep a few of their own from the first start on.
    async with running_server(tmp_path):
        pass
    assert len(os.listdir("/proc/self/fd")) <= before + 12  # noqa: PTH208
