"""An agent that a test plays by hand: it says whatever frames the test wants."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.link.v1 import link_service_pb2_grpc as link_grpc


class HandMadeAgent:
    """One link stream of one node. Keeps what it was given, so that it can connect again."""

    def __init__(self, address: str, token: str, node_id: str = "node-001") -> None:
        self.address = address
        self.credential = token
        self.node_id = node_id
        self.node_uid = ""
        self.session_token = ""
        self.incarnation = 0
        self.slots = 8
        self._sequence = 0
        self._acked = 0
        self._channel: grpc.aio.Channel | None = None
        self._call: Any = None

    async def connect(self, *attempts: link.AttemptState) -> link.Welcome:
        """Opens a new stream and confirms the Welcome."""
        welcome = await self.greet(*attempts)
        await self.beat()
        return welcome

    async def greet(self, *attempts: link.AttemptState) -> link.Welcome:
        """Opens a new stream. Until it says more, what it was before is still valid."""
        await self.hang_up()
        self.incarnation += 1
        self._sequence = self._acked = 0
        self._channel = grpc.aio.insecure_channel(self.address)
        stub = link_grpc.LinkServiceStub(self._channel)
        self._call = stub.Connect(metadata=[("authorization", f"Bearer {self.credential}")])
        hello = link.Hello(
            node_id=self.node_id, node_uid=self.node_uid, session_token=self.session_token, boot_id="boot",
            incarnation=self.incarnation, attempts=attempts, capacity=self.slots, protocol=1,
            profile=link.Profile(hostname="by-hand", system="linux", capabilities=["shell"], cpu_count=1),
        )  # fmt: skip
        await self.say(hello=hello)
        welcome = (await self.hear()).welcome
        self.node_uid, self.session_token = welcome.node_uid, welcome.session_token
        self.credential = welcome.credential or self.credential
        return welcome

    async def say(self, **content: Any) -> None:
        self._sequence += 1
        frame = link.ConnectRequest(
            sequence=self._sequence, acked_sequence=self._acked, free_slots=self.slots, **content
        )
        await self._call.write(frame)

    async def hear(self, within: float = 60.0) -> link.ConnectResponse:
        frame = await asyncio.wait_for(self._call.read(), within)
        if frame is grpc.aio.EOF:
            raise AssertionError(
                f"the server ended the link: {await self._call.code()} {await self._call.details()}"
            )
        self._acked = frame.sequence
        return frame

    async def hear_of(self, field: str, within: float = 60.0) -> Any:
        """Returns the next frame's content in that repeated field, passing over frames without it."""
        while True:
            content = getattr(await self.hear(within), field)
            if content:
                return list(content)

    async def beat(self) -> None:
        await self.say(heartbeat=link.Heartbeat(sent_us=1))

    async def hang_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._channel is not None:
            await self._channel.close()
        self._call = self._channel = None
