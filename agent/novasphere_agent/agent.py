"""Puts an agent together and runs it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import signal
from concurrent.futures import ThreadPoolExecutor

from novasphere_agent import parents, processes, profile, runtimes
from novasphere_agent.attempts import Attempts
from novasphere_agent.identity import Identity, IdentityFile
from novasphere_agent.journal import Journal
from novasphere_agent.launcher import Launcher, SpawnFailed
from novasphere_agent.link import Link, NodeDeleted
from novasphere_agent.metrics import Sampler
from novasphere_agent.runtimes import Runtimes
from novasphere_agent.settings import Settings
from novasphere_agent.tasks import Tasks

EXIT_STOPPED = 0
EXIT_NODE_DELETED = 3
# For what waits on the disk; more would not make it faster.
_WORKERS = 4
_KILL_SECONDS = 30.0
# How long an agent that stops waits for what it is about to start.
_LAUNCH_SECONDS = 2.0

log = logging.getLogger(__name__)


async def run(
    settings: Settings, identity_file: IdentityFile, identity: Identity, *, ends_with_stdin: bool = False
) -> int:
    """Runs until a signal, the parent's end, or the node's deletion; returns the exit code.

    Whoever calls this holds the lock of the data directory.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    boot_id = processes.boot_id()
    identity = dataclasses.replace(identity, incarnation=identity.incarnation + 1)
    try:
        identity_file.store(identity)
    except OSError as error:
        # What runs is to be taken over all the same.
        log.error("the data directory cannot be written: %s", error)  # noqa: TRY400 - the disk is at fault
    workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="agent")
    sampler = Sampler(settings.data_dir)
    launcher = Launcher()
    tasks = Tasks()
    machine = profile.describe(
        sampler,
        labels=settings.labels,
        role=settings.role,
        capabilities=runtimes.capabilities(settings.allowed),
    )
    attempts = Attempts(
        Journal(settings.data_dir),
        launcher,
        Runtimes(machine),
        capacity=settings.capacity,
        boot_id=boot_id,
        workers=workers,
        tasks=tasks,
    )
    link = Link(
        settings, identity_file, identity, attempts, sampler, machine, boot_id=boot_id, workers=workers
    )
    try:
        with contextlib.suppress(SpawnFailed):  # said again, to the server, with the first attempt
            await launcher.prepare()
        await attempts.recover()
        tasks.start(attempts.follow_output(), name="output")
        if ends_with_stdin:
            tasks.start(_stop_with_stdin(stop), name="stdin")
        talking = asyncio.ensure_future(link.run(stop))
        try:
            await asyncio.wait({talking, tasks.failed}, return_when=asyncio.FIRST_COMPLETED)
            if tasks.failed.done():
                tasks.failed.result()
            talking.result()
        except NodeDeleted:
            log.error("this node was deleted on the server: ending its work and forgetting who it was")  # noqa: TRY400
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(attempts.kill_all(), _KILL_SECONDS)
            identity_file.forget()
            return EXIT_NODE_DELETED
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
        await attempts.launched(_LAUNCH_SECONDS)
        log.info("stopped; what runs goes on without the agent")
        return EXIT_STOPPED
    finally:
        await tasks.close()
        await launcher.close()
        workers.shutdown(wait=False, cancel_futures=True)


async def _stop_with_stdin(stop: asyncio.Event) -> None:
    await parents.wait_for_closed_stdin()
    log.info("the process that started the agent is gone")
    stop.set()
