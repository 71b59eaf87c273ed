"""The agent of this machine, as a child of `novasphere up`."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from novasphere_server import data_dirs, logs
from novasphere_server.settings import Address

log = logs.get(__name__)

NODE_DELETED = 3  # the agent's exit code when its node is gone; it would only fail again
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_HEALTHY_AFTER = 60.0
_PATIENCE = 10.0


class LocalAgent:
    """Runs the agent and starts it again when it dies.

    The child holds the other end of its standard input, and ends when that closes: it cannot outlive
    this process, however this one ends. What it runs for others does.
    """

    def __init__(self, server: Address, data_dir: Path, *, is_log_json: bool) -> None:
        self._command = (
            sys.executable,
            "-m",
            "novasphere_agent",
            *("--server", str(server.reachable)),
            *("--token-file", str(data_dir / data_dirs.JOIN_TOKEN)),
            *("--data-dir", str(data_dir / "agent")),
            *("--log-format", "json" if is_log_json else "plain"),
            "--parent-stdin",
        )
        self._process: asyncio.subprocess.Process | None = None
        self._is_in_haste = False

    async def run(self) -> None:
        """Returns when the agent's node was deleted. Cancelling it stops the agent."""
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            started = clock()
            code = await self._run_once()
            if code == NODE_DELETED:
                log.warning(
                    "this machine's node was deleted: its agent stays stopped; start again to join anew"
                )
                return
            failures = 1 if clock() - started > _HEALTHY_AFTER else failures + 1
            delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(failures - 1, 16))
            delay *= random.uniform(0.5, 1.0)  # noqa: S311 - spreads restarts, guards nothing
            if code is not None:
                log.error("the agent ended", exit_code=code)
            log.info("starting the agent again", seconds=round(delay, 1))
            await asyncio.sleep(delay)

    def kill(self) -> None:
        """Ends the agent without waiting for its goodbye. Whoever calls this cancels run() too."""
        # For an agent that is being started: there is no process yet that could be killed.
        self._is_in_haste = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _run_once(self) -> int | None:
        """Returns the agent's exit code, None when it could not be started."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                # Standard output is ours: one line says that all is ready.
                stdout=sys.stderr.fileno(),
                env=_environment(),
                # Ctrl-C reaches this process alone, which stops the agent in its turn.
                start_new_session=True,
            )
        except OSError as error:  # out of memory or processes: the server goes on without
            log.warning("the agent cannot be started", error=str(error))
            return None
        log.info("agent started", pid=process.pid)
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                await self._stop(process)

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if self._is_in_haste:
            process.kill()
        else:
            process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            log.warning("the agent did not stop in time; killed", pid=process.pid)
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Returns the environment without the server's own settings and secrets."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NOVASPHERE_") or name.startswith("NOVASPHERE_AGENT_")
    }
