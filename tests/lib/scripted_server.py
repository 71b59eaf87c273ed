"""A server that plays a script over real gRPC, for what clients must bear."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from novasphere.api.v1 import (
    join_token_service_pb2,
    join_token_service_pb2_grpc,
    key_pb2,
    key_service_pb2,
    key_service_pb2_grpc,
    options_pb2,
    watch_pb2,
)
from novasphere.node.v1 import (
    command_explanation_pb2,
    command_pb2,
    command_service_pb2,
    command_service_pb2_grpc,
    metric_pb2,
    metric_service_pb2,
    metric_service_pb2_grpc,
    node_pb2,
    node_service_pb2,
    node_service_pb2_grpc,
    system_service_pb2,
    system_service_pb2_grpc,
)
from ports import reserve_port

TOKEN = "a-token-for-tests-0123456789"
OUT = command_service_pb2.OUTPUT_STREAM_STDOUT
ERR = command_service_pb2.OUTPUT_STREAM_STDERR


@dataclass
class Refusal:
    """An error that a scripted server gives, with details as the API has them."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = "refused"
    metadata: dict[str, str] = field(default_factory=dict)
    violations: list[tuple[str, str]] = field(default_factory=list)
    retry_after: float | None = None

    async def give(self, context: Any) -> None:
        if not self.reason:
            await context.abort(self.code, self.message)
        details = [
            error_details_pb2.ErrorInfo(
                reason=self.reason, domain="novasphere.io", metadata=self.metadata
            ),
            error_details_pb2.RequestInfo(request_id="req-17"),
        ]
        if self.violations:
            details.append(
                error_details_pb2.BadRequest(
                    field_violations=[
                        error_details_pb2.BadRequest.FieldViolation(field=f, description=d)
                        for f, d in self.violations
                    ]
                )
            )
        if self.retry_after is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(int(self.retry_after * 1000))
            details.append(retry)
        packed = []
        for detail in details:
            packed.append(any_pb2.Any())
            packed[-1].Pack(detail)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)
        await context.abort_with_status(rpc_status.to_status(status))


@dataclass
class Script:
    """A command of the scripted server, and what it has printed."""

    command: command_pb2.Command
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    signal: int = 0
    is_complete: bool = False

    def rows(self, stream: int, offset: int) -> list[command_service_pb2.OutputEvent]:
        """Returns everything from an offset on, as rows."""
        rows = []
        at = 0
        for which, data in self.pieces:
            if stream and which != stream:
                continue
            start, end = at, at + len(data)
            at = end
            if end <= offset:
                continue
            cut = max(offset - start, 0)
            rows.append(
                command_service_pb2.OutputEvent(
                    type=command_service_pb2.OUTPUT_EVENT_TYPE_CHUNK,
                    stream=which,
                    offset=start + cut,
                    data=data[cut:],
                    next_offset=end,
                )
            )
        return rows


