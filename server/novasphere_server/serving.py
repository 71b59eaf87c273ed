"""Runs a server as this process: until SIGTERM or SIGINT, with or without the machine's own agent."""

from __future__ import annotations

import asyncio
import signal

import uvloop

from novasphere_server import garbage, logs
from novasphere_server.app import App
from novasphere_server.local_agent import LocalAgent
from novasphere_server.settings import Settings


def run(settings: Settings, *, has_agent: bool) -> None:
    """Returns after the drain. Raises CannotStart."""
    uvloop.run(_serve(settings, has_agent=has_agent))


async def _serve(settings: Settings, *, has_agent: bool) -> None:
    app = App(settings)
    local: LocalAgent | None = None
    stopping = asyncio.Event()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            app.announce_stop()
            return
        app.hurry()
        if local is not None:
            local.kill()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with app, asyncio.TaskGroup() as children:
        garbage.look_seldom()
        agent = None
        if has_agent:
            is_json = logs.is_json(settings.log.format)
            local = LocalAgent(app.grpc_address, settings.data_dir, is_log_json=is_json)
            agent = children.create_task(local.run(), name="local agent")
        print(  # noqa: T201 - the one line of data
            f"Novasphere is ready: REST http://{app.http_address.reachable}, "
            f"gRPC {app.grpc_address.reachable}",
            flush=True,
        )
        await stopping.wait()
        # Before the drain: the agent says goodbye on a link that still works.
        if agent is not None:
            agent.cancel()
