"""Server processes to measure, and the load generators that measure them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import jwt
import psycopg

from bench import environments

TOKEN = "bench-admin-token-0123456789"
JWT_SECRET = "bench-jwt-secret-0123456789-0123456789"
START_SECONDS = 30
NOVASPHERE = str(Path(sys.executable).with_name("novasphere"))


def need(program: str, package: str) -> str:
    """Returns the program's path, or leaves with a word on how to get it."""
    path = shutil.which(program)
    if path is None:
        sys.exit(f"bench needs `{program}`: apt-get install {package}")
    return path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            said = log.read().decode()
            sys.exit(f"a server to measure ended with exit code {process.returncode}: {said}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    sys.exit(f"a server to measure did not listen within {START_SECONDS} s")


@contextlib.contextmanager
def running(*command: str, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server for as long as the block lasts."""
    # A file: a pipe that nobody reads would stop it in the middle of a line.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            wait_for_port(port, process, log)
            yield process
        finally:
            end(process)


@contextlib.contextmanager
def baseline(name: str) -> Iterator[int]:
    """Runs one of bench.baselines; yields its port."""
    port = free_port()
    with running(sys.executable, "-m", "bench.baselines", name, str(port), port=port):
        yield port


@contextlib.contextmanager
def fastapi_constant() -> Iterator[int]:
    """Runs bench.fastapi_constant; yields its port. Raises measure.Unavailable."""
    port = free_port()
    python = environments.python("fastapi", environments.FASTAPI)
    with running(python, "-m", "bench.fastapi_constant", str(port), port=port, PYTHONPATH="."):
        yield port


@dataclass(frozen=True)
class Novasphere:
    http_port: int
    grpc_port: int
    pid: int
    database: str  # a file of SQLite's, or the URL of a database

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Returns what the database itself says, behind the server's back."""
        if self.database.startswith("postgresql:"):
            with psycopg.connect(self.database) as served:
                return served.execute(statement.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as file:
            return file.execute(statement).fetchall()

    def new_key(self) -> str:
        """Returns the secret of a new API key that may read."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/api/v1/keys",
            data=json.dumps({"name": "bench", "scopes": ["read"]}).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            secret: str = json.load(answer)["key"]
        return secret


def new_jwt() -> str:
    """Returns a signed token that may read, for an hour."""
    claims = {"sub": "bench", "iss": "bench", "scope": "read", "exp": int(time.time()) + 3600}
    return jwt.encode(claims, JWT_SECRET, algorithm="HS256")


@contextlib.contextmanager
def novasphere(*before: str, database_url: str = "") -> Iterator[Novasphere]:
    """Runs a server of ours with default settings on a new data directory, or on a PostgreSQL database.

    `before` goes in front of its command line, as `taskset` does.
    """
    http_port, grpc_port = free_port(), free_port()
    elsewhere = ("--database-url", database_url) if database_url else ()
    with tempfile.TemporaryDirectory() as folder, running(
        *before, NOVASPHERE, "server", "--data-dir", str(Path(folder) / "data"),
        "--http", f"127.0.0.1:{http_port}", "--grpc", f"127.0.0.1:{grpc_port}", *elsewhere,
        port=http_port, NOVASPHERE_ADMIN_TOKEN=TOKEN, NOVASPHERE_JWT_SECRET=JWT_SECRET,
    ) as process:  # fmt: skip
        file = str(Path(folder) / "data" / "novasphere.db")
        yield Novasphere(http_port, grpc_port, process.pid, database_url or file)


@contextlib.contextmanager
def gateway_apart(server: Novasphere) -> Iterator[int]:
    """Runs a gateway in front of a server, over a channel; yields its port."""
    port = free_port()
    with running(
        NOVASPHERE, "gateway", "--server", f"127.0.0.1:{server.grpc_port}", "--http", f"127.0.0.1:{port}",
        port=port,
    ):  # fmt: skip
        yield port


@contextlib.contextmanager
def agent(server: Novasphere, name: str) -> Iterator[int]:
    """Runs a real agent until the block ends; yields its pid once it is online."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                NOVASPHERE, "agent", "--server", f"127.0.0.1:{server.grpc_port}", "--token", TOKEN,
                "--name", name, "--data-dir", folder,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{server.http_port}/api/v1/nodes/{name}", b'"ONLINE"')
            yield process.pid
        finally:
            end(process)


def wait_for(url: str, sign: bytes = b"", *, token: str = TOKEN, every: float = 0.02) -> None:
    """Returns once an address answers with success, and with `sign` somewhere in its answer."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            if sign in answer.read():
                return
        time.sleep(every)
    sys.exit(f"{url} did not answer with {sign.decode()!r} within {START_SECONDS} s")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(35)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wrk(url: str, *, token: str = TOKEN, seconds: int = 3, connections: int = 32) -> float:
    """Returns requests per second; every answer must be a 2xx."""
    command = [
        need("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s",
        "-H", f"Authorization: Bearer {token}", url,
    ]  # fmt: skip
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=seconds + 30
    ).stdout
    if "Non-2xx" in output:
        sys.exit(f"{url} answered errors:\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found, output
    return float(found[1])


def h2load(port: int, path: str, body: bytes, *, token: str = TOKEN, requests: int = 12000) -> float:
    """Returns unary gRPC calls per second from a C client with 64 in flight."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0" + len(body).to_bytes(4, "big") + body)
        file.flush()
        command = [
            need("h2load", "nghttp2-client"), f"-n{requests}", "-c4", "-m16", "-t1", "-d", file.name,
            "-H", "content-type: application/grpc", "-H", "te: trailers",
            "-H", f"authorization: Bearer {token}", f"http://127.0.0.1:{port}{path}",
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", output)
    good = re.search(r"(\d+) succeeded, 0 failed", output)
    assert found, output
    assert good, output
    assert int(good[1]) == requests, output
    return float(found[1])
