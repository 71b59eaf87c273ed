"""A control plane of real processes: a server, agents, and the ways to kill them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from novasphere_client import Client
from ports import reserve_port

GATEWAY = "import sys; from novasphere_server.cli import gateway; sys.exit(gateway(sys.argv[1:]))"
NOVASPHERE = str(Path(sys.executable).with_name("novasphere"))
TOKEN = "test-admin-token-0123456789"
START_SECONDS = 120.0


async def eventually(
    check: Callable[[], Awaitable[Any]], *, within: float = 60.0, every: float = 0.05
) -> Any:
    """Returns the first truthy result of `check`, which may raise meanwhile; fails after `within` seconds."""
    deadline = time.monotonic() + within
    last: BaseException | None = None
    while True:
        try:
            result = await check()
            if result:
                return result
            last = None
        except Exception as error:  # noqa: BLE001 - the last one is shown when time is up
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within} s: {check.__qualname__} ({last!r})")
        await asyncio.sleep(every)


def is_alive(pid: int) -> bool:
    """Returns whether a process runs. One that has ended may stay where nobody waits for it."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@dataclass
class Process:
    """One of our programs, its output kept in a file."""

    arguments: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        assert self.running is None or self.running.returncode is not None
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"NOVASPHERE_ADMIN_TOKEN": TOKEN} | self.environment,
            )

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    @property
    def rss_kib(self) -> int:
        """How much memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    async def kill(self) -> None:
        """Kills it as a power cut would: no handler runs."""
        await self.signal(signal.SIGKILL)

    async def terminate(self, within: float = 120.0) -> int:
        return await self.signal(signal.SIGTERM, within)

    async def signal(self, number: int, within: float = 120.0) -> int:
        assert self.running is not None
        with contextlib.suppress(ProcessLookupError):
            self.running.send_signal(number)
        return await asyncio.wait_for(self.running.wait(), within)

    async def stop(self) -> None:
        if self.running is None or self.running.returncode is not None:
            return
        try:
            await self.terminate(15)
        except TimeoutError:
            await self.kill()

    def output(self) -> str:
        return self.log.read_text(errors="replace")


class ControlPlane:
    """A server on fixed ports, so that clients find it again after a restart, and its agents."""

    def __init__(
        self,
        folder: Path,
        *server_arguments: str,
        command: str = "server",
        database_url: str = "",
        grpc_host: str = "127.0.0.1",
        **environment: str,
    ) -> None:
        self.folder = folder
        self.http_port, self.grpc_port = reserve_port(), reserve_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.address = f"{grpc_host}:{self.grpc_port}"
        self.data_dir = folder / "data"
        self.database_url = database_url or f"sqlite:///{self.data_dir}/novasphere.db"
        arguments = [
            NOVASPHERE, command, "--data-dir", str(self.data_dir),
            "--database-url", self.database_url,
            "--http", f"127.0.0.1:{self.http_port}", "--grpc", self.address, *server_arguments,
        ]  # fmt: skip
        self.server = Process(arguments, folder / "server.log", environment)
        self.agents: dict[str, Process] = {}
        self.gateway: Process | None = None

    async def start(self) -> None:
        await self.server.start()
        await self.ready()

    async def ready(self) -> None:
        async def is_ready() -> bool:
            running = self.server.running
            if running is not None and running.returncode is not None:
                pytest_fail(
                    f"the server ended with {running.returncode}:\n{self.server.output()[-4000:]}"
                )
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200

        await eventually(is_ready, within=START_SECONDS)

    async def start_gateway(self, *arguments: str) -> Process:
        """Starts a gateway of its own in front of the server; what is asked from now on goes through it."""
        port = reserve_port()
        command = [
            sys.executable, "-c", GATEWAY, "--server", self.address, "--http", f"127.0.0.1:{port}",
            *arguments,
        ]  # fmt: skip
        self.gateway = Process(command, self.folder / "gateway.log")
        self.url = f"http://127.0.0.1:{port}"
        await self.gateway.start()
        await self.ready()
        return self.gateway

    async def restart(self) -> None:
        """Kills the server and starts it again."""
        await self.server.kill()
        await self.start()

    async def add_agent(
        self, name: str = "node-001", *arguments: str, inside: Sequence[str] = (), **environment: str
    ) -> Process:
        """Starts an agent, by way of the command `inside` if there is one; waits until its node is online."""
        command = [
            *inside, sys.executable, "-m", "novasphere_agent", "--server", self.address, "--name", name,
            "--data-dir", str(self.folder / name), *arguments,
        ]  # fmt: skip
        agent = Process(
            command, self.folder / f"{name}.log", {"NOVASPHERE_JOIN_TOKEN": TOKEN} | environment
        )
        self.agents[name] = agent
        await agent.start()
        await self.node_is("online", name)
        return agent

    async def node_is(
        self, status: str, name: str = "node-001", within: float = 120.0
    ) -> dict[str, Any]:
        async def check() -> Any:
            answer = await self.rest("GET", f"/api/v1/nodes/{name}")
            return answer["data"] if answer["data"]["status"] == status else None

        return await eventually(check, within=within)

    async def rest(
        self, method: str, path: str, body: Any = None, *, status: int | None = 200, **headers: str
    ) -> Any:
        """Returns the JSON answer of one request and checks its status."""
        timeout = aiohttp.ClientTimeout(total=60)
        headers = {"Authorization": f"Bearer {TOKEN}"} | headers
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            text = await answer.text()
            assert status is None or answer.status == status, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None)

    async def metrics(self, name: str) -> dict[str, float]:
        """Returns a metric's values by labels, as they are printed."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(f"{self.url}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        found = (line.rsplit(" ", 1) for line in lines if line.startswith((f"{name}{{", f"{name} ")))
        return {series.removeprefix(name): float(value) for series, value in found}

    def client(self) -> Any:
        """Returns an SDK client, an async context manager."""
        return Client.connect(server=self.address, token=TOKEN)

    async def novasphere(self, *arguments: str, within: float = 120.0) -> tuple[int, str, str]:
        """Runs the command line; returns exit code, stdout and stderr."""
        process = await self.start_cli(*arguments)
        stdout, stderr = await asyncio.wait_for(process.communicate(), within)
        return process.returncode or 0, stdout.decode(), stderr.decode()

    async def start_cli(self, *arguments: str) -> asyncio.subprocess.Process:
        environment = os.environ | {"NOVASPHERE_SERVER": self.address, "NOVASPHERE_TOKEN": TOKEN}
        return await asyncio.create_subprocess_exec(
            NOVASPHERE, *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=environment,
        )  # fmt: skip

    async def stop(self) -> None:
        for agent in self.agents.values():
            await agent.stop()
        if self.gateway is not None:
            await self.gateway.stop()
        await self.server.stop()


def pytest_fail(message: str) -> None:
    import pytest

    pytest.fail(message, pytrace=False)


@contextlib.asynccontextmanager
async def control_plane(
    folder: Path,
    *server_arguments: str,
    command: str = "server",
    database_url: str = "",
    grpc_host: str = "127.0.0.1",
    **environment: str,
) -> AsyncIterator[ControlPlane]:
    """Runs a server for as long as the block lasts, or what else `novasphere` starts one with."""
    plane = ControlPlane(
        folder,
        *server_arguments,
        command=command,
        database_url=database_url,
        grpc_host=grpc_host,
        **environment,
    )
    try:
        await plane.start()
        yield plane
    finally:
        await plane.stop()