class ScriptedServer:
    """Holds what the servicers answer, and breaks when it is told to."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.port = reserve_port()
        self.nodes: dict[str, node_pb2.Node] = {}
        self.metrics: list[metric_pb2.Metric] = []
        self.keys: list[key_pb2.Key] = []
        self.join_tokens: list[key_pb2.JoinToken] = []
        self.scripts: dict[str, Script] = {}
        self.explanations: list[command_explanation_pb2.CommandExplanation] = []
        self.calls: list[tuple[str, Any]] = []
        self.refusals: dict[str, list[Refusal]] = defaultdict(list)
        self.watch_streams: list[list[list[Any]]] = []
        self.open_streams = 0
        self.confirms_cancels = True
        self.on_create: Callable[[Script], None] = lambda script: None
        self.edit_rows: Callable[[list[Any]], list[Any]] = lambda rows: rows
        self._changed = asyncio.Condition()
        self._breaks = 0
        self._server: grpc.aio.Server | None = None
        self._commands_by_request: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        node_service_pb2_grpc.add_NodeServiceServicer_to_server(Nodes(self), server)
        command_service_pb2_grpc.add_CommandServiceServicer_to_server(Commands(self), server)
        metric_service_pb2_grpc.add_MetricServiceServicer_to_server(Metrics(self), server)
        system_service_pb2_grpc.add_SystemServiceServicer_to_server(Systems(self), server)
        key_service_pb2_grpc.add_KeyServiceServicer_to_server(Keys(self), server)
        join_token_service_pb2_grpc.add_JoinTokenServiceServicer_to_server(JoinTokens(self), server)
        server.add_insecure_port(f"127.0.0.1:{self.port}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Goes away without a word to anybody."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)

    def refuse(self, method: str, *refusals: Refusal) -> None:
        """Answers the next calls of a method with errors, one after the other."""
        self.refusals[method] += refusals

    def requests(self, method: str) -> list[Any]:
        return [request for name, request in self.calls if name == method]

    def add_node(self, node_id: str, **fields: Any) -> node_pb2.Node:
        node = node_pb2.Node(
            id=len(self.nodes) + 1,
            node_id=node_id,
            uid=f"uid-{node_id}",
            hostname=f"host-{node_id}",
            status=node_pb2.NODE_STATUS_ONLINE,
            connection=node_pb2.CONNECTION_STATE_ONLINE,
            revision=1,
            **fields,
        )
        node.registered_at.FromSeconds(int(time.time()) - 7300)
        node.last_heartbeat.FromSeconds(int(time.time()) - 4)
        self.nodes[node_id] = node
        return node

    def add_command(self, node_id: str = "n1", command_id: str = "", text: str = "true") -> Script:
        command = command_pb2.Command(
            id=len(self.scripts) + 1,
            command_id=command_id or f"cmd-{len(self.scripts) + 1:032x}",
            command_text=text,
            target_node_id=node_id,
            status=command_pb2.COMMAND_STATUS_RUNNING,
            state=command_pb2.COMMAND_STATE_RUNNING,
            timeout_seconds=30,
            queue_timeout_seconds=86400,
            namespace="commands",
            attempt=1,
            revision=len(self.scripts) + 1,
        )
        command.created_at.FromSeconds(int(time.time()) - 60)
        command.started_at.FromSeconds(int(time.time()) - 59)
        script = self.scripts[command.command_id] = Script(command)
        return script

    async def print(self, script: Script, *pieces: tuple[int, bytes]) -> None:
        async with self._changed:
            script.pieces += pieces
            self._changed.notify_all()

    async def finish(
        self, script: Script, state: int, exit_code: int | None = None, reason: str = ""
    ) -> None:
        async with self._changed:
            finish(script, state, exit_code, reason)
            self._changed.notify_all()

    async def break_streams(self) -> None:
        """Breaks every open stream, as a proxy that loses its mind does."""
        async with self._changed:
            self._breaks += 1
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool], within: float = 60.0) -> None:
        """Waits until something is so."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            await asyncio.sleep(0.01)

    async def enter(self, method: str, request: Any, context: Any) -> None:
        """Notes a call, and refuses it when it lacks the token or the test says so."""
        self.calls.append((method, request))
        metadata = dict(context.invocation_metadata())
        if metadata.get("authorization") != f"Bearer {self.token}":
            await Refusal(
                grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "the token is not known"
            ).give(context)
        if self.refusals[method]:
            await self.refusals[method].pop(0).give(context)


def finish(script: Script, state: int, exit_code: int | None = None, reason: str = "") -> None:
    """Ends a command, as its node would have told."""
    script.command.state = state
    succeeded = state == command_pb2.COMMAND_STATE_SUCCEEDED
    script.command.status = (
        command_pb2.COMMAND_STATUS_SUCCESS if succeeded else command_pb2.COMMAND_STATUS_FAILED
    )
    script.command.reason = reason
    if exit_code is not None:
        script.command.exit_code = exit_code
    script.command.completed_at.FromSeconds(int(time.time()))
    script.is_complete = True


class _Servicer:
    def __init__(self, server: ScriptedServer) -> None:
        self.server = server


