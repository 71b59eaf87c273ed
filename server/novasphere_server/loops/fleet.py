"""Every loop that the fleet needs, on one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from novasphere_server.clock import Clock
from novasphere_server.core.fleet import Fleet
from novasphere_server.loops.dependencies import DependencyLoop
from novasphere_server.loops.due import DueLoop
from novasphere_server.loops.expiry import ExpiryLoop
from novasphere_server.loops.flush import FlushLoop
from novasphere_server.loops.ledger import LedgerLoop
from novasphere_server.loops.presence import PresenceLoop
from novasphere_server.loops.retention import RetentionLoop
from novasphere_server.loops.rollups import RollupLoop
from novasphere_server.loops.scheduler import Scheduler
from novasphere_server.loops.servers import ServersLoop


def loops(fleet: Fleet, clock: Clock) -> dict[str, Callable[[], Awaitable[None]]]:
    """Returns the loops by name, in the order in which to start them."""
    settings = fleet.settings
    found: dict[str, Callable[[], Awaitable[None]]] = {
        "presence": PresenceLoop(fleet.presence, fleet.links, period=settings.presence_period).run,
        "expiry": ExpiryLoop(fleet.tasks, fleet.presence, clock, period=settings.expiry_period).run,
        "due": DueLoop(
            fleet.tasks,
            fleet.links,
            clock,
            is_shared=not fleet.servers.is_alone,
            period=settings.due_period,
        ).run,
        "scheduler": Scheduler(fleet.schedules, fleet.tasks, clock).run,
        "dependencies": DependencyLoop(fleet.dependencies, fleet.tasks).run,
        "flush": FlushLoop(
            fleet.metrics,
            fleet.presence,
            period=settings.flush_period,
            heartbeat_period=settings.heartbeat_flush_period,
        ).run,
        "ledger": LedgerLoop(fleet.ledger_check, clock, period=settings.ledger_check_interval).run,
        "retention": RetentionLoop(
            fleet.tasks,
            fleet.schedules,
            clock,
            terminal_retention=settings.terminal_retention,
            period=settings.retention_period,
        ).run,
        "rollups": RollupLoop(fleet.metrics, period=settings.retention_period).run,
    }
    if not fleet.servers.is_alone:
        found["servers"] = ServersLoop(fleet.servers, lease=settings.server_lease).run
    return found
