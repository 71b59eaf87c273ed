"""`novasphere server` and `novasphere up`, as processes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import aiohttp
import grpc
import grpc.aio
import pytest
from novasphere.api.v1 import key_service_pb2, key_service_pb2_grpc
from novasphere_server.testing import running_server
from processes import is_alive

TOKEN = "a-token-for-this-test"
UP = "import sys; from novasphere_server.cli import up; sys.exit(up(sys.argv[1:]))"
SERVER = ("-m", "novasphere_server")
ANY_PORTS = ("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")


class Program:
    """A server as a process."""

    def __init__(self, process: asyncio.subprocess.Process, data_dir: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        self.url = ""
        self.grpc = ""

    async def ready(self) -> str:
        """Returns the line that says so, after reading the addresses from it."""
        async with asyncio.timeout(180):
            line = (await self.process.stdout.readline()).decode()
        found = re.fullmatch(r"Novasphere is ready: REST (http://\S+), gRPC (\S+)\n", line)
        assert found, line or (await self.process.stderr.read()).decode()
        self.url, self.grpc = found.groups()
        return line

    async def ended(self) -> tuple[int, str, str]:
        async with asyncio.timeout(180):
            out, err = await self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()

    async def get(self, path: str) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as http,
            http.get(path) as response,
        ):
            return response.status, await response.json()


Start = Callable[..., Awaitable[Program]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    programs = []

    async def run(*arguments: str, code: tuple[str, ...] = SERVER, data_dir: str = "data") -> Program:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NOVASPHERE_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *code,
            *("--data-dir", str(tmp_path / data_dir)),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, "NOVASPHERE_ADMIN_TOKEN": TOKEN},
        )
        programs.append(Program(process, tmp_path / data_dir))
        return programs[-1]

    yield run
    for program in programs:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.communicate()


@asynccontextmanager
async def taken_port() -> AsyncIterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_a_server_says_when_it_is_ready_and_ends_cleanly(start: Start):
    server = await start(*ANY_PORTS)
    await server.ready()
    assert await server.get("/livez") == (200, {"status": "alive"})
    status, report = await server.get("/readyz")
    assert (status, report["status"], report["database"]) == (200, "ready", "connected")
    server.process.send_signal(signal.SIGTERM)
    code, out, err = await server.ended()
    assert (code, out) == (0, ""), err
    assert TOKEN not in err


async def test_a_second_server_in_the_same_place_names_the_first(start: Start):
    first = await start(*ANY_PORTS)
    await first.ready()
    second = await start(*ANY_PORTS)
    code, out, err = await second.ended()
    assert (code, out) == (2, "")
    assert f"in use by process {first.process.pid}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("flag", "other"), [("--http", "--grpc"), ("--grpc", "--http")])
async def test_a_port_that_is_taken_is_one_sentence(start: Start, flag: str, other: str):
    async with taken_port() as port:
        server = await start(flag, f"127.0.0.1:{port}", other, "127.0.0.1:0", "--log-level", "error")
        code, out, err = await server.ended()
    assert (code, out) == (2, "")
    (line,) = err.strip().splitlines()
    assert f"127.0.0.1:{port}" in line
    assert f"{flag} HOST:PORT" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "--help"),
        (["--http", "nonsense"], "--http must be HOST:PORT"),
        (["--no-auth", "--http", "0.0.0.0:0"], "loopback"),
        (["--database-url", "mongodb://x"], "sqlite"),
        (
            ["--database-url", "postgresql://u:p@127.0.0.1:1/x"],
            "postgresql://u:***@127.0.0.1:1/x cannot be",
        ),
    ],
)
async def test_what_cannot_work_is_said_in_one_line(start: Start, arguments: list[str], said: str):
    server = await start(*arguments, "--log-level", "error")
    code, out, err = await server.ended()
    assert (code, out) == (2, ""), err
    (line,) = err.strip().splitlines()
    assert said in line


async def test_a_database_of_a_newer_version_is_refused_in_one_line(start: Start, tmp_path: Path):
    async with running_server(tmp_path) as server:
        database = server.app.settings.data_dir / "novasphere.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    program = await start(*ANY_PORTS, "--log-level", "error", data_dir="server")
    code, out, err = await program.ended()
    assert (code, out) == (2, ""), err
    (line,) = err.strip().splitlines()
    assert "run the newer version" in line


async def test_a_database_that_fails_at_the_start_says_so_without_a_traceback(
    start: Start, tmp_path: Path
):
    async with running_server(tmp_path) as server:
        database = server.app.settings.data_dir / "novasphere.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE heartbeats")
    program = await start(*ANY_PORTS, "--log-level", "error", data_dir="server")
    code, out, err = await program.ended()
    assert (code, out) == (2, ""), err
    assert f"the database sqlite:///{database} cannot be used" in err
    assert "Traceback" not in err


async def test_help_is_no_error(start: Start):
    code, out, _ = await (await start("--help")).ended()
    assert code == 0
    for flag in ("--data-dir", "--http", "--grpc", "--database-url", "--no-auth", "--config"):
        assert flag in out


async def test_up_brings_this_machine_and_takes_it_along(start: Start):
    program = await start(*ANY_PORTS, code=("-c", UP))
    await program.ready()
    nodes = await first_nodes(program)
    assert nodes[0]["status"] == "online"
    agent = agent_of(program)
    program.process.send_signal(signal.SIGTERM)
    code, out, err = await program.ended()
    assert (code, out) == (0, ""), err
    assert not is_alive(agent)


async def test_the_agent_cannot_outlive_a_killed_server(start: Start, until):
    program = await start(*ANY_PORTS, code=("-c", UP))
    await program.ready()
    await until(lambda: agent_of(program))
    agent = agent_of(program)
    program.process.kill()
    await until(lambda: not is_alive(agent))


async def test_an_agent_that_dies_is_started_again(start: Start, until):
    program = await start(*ANY_PORTS, code=("-c", UP))
    await program.ready()
    await until(lambda: agent_of(program))
    first = agent_of(program)
    os.kill(first, signal.SIGKILL)
    await until(lambda: agent_of(program) not in (0, first))


async def test_a_server_lives_on_when_its_agent_cannot_be_started(start: Start):
    program = await start(*ANY_PORTS, code=("-c", f"import sys; sys.executable = '/nowhere'; {UP}"))
    await program.ready()
    async with asyncio.timeout(120):
        for _ in range(2):
            while b"the agent cannot be started" not in await program.process.stderr.readline():
                assert program.process.returncode is None
    assert await program.get("/livez") == (200, {"status": "alive"})
    program.process.send_signal(signal.SIGTERM)
    code, _, err = await program.ended()
    assert code == 0, err


async def test_a_second_signal_waits_for_nothing_more(start: Start, until, tmp_path: Path):
    stubborn = tmp_path / "stubborn"
    stubborn.write_text("#!/bin/sh\ntrap '' TERM\nfor i in $(seq 300); do sleep 1; done\n")
    stubborn.chmod(0o700)
    patient = f"import sys; sys.executable = '{stubborn}'; import novasphere_server.local_agent as a; a._PATIENCE = 600"
    program = await start(*ANY_PORTS, code=("-c", f"{patient}; {UP}"))
    await program.ready()
    await until(lambda: children_of(agent_of(program)))  # it has come as far as its loop
    agent = agent_of(program)
    program.process.send_signal(signal.SIGTERM)
    program.process.send_signal(signal.SIGINT)
    code, _, err = await program.ended()  # long before the agent would be out of time
    assert code == 0, err
    assert not is_alive(agent)


async def test_a_drain_may_be_cut_short_before_it_begins_and_after_it_ended(tmp_path: Path, monkeypatch):
    async with running_server(tmp_path, drain_seconds=30.0) as server, server.channel() as channel:
        arrived = asyncio.Event()

        async def never_return(*arguments, **options):
            arrived.set()
            await asyncio.Event().wait()

        request = key_service_pb2.CreateKeyRequest(name="ci")
        stub = key_service_pb2_grpc.KeyServiceStub(channel)
        with monkeypatch.context() as stuck:
            stuck.setattr(server.store, "write", never_return)
            call = stub.CreateKey(request, metadata=server.authorization())
            await asyncio.wait_for(arrived.wait(), 60)
        server.app.hurry()
        async with asyncio.timeout(120):
            await server.app.stop()
        server.app.hurry()
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_without_an_agent_there_is_none(start: Start):
    program = await start(*ANY_PORTS, "--no-agent", code=("-c", UP))
    await program.ready()
    assert agent_of(program) == 0


async def first_nodes(program: Program) -> list[dict]:
    async with asyncio.timeout(120):
        while True:
            if nodes := (await program.get("/api/v1/nodes"))[1]["data"]["nodes"]:
                return nodes
            await asyncio.sleep(0.1)


def agent_of(program: Program) -> int:
    """Returns the pid of the server's agent, 0 when there is none."""
    for pid in children_of(program.process.pid):
        with suppress(OSError):  # it has ended meanwhile
            if b"novasphere_agent" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return 0


def children_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:  # it has ended meanwhile, or never was
        return []
    return [int(child) for child in children.split()]


async def test_a_start_with_nothing_to_migrate_and_no_keys_leaves_out_what_it_does_not_need(
    tmp_path: Path,
) -> None:
    async with running_server(data_dir=tmp_path):
        pass
    start = (
        "import asyncio, sys, pathlib\n"
        "from novasphere_server.testing import running_server\n"
        "async def start():\n"
        "    async with running_server(data_dir=pathlib.Path(sys.argv[1])):\n"
        "        print([name for name in ('alembic', 'jwt', 'cryptography') if name in sys.modules])\n"
        "asyncio.run(start())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 180)
    assert b"[]" in said.splitlines(), said  # among lines of the log
