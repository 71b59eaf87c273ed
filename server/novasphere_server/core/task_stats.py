"""What became of tasks, counted. The database counts: what is read here is a row a group and state, never a row a
task.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from novasphere.fleet.v1 import stats_service_pb2 as api
from novasphere.fleet.v1 import task_pb2
from novasphere.fleet.v1 import task_stats_pb2 as pb

from novasphere_server.clock import Clock
from novasphere_server.core import pages, task_counts
from novasphere_server.core.device_tasks import STATUS
from novasphere_server.core.principals import Principal
from novasphere_server.core.task_counts import Group
from novasphere_server.store.store import Store

_HOURS: dict[pb.StatsPeriod.ValueType, int] = {
    pb.STATS_PERIOD_HOUR: 1,
    pb.STATS_PERIOD_DAY: 24,
    pb.STATS_PERIOD_WEEK: 7 * 24,
    pb.STATS_PERIOD_MONTH: 30 * 24,
}
_GROUPS: dict[pb.TaskStatsGrouping.ValueType, Group] = {
    pb.TASK_STATS_GROUPING_DEVICE: Group.DEVICE,
    pb.TASK_STATS_GROUPING_TASK_TYPE: Group.TASK_TYPE,
    pb.TASK_STATS_GROUPING_HOUR: Group.HOUR,
}
_RAN = (task_pb2.TASK_STATUS_COMPLETED, task_pb2.TASK_STATUS_FAILED)


@dataclass(slots=True)
class _Count:
    """Tasks that ended, and how long those ran that completed or failed."""

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    ran: int = 0
    ran_ms: int = 0

    @property
    def total(self) -> int:
        return self.completed + self.failed + self.cancelled

    def add(self, row: sa.Row[Any]) -> None:
        """Counts tasks that ended in one state."""
        status = STATUS[row.state]
        if status == task_pb2.TASK_STATUS_COMPLETED:
            self.completed += int(row.tasks)
        elif status == task_pb2.TASK_STATUS_CANCELLED:
            self.cancelled += int(row.tasks)
        else:
            self.failed += int(row.tasks)
        if status in _RAN:
            self.ran += int(row.ran)
            self.ran_ms += int(row.ran_ms)

    def rate(self, shown: pb.TaskStats | pb.TaskGroup) -> None:
        """Writes how long tasks ran, and how many completed, where there are any."""
        if self.ran:
            shown.average_execution_time = round(self.ran_ms / self.ran / 1000, 3)
        if self.total:
            shown.success_rate = round(self.completed / self.total * 100, 1)


class TaskStats:
    """Counts of the tasks that ended."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def count(self, principal: Principal, request: api.GetTaskStatsRequest) -> pb.TaskStats:
        """Returns the counts, as far as the principal may see the tasks."""
        period = request.period or pb.STATS_PERIOD_DAY
        grouping = request.group_by or pb.TASK_STATS_GROUPING_DEVICE
        since_us = self._clock.now_us() - _HOURS[period] * task_counts.HOUR_US
        everything = _Count()
        groups: defaultdict[str | int, _Count] = defaultdict(_Count)
        statement = task_counts.since(since_us, _GROUPS[grouping], pages.reachable(principal))
        for row in await self._store.read(statement):
            everything.add(row)
            groups[row.group].add(row)
        groups.pop("", None)  # no device was given them
        stats = pb.TaskStats(
            period=period,
            group_by=grouping,
            total_tasks=everything.total,
            by_status=pb.TaskCounts(
                completed=everything.completed,
                failed=everything.failed,
                cancelled=everything.cancelled,
            ),
        )
        everything.rate(stats)
        shown = {
            pb.TASK_STATS_GROUPING_DEVICE: stats.by_device,
            pb.TASK_STATS_GROUPING_TASK_TYPE: stats.by_task_type,
            pb.TASK_STATS_GROUPING_HOUR: stats.by_hour,
        }[grouping]
        for key, count in groups.items():
            group = shown[key if isinstance(key, str) else _hour(key)]
            group.completed = count.completed
            group.failed = count.failed
            group.cancelled = count.cancelled
            count.rate(group)
        return stats


def _hour(begin_us: int) -> str:
    return datetime.fromtimestamp(begin_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
