"""Nodes and their load."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from google.protobuf import timestamp_pb2
from novasphere.node.v1 import (
    metric_pb2,
    metric_service_pb2,
    metric_service_pb2_grpc,
    node_pb2,
    node_service_pb2,
    node_service_pb2_grpc,
)

from novasphere_client.connection import Connection, OnInterruption
from novasphere_client.watches import Watch

NodeWatch = Watch[node_service_pb2.NodeEvent]

_PAGE = 500


class Nodes:
    """Machines and their presence. `metrics` has their load."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = node_service_pb2_grpc.NodeServiceStub(connection.channel)
        self.metrics = Metrics(connection)

    async def list(
        self,
        *,
        status: node_pb2.NodeStatus.ValueType = node_pb2.NODE_STATUS_UNSPECIFIED,
        label_selector: str = "",
        limit: int | None = None,
        offset: int = 0,
    ) -> node_service_pb2.ListNodesResponse:
        """Returns one page of nodes in the order of their ids, and how many match in all."""
        request = node_service_pb2.ListNodesRequest(
            status=status, label_selector=label_selector, limit=limit, offset=offset
        )
        return await self._connection.read(self._service.ListNodes, request)

    async def all(
        self,
        *,
        status: node_pb2.NodeStatus.ValueType = node_pb2.NODE_STATUS_UNSPECIFIED,
        label_selector: str = "",
    ) -> AsyncIterator[node_pb2.Node]:
        """Yields every matching node, page by page; nodes that come or go meanwhile may be missed."""
        offset = 0
        while True:
            page = await self.list(
                status=status, label_selector=label_selector, limit=_PAGE, offset=offset
            )
            for node in page.nodes:
                yield node
            offset += len(page.nodes)
            if not page.nodes or offset >= page.total:
                return

    async def get(self, node_id: str) -> node_pb2.Node:
        """Returns one node by name."""
        request = node_service_pb2.GetNodeRequest(node_id=node_id)
        return (await self._connection.read(self._service.GetNode, request)).node

    async def delete(
        self, node_id: str, *, etag: str = "", request_id: str = "", validate_only: bool = False
    ) -> None:
        """Forgets a node with its metrics and commands. The machine may join again."""
        request = node_service_pb2.DeleteNodeRequest(
            node_id=node_id, etag=etag, request_id=request_id, validate_only=validate_only
        )
        await self._connection.mutate(self._service.DeleteNode, request)

    def watch(
        self,
        *,
        cursor: str = "",
        label_selector: str = "",
        node_id: str = "",
        status: node_pb2.NodeStatus.ValueType = node_pb2.NODE_STATUS_UNSPECIFIED,
        patience: float | None = 60.0,
        on_interruption: OnInterruption | None = None,
    ) -> NodeWatch:
        """Watches nodes; see `Watch`."""
        return Watch(
            self._connection,
            lambda cursor, metadata: self._service.WatchNodes(
                node_service_pb2.WatchNodesRequest(
                    cursor=cursor, label_selector=label_selector, node_id=node_id, status=status
                ),
                metadata=metadata,
            ),
            lambda node: str(node.uid or node.node_id),
            node_service_pb2.NodeEvent,
            cursor=cursor,
            patience=patience,
            on_interruption=on_interruption,
        )


class Metrics:
    """Load samples of nodes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = metric_service_pb2_grpc.MetricServiceStub(connection.channel)

    async def latest(self, node_id: str) -> metric_pb2.Metric:
        """Returns a node's newest sample."""
        request = metric_service_pb2.GetLatestMetricRequest(node_id=node_id)
        return (await self._connection.read(self._service.GetLatestMetric, request)).metric

    async def latest_all(self) -> metric_service_pb2.ListLatestMetricsResponse:
        """Returns the newest sample of every node that has one."""
        request = metric_service_pb2.ListLatestMetricsRequest()
        return await self._connection.read(self._service.ListLatestMetrics, request)

    async def list(
        self,
        node_id: str,
        *,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        limit: int | None = None,
    ) -> metric_service_pb2.ListMetricsResponse:
        """Returns a node's samples, newest first; the window includes its start and not its end."""
        request = metric_service_pb2.ListMetricsRequest(node_id=node_id, limit=limit)
        if start_time is not None:
            request.start_time.CopyFrom(timestamp(start_time))
        if end_time is not None:
            request.end_time.CopyFrom(timestamp(end_time))
        return await self._connection.read(self._service.ListMetrics, request)

    async def summary(
        self, node_id: str, *, start_time: datetime, end_time: datetime
    ) -> metric_service_pb2.GetMetricSummaryResponse:
        """Returns averages and maxima over a window."""
        request = metric_service_pb2.GetMetricSummaryRequest(
            node_id=node_id, start_time=timestamp(start_time), end_time=timestamp(end_time)
        )
        return await self._connection.read(self._service.GetMetricSummary, request)


def timestamp(moment: datetime) -> timestamp_pb2.Timestamp:
    """Returns an aware moment as protobuf says it."""
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone is ambiguous: use datetime.now(tz=UTC)")
    made = timestamp_pb2.Timestamp()
    made.FromDatetime(moment)
    return made
