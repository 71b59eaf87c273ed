"""The bridge's end of a foreign node's link."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf.message import Message
from novasphere.link.v1 import link_service_pb2 as link

from novasphere_gateway.backend import Answer, Backend, Call

CONNECT = "/novasphere.link.v1.LinkService/Connect"
PROTOCOL = 1

_WAITING = 16  # frames that the server has yet to take
_UNANSWERED = 64  # frames that the node has yet to be answered


class LinkEnded(Exception):
    """The link has ended; whoever follows its frames knows why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node is answered once its frame is durable. Without a type nothing is said."""

    type: str
    data: Mapping[str, Any]
    frame_id: str


class NodeLink:
    """One call of Connect. Frames go in by send() and come out of frames(), in one task each."""

    def __init__(self, backend: Backend, call: Call) -> None:
        self._backend = backend
        self._call = call
        self._requests: asyncio.Queue[link.ConnectRequest | None] = asyncio.Queue(_WAITING)
        self._sent = 0
        self._handled = 0  # the server's last frame that the follower has dealt with
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left_at = 0  # the frame that says so; 0: none yet
        self._unanswered: deque[tuple[int, Reply]] = deque()
        self._room = asyncio.Semaphore(_UNANSWERED)  # a node that reads no answers is not read from
        self.has_ended = False

    async def send(self, *, reply: Reply | None = None, **content: Any) -> None:
        """Sends a frame. `reply` is due when it is durable. Raises LinkEnded."""
        if reply is not None:
            await self._room.acquire()
        if self.has_ended:
            self._room.release()
            raise LinkEnded
        self._sent += 1
        if reply is not None:
            self._unanswered.append((self._sent, reply))
        await self._requests.put(
            link.ConnectRequest(
                sequence=self._sent,
                acked_sequence=self._handled,
                free_slots=0 if self._left_at else 1,
                **content,
            )
        )

    async def leave(self) -> None:
        """Asks for no more commands, and returns when all that were on their way have come. Raises
        LinkEnded.
        """
        self._left_at = self._sent + 1
        await self.send()
        await self._left

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
                    if 0 < self._left_at <= frame.acked_sequence and not self._left.done():
                        self._left.set_result(None)
        finally:
            self.has_ended = True
            if not self._left.done():
                self._left.set_result(None)
            # Whoever waits for room is let go.
            self._room.release()
            while not self._requests.empty():
                self._requests.get_nowait()

    def durable(self, acked: int) -> list[Reply]:
        """Returns what is to be answered now that frames up to `acked` are durable."""
        replies = []
        while self._unanswered and self._unanswered[0][0] <= acked:
            replies.append(self._unanswered.popleft()[1])
            self._room.release()
        return replies

    def unanswered(self) -> list[str]:
        """Returns the ids of the node's frames that will never be answered, once the link has ended."""
        return [reply.frame_id for _, reply in self._unanswered]

    async def _outgoing(self) -> AsyncGenerator[Message, None]:
        while (request := await self._requests.get()) is not None:
            yield request
