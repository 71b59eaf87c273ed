"""How long a start takes, and what server and agent take while nothing happens. No goals: told as they are."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from bench import processes, servers
from bench.measure import Figure, Row

SETTLE_SECONDS = 3.0


def _start() -> tuple[float, ...]:
    """Starts everything as `make up` does, on a new data directory.

    Returns the seconds to /readyz and to the first node that is online, and the memory of server and agent.
    """
    http_port, grpc_port = servers.free_port(), servers.free_port()
    base = f"http://127.0.0.1:{http_port}"
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        process = subprocess.Popen(
            [
                servers.NOVASPHERE, "up", "--data-dir", folder,
                "--http", f"127.0.0.1:{http_port}", "--grpc", f"127.0.0.1:{grpc_port}",
            ],
            env=os.environ | {"NOVASPHERE_ADMIN_TOKEN": servers.TOKEN},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            servers.wait_for(f"{base}/readyz")
            ready = time.perf_counter() - start
            servers.wait_for(f"{base}/api/v1/nodes", b'"ONLINE"')
            online = time.perf_counter() - start
            time.sleep(SETTLE_SECONDS)
            [agent] = processes.children(process.pid)
            return ready, online, processes.rss_mib(process.pid), processes.tree_rss_mib(agent)
        finally:
            servers.end(process)


def run(rounds: int) -> list[Row]:
    _start()  # thrown away: it fills the caches of files
    ready, online, server, agent = zip(*(_start() for _ in range(rounds)), strict=True)
    return [
        Figure("start", "`novasphere up` until /readyz", "s", ready),
        Figure("start", "the same until its node is online", "s", online),
        Figure("start", "memory of an idle server", "MiB", server),
        Figure("start", "memory of an idle agent", "MiB", agent),
    ]
