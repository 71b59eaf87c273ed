"""A process that rolls samples up in small steps: `python rollup_process.py DATABASE NOW_US`."""

from __future__ import annotations

import asyncio
import sys

from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.metrics import Metrics
from novasphere_server.store.store import Store
from store_samples import StandingClock


async def main(path: str, now_us: int) -> None:
    clock = StandingClock()
    clock.us = now_us
    store = await Store.open(f"sqlite:///{path}", clock=clock)
    await Metrics(store, clock, FleetSettings(metrics_rollup_step=7)).roll_up()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
