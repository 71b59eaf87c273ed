"""The bridge's end of a foreign node's link."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from google.protobuf.message import Message
from novasphere.link.v1 import link_service_pb2 as link

from novasphere_gateway.backend import Answer, Backend, Call

CONNECT = "/novasphere.link.v1.LinkService/Connect"
PROTOCOL = 1

_WAITING = 16  # frames that the server has yet to take


class LinkEnded(Exception):
    """The link has ended; whoever follows its frames knows why."""


class NodeLink:
    """One call of Connect. Frames go in by send() and come out of frames(), in one task each."""

    def __init__(self, backend: Backend, call: Call) -> None:
        self._backend = backend
        self._call = call
        self._requests: asyncio.Queue[link.ConnectRequest | None] = asyncio.Queue(_WAITING)
        self._sent = 0
        self._handled = 0  # the server's last frame that the follower has dealt with
        self._unacked: deque[tuple[int, str, str]] = deque()
        self.has_ended = False

    async def send(self, *, reply: str = "", frame_id: str = "", **content: Any) -> None:
        """Sends a frame. `reply` is the type of the answer to the node's frame `frame_id`, due when this
        is durable. Raises LinkEnded.
        """
        if self.has_ended:
            raise LinkEnded
        self._sent += 1
        self._unacked.append((self._sent, reply, frame_id))
        await self._requests.put(
            link.ConnectRequest(sequence=self._sent, acked_sequence=self._handled, **content)
        )

    async def finish(self) -> None:
        """Says that no more is sent. frames() ends by itself then."""
        if not self.has_ended:
            await self._requests.put(None)

    async def frames(self) -> AsyncGenerator[link.ConnectResponse, None]:
        """Yields the server's frames; each counts as handled when the next one is asked for. Raises
        CallError.
        """
        requests = self._outgoing()
        answers = cast("AsyncGenerator[Answer, None]", self._backend.duplex(self._call, requests))
        try:
            async with aclosing(requests), aclosing(answers):
                async for answer in answers:
                    frame = cast("link.ConnectResponse", answer.message)
                    yield frame
                    self._handled = frame.sequence
        finally:
            self.has_ended = True
            while not self._requests.empty():  # lets go whoever waits for room
                self._requests.get_nowait()

    def durable(self, acked: int) -> list[tuple[str, str]]:
        """Returns what is to be answered now that frames up to `acked` are durable: type and frame id."""
        replies = []
        while self._unacked and self._unacked[0][0] <= acked:
            _, reply, frame_id = self._unacked.popleft()
            if reply:
                replies.append((reply, frame_id))
        return replies

    def unanswered(self) -> list[str]:
        """Returns the ids of the node's frames that will never be answered, once the link has ended."""
        return [frame_id for _, reply, frame_id in self._unacked if reply]

    async def _outgoing(self) -> AsyncGenerator[Message, None]:
        while (request := await self._requests.get()) is not None:
            yield request
