"""Commands and their output over RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from novasphere.node.v1 import command_pb2
from novasphere.node.v1 import command_service_pb2 as pb

from novasphere_server import logs
from novasphere_server.core.command_batches import CommandBatches
from novasphere_server.core.commands import CommandFilter, Commands
from novasphere_server.core.explanations import Explanations
from novasphere_server.core.outputs import Outputs
from novasphere_server.rpc import explanations, languages, watch_rows
from novasphere_server.rpc.context import CallContext
from novasphere_server.rpc.views import Many

log = logs.get(__name__)

_LIMIT = 50
_NODE_LIMIT = 20
_LOGGED = 100  # commands named in one line of the log
_ACCEPTED = ("命令已提交执行", "command accepted")
_VALID = ("校验通过，未执行", "valid; nothing was changed")


class CommandService:
    """Serves novasphere.node.v1.CommandService."""

    def __init__(
        self,
        commands: Commands,
        batches: CommandBatches,
        explanations: Explanations,
        outputs: Outputs,
    ) -> None:
        self._commands = commands
        self._batches = batches
        self._explanations = explanations
        self._outputs = outputs

    async def CreateCommand(
        self, request: pb.CreateCommandRequest, context: CallContext
    ) -> pb.CreateCommandResponse:
        command = await self._commands.create(
            context.principal,
            request,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        is_english = languages.prefers_english(context.metadata.get("accept-language", ""))
        message = (_VALID if context.is_dry_run else _ACCEPTED)[is_english]
        response = pb.CreateCommandResponse(status=command.status, message=message)
        if not context.is_dry_run:  # which made nothing that the id could name
            response.command_id = command.command_id
        if context.has_effect:
            log.info(
                "command accepted",
                command_id=command.command_id,
                node_id=command.target_node_id,
                by=context.principal.name,
            )
        return response

    async def GetCommand(
        self, request: pb.GetCommandRequest, context: CallContext
    ) -> pb.GetCommandResponse:
        stored = await self._commands.get(context.principal, request.command_id)
        context.headers["etag"] = stored.etag
        # The two messages have the same fields under the same numbers.
        return pb.GetCommandResponse.FromString(stored.wire)

    async def BatchCreateCommands(
        self, request: pb.BatchCreateCommandsRequest, context: CallContext
    ) -> pb.BatchCreateCommandsResponse:
        response = await self._batches.create(
            context.principal,
            request.requests,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.is_dry_run:  # which made nothing that the ids could name
            for command in response.commands:
                command.ClearField("id")
                command.ClearField("command_id")
                command.ClearField("revision")
        if context.has_effect:
            _log_batch("commands accepted", response.commands, context)
        return response

    async def BatchGetCommands(
        self, request: pb.BatchGetCommandsRequest, context: CallContext
    ) -> Many[pb.BatchGetCommandsResponse]:
        found = await self._batches.get(context.principal, request.command_ids)
        return Many(pb.BatchGetCommandsResponse(), "commands", found)

    async def ListNodeCommands(
        self, request: pb.ListNodeCommandsRequest, context: CallContext
    ) -> Many[pb.ListNodeCommandsResponse]:
        page = await self._commands.list_for_node(
            context.principal,
            request.node_id,
            request.status,
            limit=request.limit if request.HasField("limit") else _NODE_LIMIT,
        )
        return Many(pb.ListNodeCommandsResponse(total=page.total), "commands", page.items)

    async def ListCommands(
        self, request: pb.ListCommandsRequest, context: CallContext
    ) -> Many[pb.ListCommandsResponse]:
        page = await self._commands.list_flat(
            context.principal,
            CommandFilter(status=request.status, node_id=request.node_id, namespace=request.namespace),
            limit=request.limit if request.HasField("limit") else _LIMIT,
            offset=request.offset,
        )
        return Many(pb.ListCommandsResponse(total=page.total), "commands", page.items)

    async def ExplainCommand(
        self, request: pb.ExplainCommandRequest, context: CallContext
    ) -> pb.ExplainCommandResponse:
        response = await self._explanations.explain(context.principal, request.command_id)
        in_chinese = languages.prefers_chinese(context.metadata.get("accept-language", ""))
        explanations.put_into_words(response, in_chinese=in_chinese)
        return response

    async def CancelCommand(
        self, request: pb.CancelCommandRequest, context: CallContext
    ) -> pb.CancelCommandResponse:
        command = await self._commands.cancel(
            context.principal,
            request.command_id,
            grace_seconds=request.grace_seconds if request.HasField("grace_seconds") else None,
            etag=request.etag,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        context.headers["etag"] = str(command.revision)
        if context.has_effect:
            log.info("command cancelled", command_id=command.command_id, by=context.principal.name)
        return pb.CancelCommandResponse(command=command)

    async def BatchCancelCommands(
        self, request: pb.BatchCancelCommandsRequest, context: CallContext
    ) -> pb.BatchCancelCommandsResponse:
        response = await self._batches.cancel(
            context.principal,
            request.command_ids,
            grace_seconds=request.grace_seconds if request.HasField("grace_seconds") else None,
            idempotency=context.idempotency,
            is_dry_run=context.is_dry_run,
        )
        if context.has_effect:
            asked_for = [command for command in response.commands if command.cancel_requested]
            _log_batch("commands cancelled", asked_for, context)
        return response

    async def WatchCommands(
        self, request: pb.WatchCommandsRequest, context: CallContext
    ) -> AsyncIterator[Many[pb.WatchCommandsResponse]]:
        which = CommandFilter(
            status=request.status,
            node_id=request.node_id,
            command_id=request.command_id,
            namespace=request.namespace,
        )
        watch = self._commands.watch(context.principal, which, request.cursor)
        async with aclosing(watch) as pages:
            async for page in pages:
                yield watch_rows.response(page, pb.WatchCommandsResponse, pb.CommandEvent)

    async def ReadCommandOutput(
        self, request: pb.ReadCommandOutputRequest, context: CallContext
    ) -> AsyncIterator[pb.ReadCommandOutputResponse]:
        output = self._outputs.stream(
            context.principal,
            request.command_id,
            request.stream,
            request.offset,
            request.follow,
            request.attempt,
            request.cursor,
        )
        async with aclosing(output) as pages:
            async for events in pages:
                yield pb.ReadCommandOutputResponse(events=events)


def _log_batch(event: str, commands: Sequence[command_pb2.Command], context: CallContext) -> None:
    for start in range(0, len(commands), _LOGGED):
        some = commands[start : start + _LOGGED]
        log.info(
            event,
            command_ids=[command.command_id for command in some],
            node_ids=[command.target_node_id for command in some],
            by=context.principal.name,
        )
