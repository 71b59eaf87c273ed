"""Many agents in one process: the agent's own link, with its own patience, and no work to do.

python herd_process.py HOST:PORT COUNT DATA_DIR    (the join token in NOVASPHERE_JOIN_TOKEN)
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from novasphere_agent import processes, profile
from novasphere_agent.attempts import Attempts
from novasphere_agent.identity import Identity, IdentityFile
from novasphere_agent.journal import Journal
from novasphere_agent.launcher import Launcher
from novasphere_agent.link import Link
from novasphere_agent.metrics import Sampler
from novasphere_agent.runtimes import Runtimes
from novasphere_agent.settings import Settings
from novasphere_agent.tasks import Tasks


def link(settings: Settings, workers: ThreadPoolExecutor) -> Link:
    """Puts one agent together, as agent.run() does."""
    settings.data_dir.mkdir(parents=True)
    sampler = Sampler(settings.data_dir)
    boot_id = processes.boot_id()
    machine = profile.describe(sampler, labels={}, role="", capabilities=list(settings.allowed))
    attempts = Attempts(
        Journal(settings.data_dir),
        Launcher(),  # never started: nothing is dispatched to a herd
        Runtimes(machine),
        capacity=settings.capacity,
        boot_id=boot_id,
        workers=workers,
        tasks=Tasks(),
    )
    file = IdentityFile(settings.data_dir)
    return Link(
        settings, file, Identity(incarnation=1), attempts, sampler, machine,
        boot_id=boot_id, workers=workers,
    )  # fmt: skip


async def run(address: str, count: int, folder: Path) -> None:
    host, _, port = address.rpartition(":")
    token = os.environ["NOVASPHERE_JOIN_TOKEN"]
    stop = asyncio.Event()
    with ThreadPoolExecutor(8) as workers:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                name = f"herd-{number:04}"
                settings = Settings(
                    host=host,
                    port=int(port),
                    name=name,
                    data_dir=folder / name,
                    token=token,
                    is_name_given=True,
                )
                group.create_task(link(settings, workers).run(stop), name=name)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