class Nodes(_Servicer):
    async def ListNodes(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListNodes", request, context)
        found = list(self.server.nodes.values())
        if request.label_selector:
            key, _, value = request.label_selector.partition("=")
            found = [node for node in found if node.labels.get(key) == value]
        if request.status:
            found = [node for node in found if node.status == request.status]
        page = found[request.offset : request.offset + min(request.limit or 50, 2)]
        return node_service_pb2.ListNodesResponse(nodes=page, total=len(found))

    async def GetNode(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetNode", request, context)
        return node_service_pb2.GetNodeResponse(node=await self._find(request.node_id, context))

    async def DeleteNode(self, request: Any, context: Any) -> Any:
        await self.server.enter("DeleteNode", request, context)
        await self._find(request.node_id, context)
        if not request.validate_only:
            del self.server.nodes[request.node_id]
        return node_service_pb2.DeleteNodeResponse()

    async def WatchNodes(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async for message in _watch(self.server, "WatchNodes", request, context):
            yield node_service_pb2.WatchNodesResponse(events=message)

    async def _find(self, node_id: str, context: Any) -> node_pb2.Node:
        if node_id not in self.server.nodes:
            await Refusal(
                grpc.StatusCode.NOT_FOUND,
                "NODE_NOT_FOUND",
                f"node {node_id!r} does not exist",
                {"node_id": node_id},
            ).give(context)
        return self.server.nodes[node_id]


async def _watch(
    server: ScriptedServer, method: str, request: Any, context: Any
) -> AsyncIterator[list[Any]]:
    """Plays the next scripted stream: messages, then a break; the last one stays open.

    Without a script it shows the node that it was asked about.
    """
    server.open_streams += 1
    try:
        await server.enter(method, request, context)
        node = server.nodes.get(getattr(request, "node_id", ""))
        stream = server.watch_streams.pop(0) if server.watch_streams else [[event("ADDED", node)]]
        for message in stream:
            yield message
        if server.watch_streams:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        await asyncio.Event().wait()
    finally:
        server.open_streams -= 1


class Commands(_Servicer):
    async def CreateCommand(self, request: Any, context: Any) -> Any:
        await self.server.enter("CreateCommand", request, context)
        server = self.server
        if request.node_id not in server.nodes:
            await Refusal(
                grpc.StatusCode.NOT_FOUND, "NODE_NOT_FOUND", f"node {request.node_id!r} does not exist"
            ).give(context)
        known = server._commands_by_request.get(request.request_id)
        if known is None:
            known = self._create(request)
            server._commands_by_request[request.request_id] = known
        if server.refusals["AfterCreate"]:
            await server.refusals["AfterCreate"].pop(0).give(context)
        return command_service_pb2.CreateCommandResponse(
            command_id=known, status=command_pb2.COMMAND_STATUS_PENDING
        )

    def _create(self, request: Any) -> str:
        script = self.server.add_command(request.node_id, text=request.command_text)
        if request.HasField("timeout_seconds"):
            script.command.timeout_seconds = request.timeout_seconds
        self.server.on_create(script)
        return script.command.command_id

    async def BatchCreateCommands(self, request: Any, context: Any) -> Any:
        await self.server.enter("BatchCreateCommands", request, context)
        server = self.server
        for index, one in enumerate(request.requests):
            if one.node_id not in server.nodes:
                message = f"requests[{index}].node_id: node {one.node_id!r} does not exist"
                await Refusal(grpc.StatusCode.NOT_FOUND, "NODE_NOT_FOUND", message).give(context)
        known = server._commands_by_request.get(request.request_id)
        if known is None:
            known = " ".join(self._create(one) for one in request.requests)
            server._commands_by_request[request.request_id] = known
        if server.refusals["AfterCreate"]:
            await server.refusals["AfterCreate"].pop(0).give(context)
        commands = [server.scripts[command_id].command for command_id in known.split()]
        return command_service_pb2.BatchCreateCommandsResponse(commands=commands)

    async def BatchGetCommands(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def BatchCancelCommands(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ExplainCommand(self, request: Any, context: Any) -> Any:
        await self.server.enter("ExplainCommand", request, context)
        script = await self._find(request.command_id, context)
        return command_service_pb2.ExplainCommandResponse(
            command=script.command, explanations=self.server.explanations
        )

    async def GetCommand(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetCommand", request, context)
        script = await self._find(request.command_id, context)
        response = command_service_pb2.GetCommandResponse(command=script.command)
        if script.is_complete:
            response.result.command_id = request.command_id
            response.result.stdout = b"".join(d for s, d in script.pieces if s == OUT).decode()
            if script.signal:
                response.result.signal = script.signal
        return response

    async def ListNodeCommands(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListCommands(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListCommands", request, context)
        found = [script.command for script in reversed(self.server.scripts.values())]
        found = [c for c in found if request.node_id in {"", c.target_node_id}]
        found = [c for c in found if request.status in {0, c.status}]
        limit = request.limit if request.HasField("limit") else 50
        return command_service_pb2.ListCommandsResponse(commands=found[:limit], total=len(found))

    async def CancelCommand(self, request: Any, context: Any) -> Any:
        await self.server.enter("CancelCommand", request, context)
        script = await self._find(request.command_id, context)
        if not request.validate_only:
            script.command.cancel_requested = True
            if self.server.confirms_cancels:
                await self.server.finish(script, command_pb2.COMMAND_STATE_CANCELLED, reason="CANCELLED")
        return command_service_pb2.CancelCommandResponse(command=script.command)

    async def WatchCommands(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async for message in _watch(self.server, "WatchCommands", request, context):
            yield command_service_pb2.WatchCommandsResponse(events=message)

    async def ReadCommandOutput(self, request: Any, context: Any) -> AsyncIterator[Any]:
        server = self.server
        server.open_streams += 1
        try:
            await server.enter("ReadCommandOutput", request, context)
            script = await self._find(request.command_id, context)
            breaks = server._breaks
            offset = request.offset
            while True:
                async with server._changed:
                    rows = script.rows(request.stream, offset)
                    is_complete = script.is_complete or not request.follow
                    if not rows and not is_complete and server._breaks == breaks:
                        await server._changed.wait()
                        continue
                if rows:
                    offset = rows[-1].next_offset
                    yield command_service_pb2.ReadCommandOutputResponse(events=server.edit_rows(rows))
                if server._breaks != breaks:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
                if is_complete:
                    end = command_service_pb2.OutputEvent(
                        type=command_service_pb2.OUTPUT_EVENT_TYPE_END,
                        command=script.command,
                        offset=offset,
                        next_offset=offset,
                    )
                    yield command_service_pb2.ReadCommandOutputResponse(events=[end])
                    return
        finally:
            server.open_streams -= 1

    async def _find(self, command_id: str, context: Any) -> Script:
        if command_id not in self.server.scripts:
            await Refusal(
                grpc.StatusCode.NOT_FOUND, "COMMAND_NOT_FOUND", f"command {command_id!r} does not exist"
            ).give(context)
        return self.server.scripts[command_id]


class Metrics(_Servicer):
    async def GetLatestMetric(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetLatestMetric", request, context)
        for metric in self.server.metrics:
            if metric.node_id == request.node_id:
                return metric_service_pb2.GetLatestMetricResponse(metric=metric)
        await Refusal(
            grpc.StatusCode.NOT_FOUND, "NO_METRICS_DATA", "the node has not sent a metric sample"
        ).give(context)
        return None

    async def ListMetrics(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListMetrics", request, context)
        found = [metric for metric in self.server.metrics if metric.node_id == request.node_id]
        return metric_service_pb2.ListMetricsResponse(metrics=found[: request.limit], total=len(found))

    async def ListLatestMetrics(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListLatestMetrics", request, context)
        return metric_service_pb2.ListLatestMetricsResponse(metrics=self.server.metrics)

    async def GetMetricSummary(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetMetricSummary", request, context)
        return metric_service_pb2.GetMetricSummaryResponse(
            node_id=request.node_id, avg_cpu_usage=42.5, max_cpu_usage=89.2, sample_count=120
        )


class Systems(_Servicer):
    async def GetSystemStats(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetSystemStats", request, context)
        return system_service_pb2.GetSystemStatsResponse(total_nodes=len(self.server.nodes))

    async def GetHealth(self, request: Any, context: Any) -> Any:
        return system_service_pb2.GetHealthResponse(status="healthy", database="connected")

    async def GetVersion(self, request: Any, context: Any) -> Any:
        return system_service_pb2.GetVersionResponse(
            version="9.9.9", python_version="3.12.0", database="sqlite"
        )


class Keys(_Servicer):
    async def CreateKey(self, request: Any, context: Any) -> Any:
        await self.server.enter("CreateKey", request, context)
        if request.validate_only:
            return key_service_pb2.CreateKeyResponse(name=request.name)
        key = key_pb2.Key(
            key_id=f"key0000{len(self.server.keys) + 1}",
            name=request.name,
            scopes=request.scopes or [options_pb2.SCOPE_READ],
            namespaces=request.namespaces,
        )
        key.created_at.FromSeconds(int(time.time()))
        if request.HasField("expires_at"):
            key.expires_at.CopyFrom(request.expires_at)
        self.server.keys.insert(0, key)
        secret = "" if request.request_id == "repeated" else f"nsk_{key.key_id}_secret"
        return key_service_pb2.CreateKeyResponse(
            secret=secret or None, key_id=key.key_id, name=key.name, scopes=key.scopes
        )

    async def ListKeys(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListKeys", request, context)
        start = int(request.page_token or 0)
        following = str(start + 2) if start + 2 < len(self.server.keys) else ""
        return key_service_pb2.ListKeysResponse(
            keys=self.server.keys[start : start + 2], next_page_token=following
        )

    async def GetKey(self, request: Any, context: Any) -> Any:
        await self.server.enter("GetKey", request, context)
        return key_service_pb2.GetKeyResponse(key=await self._find(request.key_id, context))

    async def WatchKeys(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async for message in _watch(self.server, "WatchKeys", request, context):
            yield key_service_pb2.WatchKeysResponse(events=message)

    async def UpdateKey(self, request: Any, context: Any) -> Any:
        await self.server.enter("UpdateKey", request, context)
        key = await self._find(request.key_id, context)
        if "name" in request.update_mask.paths and not request.validate_only:
            key.name = request.name
        return key_service_pb2.UpdateKeyResponse(key=key)

    async def RevokeKey(self, request: Any, context: Any) -> Any:
        await self.server.enter("RevokeKey", request, context)
        key = await self._find(request.key_id, context)
        if not request.validate_only:
            key.revoked_at.FromSeconds(int(time.time()))
        return key_service_pb2.RevokeKeyResponse(key=key)

    async def _find(self, key_id: str, context: Any) -> key_pb2.Key:
        for key in self.server.keys:
            if key.key_id == key_id:
                return key
        await Refusal(
            grpc.StatusCode.NOT_FOUND, "KEY_NOT_FOUND", f"API key {key_id!r} does not exist"
        ).give(context)
        raise AssertionError


class JoinTokens(_Servicer):
    async def CreateJoinToken(self, request: Any, context: Any) -> Any:
        await self.server.enter("CreateJoinToken", request, context)
        token = key_pb2.JoinToken(
            token_id=f"tok0000{len(self.server.join_tokens) + 1}", is_reusable=request.is_reusable
        )
        token.created_at.FromSeconds(int(time.time()))
        token.expires_at.FromSeconds(int(time.time()) + (request.ttl_seconds or 3600))
        if not request.validate_only:
            self.server.join_tokens.insert(0, token)
        return join_token_service_pb2.CreateJoinTokenResponse(
            secret=f"nsj_{token.token_id}_secret", join_token=token
        )

    async def ListJoinTokens(self, request: Any, context: Any) -> Any:
        await self.server.enter("ListJoinTokens", request, context)
        return join_token_service_pb2.ListJoinTokensResponse(join_tokens=self.server.join_tokens)

    async def RevokeJoinToken(self, request: Any, context: Any) -> Any:
        await self.server.enter("RevokeJoinToken", request, context)
        token = next(t for t in self.server.join_tokens if t.token_id == request.token_id)
        token.revoked_at.FromSeconds(int(time.time()))
        return join_token_service_pb2.RevokeJoinTokenResponse(join_token=token)


def event(kind: str, node: node_pb2.Node | None = None, cursor: str = "", **fields: Any) -> Any:
    """Returns one row of a node watch."""
    number = watch_pb2.EventType.Value(f"EVENT_TYPE_{kind}")
    return node_service_pb2.NodeEvent(type=number, cursor=cursor, object=node, **fields)
