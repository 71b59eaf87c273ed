"""Reads what a command prints: every byte once, whatever happens to the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc
from novasphere.node.v1 import command_pb2, command_service_pb2, command_service_pb2_grpc

from novasphere_client import errors
from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.subscriptions import Subscription

Event = command_service_pb2.OutputEvent

# States from SUCCEEDED on are final.
_FIRST_FINAL_STATE = command_pb2.COMMAND_STATE_SUCCEEDED


def is_final(command: command_pb2.Command) -> bool:
    """Tells whether a command has ended."""
    return command.state >= _FIRST_FINAL_STATE


class Output(Subscription[command_service_pb2.OutputEvent]):
    """Yields the pieces of a command's output in order; `offset` is where the next one begins.

    Ends at the present end of the output or, with `follow`, when the command has ended and its output
    is complete; `command` is then the command as it stands. Attempts at a task follow each other, each
    counted from 0; `attempt` is the one that `offset` is of, 0 as long as that is not known. With
    `only_attempt` there is no other. A stream that breaks is continued where it was, for up to
    `patience` seconds without an answer (None: for ever).
    """

    def __init__(
        self,
        connection: Connection,
        service: command_service_pb2_grpc.CommandServiceStub,
        command_id: str,
        *,
        stream: command_service_pb2.OutputStream.ValueType,
        offset: int,
        follow: bool,
        patience: float | None,
        on_interruption: OnInterruption | None,
        only_attempt: int = 0,
    ) -> None:
        super().__init__()
        self.attempt = only_attempt
        self.offset = offset
        self.command: command_pb2.Command | None = None
        self._connection = connection
        self._service = service
        self._command_id = command_id
        self._stream = stream
        self._follow = follow
        self._only_attempt = only_attempt
        self._cursor = ""
        self._patience = patience
        self._on_interruption = on_interruption

    async def _read(self) -> AsyncGenerator[command_service_pb2.OutputEvent, None]:
        def start(
            metadata: list[tuple[str, str]],
        ) -> grpc.aio.UnaryStreamCall[
            command_service_pb2.ReadCommandOutputRequest, command_service_pb2.ReadCommandOutputResponse
        ]:
            request = command_service_pb2.ReadCommandOutputRequest(
                command_id=self._command_id, stream=self._stream, offset=self.offset, follow=self._follow
            )
            if self._only_attempt:
                request.attempt = self._only_attempt
            if self._cursor:
                request.cursor = self._cursor
            return self._service.ReadCommandOutput(request, metadata=metadata)

        stream = self._connection.follow(
            start, patience=self._patience, on_interruption=self._on_interruption
        )
        async with aclosing(stream):
            async for message in stream:
                for event in message.events:
                    self._cursor = event.cursor
                    if event.type == command_service_pb2.OUTPUT_EVENT_TYPE_END:
                        self._check_reached(event.offset)
                        self.attempt = event.next_attempt or event.attempt
                        self.offset = event.next_offset
                        if event.next_attempt:
                            continue
                        # A server that stops may end the stream of a command that goes on.
                        if not self._follow or self._only_attempt or is_final(event.command):
                            self.command = event.command
                            return
                        continue
                    self.attempt = event.attempt
                    if event.type != command_service_pb2.OUTPUT_EVENT_TYPE_CHUNK:
                        continue
                    piece = self._next_piece(event)
                    if piece is not None:
                        yield piece

    def _next_piece(self, event: Event) -> Event | None:
        """Moves `offset` past an event and returns what of it was not yielded before."""
        end = event.offset + len(event.data)
        self._check_reached(event.offset)
        if end <= self.offset:
            return None
        known = self.offset - event.offset
        self.offset = end
        if known == 0:
            return event
        return Event(
            type=event.type,
            stream=event.stream,
            offset=event.offset + known,
            data=event.data[known:],
            next_offset=end,
            attempt=event.attempt,
        )

    def _check_reached(self, offset: int) -> None:
        if offset > self.offset:
            raise errors.OutputGap(
                f"bytes {self.offset} to {offset} of the output of {self._command_id} are missing",
                reason="OUTPUT_GAP",
                code="DATA_LOSS",
            )
