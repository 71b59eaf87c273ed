"""Load samples over RPC."""

from __future__ import annotations

from novasphere.node.v1 import metric_service_pb2 as pb

from novasphere_server.core.metrics import Metrics
from novasphere_server.rpc.context import CallContext

_LIMIT = 100


class MetricService:
    """Serves novasphere.node.v1.MetricService."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def GetLatestMetric(
        self, request: pb.GetLatestMetricRequest, context: CallContext
    ) -> pb.GetLatestMetricResponse:
        return pb.GetLatestMetricResponse(metric=await self._metrics.latest(request.node_id))

    async def ListMetrics(
        self, request: pb.ListMetricsRequest, context: CallContext
    ) -> pb.ListMetricsResponse:
        rows, total = await self._metrics.list(
            request.node_id,
            request.start_time if request.HasField("start_time") else None,
            request.end_time if request.HasField("end_time") else None,
            limit=request.limit if request.HasField("limit") else _LIMIT,
        )
        return pb.ListMetricsResponse(metrics=rows, total=total)

    async def ListLatestMetrics(
        self, request: pb.ListLatestMetricsRequest, context: CallContext
    ) -> pb.ListLatestMetricsResponse:
        return pb.ListLatestMetricsResponse(metrics=await self._metrics.latest_of_all())

    async def GetMetricSummary(
        self, request: pb.GetMetricSummaryRequest, context: CallContext
    ) -> pb.GetMetricSummaryResponse:
        return await self._metrics.summarise(request.node_id, request.start_time, request.end_time)
