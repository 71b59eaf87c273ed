"""Nodes, their links and their work, put together."""

from __future__ import annotations

from novasphere_server.backlogs import Backlog
from novasphere_server.clock import Clock
from novasphere_server.core import identities
from novasphere_server.core.agents import Agents
from novasphere_server.core.command_batches import CommandBatches
from novasphere_server.core.commands import Commands
from novasphere_server.core.dependencies import Dependencies
from novasphere_server.core.device_tasks import DeviceTasks
from novasphere_server.core.explanations import Explanations
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.jobs import Jobs
from novasphere_server.core.ledger_checks import LedgerCheck
from novasphere_server.core.links import JoinTokens, Links
from novasphere_server.core.metrics import Metrics
from novasphere_server.core.nodes import Nodes
from novasphere_server.core.outputs import Outputs
from novasphere_server.core.presence import Presence
from novasphere_server.core.schedule_explanations import ScheduleExplanations
from novasphere_server.core.schedule_tasks import ScheduleTasks
from novasphere_server.core.schedule_times import ScheduleTimes
from novasphere_server.core.schedules import Schedules
from novasphere_server.core.server_rows import ServerRows
from novasphere_server.core.servers import Servers
from novasphere_server.core.task_explanations import TaskExplanations
from novasphere_server.core.task_stats import TaskStats
from novasphere_server.core.tasks import Tasks
from novasphere_server.store.store import Store


class Fleet:
    """Everything about nodes that a server process has once."""

    def __init__(
        self, store: Store, clock: Clock, settings: FleetSettings, join_tokens: JoinTokens
    ) -> None:
        self.settings = settings
        self.store = store
        # The order counts: each hears of a commit before those that build on it.
        self.servers = Servers(store, clock, settings)
        self.presence = Presence(store, clock, settings, self.servers)
        self.metrics = Metrics(store, clock, settings)
        self.nodes = Nodes(store)
        self.tasks = Tasks(store)
        self.jobs = Jobs(store, settings)
        self.server_rows = ServerRows(store, clock, self.servers)
        self.agents = Agents(store, self.nodes, self.presence)
        self.commands = Commands(store, settings, self.tasks)
        self.command_batches = CommandBatches(store, settings)
        self.outputs = Outputs(store, self.tasks, self.commands)
        self.links = Links(
            store,
            settings,
            join_tokens=join_tokens,
            tasks=self.tasks,
            presence=self.presence,
            metrics=self.metrics,
            outputs=self.outputs,
            servers=self.servers,
        )
        self.schedule_tasks = ScheduleTasks(store, settings, self.tasks)
        self.dependencies = Dependencies(store)
        self.schedules = Schedules(store, settings)
        self.schedule_times = ScheduleTimes(store, clock, self.schedules)
        self.ledger_check = LedgerCheck(
            store.read, retention_us=int(settings.terminal_retention * 1_000_000)
        )
        self.device_tasks = DeviceTasks(store, settings, self.tasks, self.links)
        self.task_stats = TaskStats(store, clock)
        self.explanations = Explanations(store, clock, self.commands, self.presence, self.links)
        self.task_explanations = TaskExplanations(store, clock, self.presence, self.links)
        self.schedule_explanations = ScheduleExplanations(
            store, clock, self.schedules, self.schedule_times
        )

    def backlogs(self) -> dict[str, Backlog]:
        """Returns what is to be deleted of what, by name."""
        return {"tasks": self.tasks.backlog, "samples": self.metrics.backlog}

    async def start(self) -> None:
        """Takes up what the last process left. To be called before anything is served."""
        await identities.follow_history(self.store)
        if not self.servers.is_alone:
            await self.servers.beat()
        await self.store.recall()
        await self.presence.start()

    async def close(self) -> None:
        """Sends the agents away, and stores what they said last."""
        await self.links.close()
        await self.metrics.flush()
        await self.presence.flush()
        await self.servers.leave()
