"""Commands: one line of shell for one node, run at most once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novasphere.node.v1 import command_pb2, command_service_pb2, command_service_pb2_grpc

from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.outputs import Output
from novasphere_client.watches import Watch

CommandWatch = Watch[command_service_pb2.CommandEvent]

ANY_STATUS = command_pb2.COMMAND_STATUS_UNSPECIFIED
BOTH_STREAMS = command_service_pb2.OUTPUT_STREAM_UNSPECIFIED


class Commands:
    """Creates commands, reads their output, cancels and watches them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = command_service_pb2_grpc.CommandServiceStub(connection.channel)

    async def create(
        self,
        node_id: str,
        command_text: str,
        *,
        timeout_seconds: int | None = None,
        queue_timeout_seconds: int | None = None,
        namespace: str = "",
        request_id: str = "",
        validate_only: bool = False,
        patience: float | None = None,
    ) -> command_service_pb2.CreateCommandResponse:
        """Submits a line for a node's shell. It waits for its node if that is away."""
        request = command_service_pb2.CreateCommandRequest(
            node_id=node_id,
            command_text=command_text,
            timeout_seconds=timeout_seconds,
            queue_timeout_seconds=queue_timeout_seconds,
            namespace=namespace,
            request_id=request_id,
            validate_only=validate_only,
        )
        return await self._connection.mutate(self._service.CreateCommand, request, patience=patience)

    async def create_all(
        self,
        requests: Iterable[command_service_pb2.CreateCommandRequest],
        *,
        request_id: str = "",
        validate_only: bool = False,
        patience: float | None = None,
    ) -> Sequence[command_pb2.Command]:
        """Submits up to 1,000 commands, all or none; returns them in the order of the requests."""
        request = command_service_pb2.BatchCreateCommandsRequest(
            requests=requests, request_id=request_id, validate_only=validate_only
        )
        method = self._service.BatchCreateCommands
        return (await self._connection.mutate(method, request, patience=patience)).commands

    async def get(
        self, command_id: str, *, patience: float | None = None
    ) -> command_service_pb2.GetCommandResponse:
        """Returns a command and, once it has ended, its result."""
        request = command_service_pb2.GetCommandRequest(command_id=command_id)
        return await self._connection.read(self._service.GetCommand, request, patience=patience)

    async def get_all(
        self, command_ids: Iterable[str], *, patience: float | None = None
    ) -> Sequence[command_pb2.CommandWithResult]:
        """Returns up to 100 commands with their results, in the order of the ids."""
        request = command_service_pb2.BatchGetCommandsRequest(command_ids=command_ids)
        method = self._service.BatchGetCommands
        return (await self._connection.read(method, request, patience=patience)).commands

    async def explain(
        self, command_id: str, *, patience: float | None = None
    ) -> command_service_pb2.ExplainCommandResponse:
        """Returns why a command stands as it does: what it waits for, or how it ended."""
        request = command_service_pb2.ExplainCommandRequest(command_id=command_id)
        return await self._connection.read(self._service.ExplainCommand, request, patience=patience)

    async def list(
        self,
        *,
        node_id: str = "",
        status: command_pb2.CommandStatus.ValueType = ANY_STATUS,
        namespace: str = "",
        limit: int | None = None,
        offset: int = 0,
    ) -> command_service_pb2.ListCommandsResponse:
        """Returns one page of commands, newest first, and how many match in all."""
        request = command_service_pb2.ListCommandsRequest(
            node_id=node_id, status=status, namespace=namespace, limit=limit, offset=offset
        )
        return await self._connection.read(self._service.ListCommands, request)

    async def cancel(
        self,
        command_id: str,
        *,
        grace_seconds: int | None = None,
        etag: str = "",
        request_id: str = "",
        validate_only: bool = False,
        patience: float | None = None,
    ) -> command_pb2.Command:
        """Asks for a command to be stopped; one that runs is CANCELLED once its node confirms."""
        request = command_service_pb2.CancelCommandRequest(
            command_id=command_id,
            grace_seconds=grace_seconds,
            etag=etag,
            request_id=request_id,
            validate_only=validate_only,
        )
        response = await self._connection.mutate(self._service.CancelCommand, request, patience=patience)
        return response.command

    async def cancel_all(
        self,
        command_ids: Iterable[str],
        *,
        grace_seconds: int | None = None,
        request_id: str = "",
        validate_only: bool = False,
        patience: float | None = None,
    ) -> Sequence[command_pb2.Command]:
        """Asks for up to 1,000 commands to be stopped, all or none; those that ended stay as they are."""
        request = command_service_pb2.BatchCancelCommandsRequest(
            command_ids=command_ids,
            grace_seconds=grace_seconds,
            request_id=request_id,
            validate_only=validate_only,
        )
        method = self._service.BatchCancelCommands
        return (await self._connection.mutate(method, request, patience=patience)).commands

    def watch(
        self,
        *,
        cursor: str = "",
        node_id: str = "",
        status: command_pb2.CommandStatus.ValueType = ANY_STATUS,
        command_id: str = "",
        namespace: str = "",
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> CommandWatch:
        """Watches commands; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchCommands(
                command_service_pb2.WatchCommandsRequest(
                    cursor=cursor,
                    node_id=node_id,
                    status=status,
                    command_id=command_id,
                    namespace=namespace,
                ),
                metadata=metadata,
            ),
            lambda command: str(command.command_id),
            command_service_pb2.CommandEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )

    def output(
        self,
        command_id: str,
        *,
        stream: command_service_pb2.OutputStream.ValueType = BOTH_STREAMS,
        offset: int = 0,
        follow: bool = False,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> Output:
        """Reads what a command printed; see `Output`."""
        return Output(
            self._connection,
            self._service,
            command_id,
            stream=stream,
            offset=offset,
            follow=follow,
            patience=patience,
            on_interruption=on_interruption,
        )
