"""A fleet to measure with: example nodes, and real registrations over the link."""

from __future__ import annotations

import asyncio
import time

import grpc
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc
from novasphere.node.v1 import node_pb2

from bench import servers


def node(number: int) -> node_pb2.Node:
    """Returns a node as a real one looks."""
    message = node_pb2.Node(
        id=number, node_id=f"node-{number:03}", hostname=f"server-{number:02}", ip_address="192.168.1.100",
        os_info="Ubuntu 22.04 LTS", status=node_pb2.NODE_STATUS_ONLINE, uid=f"{number:032x}", revision=number,
        labels={"zone": "a"}, role="worker", capabilities=["shell"],
        connection=node_pb2.CONNECTION_STATE_ONLINE, capacity=8, free_slots=8, agent_version="0.1.0",
        platform=node_pb2.Platform(system="linux", release="6.1.0", machine="x86_64",
                                   distribution="Debian GNU/Linux 12", python_version="3.11.7"),
        resources=node_pb2.Resources(cpu_count=2, memory_total_bytes=24 << 30, storage_total_bytes=252 << 30),
    )  # fmt: skip
    for field in ("last_heartbeat", "registered_at", "updated_at"):
        getattr(message, field).FromSeconds(1737453600)
    return message


def hello(number: int) -> link.ConnectRequest:
    profile = link.Profile(
        hostname=f"server-{number:02}", ip_address="192.168.1.100", os_info="Ubuntu 22.04 LTS", system="linux",
        release="6.1.0", machine="x86_64", distribution="Debian GNU/Linux 12", python_version="3.11.7",
        cpu_count=2, memory_total_bytes=24 << 30, storage_total_bytes=252 << 30, labels={"zone": "a"},
        capabilities=["shell"], role="worker", agent_version="0.1.0",
    )  # fmt: skip
    hello = link.Hello(
        node_id=f"node-{number:03}", boot_id="b", incarnation=1, profile=profile, capacity=8, protocol=1
    )
    return link.ConnectRequest(sequence=1, free_slots=8, hello=hello)


async def _register(port: int, count: int) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = link_grpc.LinkServiceStub(channel)
        for number in range(1, count + 1):
            metadata = [("authorization", f"Bearer {servers.TOKEN}")]
            call = stub.Connect(metadata=metadata, timeout=30)
            try:
                await call.write(hello(number))
                await call.read()
                beat = link.Heartbeat(sent_us=time.time_ns() // 1000)
                await call.write(
                    link.ConnectRequest(sequence=2, acked_sequence=1, free_slots=8, heartbeat=beat)
                )
                await call.done_writing()
            finally:
                call.cancel()


def register(port: int, count: int = 100) -> None:
    """Registers nodes "node-001" and on through the link, as agents do."""
    asyncio.run(_register(port, count))
