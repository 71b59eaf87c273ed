"""Counts over RPC."""

from __future__ import annotations

from novasphere.fleet.v1 import stats_service_pb2 as pb

from novasphere_server.core.task_stats import TaskStats
from novasphere_server.rpc.context import CallContext


class StatsService:
    """Serves novasphere.fleet.v1.StatsService."""

    def __init__(self, tasks: TaskStats) -> None:
        self._tasks = tasks

    async def GetTaskStats(
        self, request: pb.GetTaskStatsRequest, context: CallContext
    ) -> pb.GetTaskStatsResponse:
        return pb.GetTaskStatsResponse(task_stats=await self._tasks.count(context.principal, request))
