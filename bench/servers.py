"""Server processes to measure, and the load generators that measure them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOKEN = "bench-admin-token-0123456789"
START_SECONDS = 30


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


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"a server to measure ended with exit code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    sys.exit(f"a server to measure did not listen within {START_SECONDS} s")


@contextlib.contextmanager
def running(*command: str, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server for as long as the block lasts."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(35)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def baseline(name: str) -> Iterator[int]:
    """Runs one of bench.baselines; yields its port."""
    port = free_port()
    with running(sys.executable, "-m", "bench.baselines", name, str(port), port=port):
        yield port


@dataclass(frozen=True)
class Novasphere:
    http_port: int
    grpc_port: int
    pid: int


@contextlib.contextmanager
def novasphere() -> Iterator[Novasphere]:
    """Runs a server of ours with default settings on a new data directory."""
    http_port, grpc_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder, running(
        str(Path(sys.executable).with_name("novasphere")), "server", "--data-dir", str(Path(folder) / "data"),
        "--http", f"127.0.0.1:{http_port}", "--grpc", f"127.0.0.1:{grpc_port}",
        port=http_port, NOVASPHERE_ADMIN_TOKEN=TOKEN,
    ) as process:  # fmt: skip
        yield Novasphere(http_port, grpc_port, process.pid)


def wrk(url: str, *, seconds: int = 3, connections: int = 32) -> float:
    """Returns requests per second; every answer must be a 2xx."""
    command = [
        need("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s",
        "-H", f"Authorization: Bearer {TOKEN}", url,
    ]  # fmt: skip
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=seconds + 30
    ).stdout
    if "Non-2xx" in output:
        sys.exit(f"{url} answered errors:\n{output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found, output
    return float(found[1])


def h2load(port: int, path: str, body: bytes, *, requests: int = 12000) -> float:
    """Returns unary gRPC calls per second from a C client with 64 in flight."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0" + len(body).to_bytes(4, "big") + body)
        file.flush()
        command = [
            need("h2load", "nghttp2-client"), f"-n{requests}", "-c4", "-m16", "-t1", "-d", file.name,
            "-H", "content-type: application/grpc", "-H", "te: trailers",
            "-H", f"authorization: Bearer {TOKEN}", f"http://127.0.0.1:{port}{path}",
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", output)
    good = re.search(r"(\d+) succeeded, 0 failed", output)
    assert found, output
    assert good, output
    assert int(good[1]) == requests, output
    return float(found[1])


def example_node() -> dict[str, object]:
    """Returns what a node looks like in JSON: the constant that baselines answer."""
    text = """{"id":1,"node_id":"node-001","hostname":"server-01","ip_address":"192.168.1.100",
    "os_info":"Ubuntu 22.04 LTS","status":"online","last_heartbeat":"2025-01-21T10:00:00Z",
    "registered_at":"2025-01-21T09:00:00Z","updated_at":"2025-01-21T10:00:00Z","uid":"4f0c",
    "revision":12,"labels":{"zone":"a"},"role":"worker","platform":{"system":"linux","release":"6.1.0",
    "machine":"x86_64","distribution":"Debian GNU/Linux 12","python_version":"3.11.7","is_virtual":true},
    "resources":{"cpu_count":2,"memory_total_bytes":25769803776,"storage_total_bytes":270582939648,
    "gpu_count":0},"capabilities":["shell"],"conditions":[],"connection":"ONLINE","offline_faces":[],
    "capacity":8,"free_slots":8,"agent_version":"0.1.0","tags":[],"boot_id":"b"}"""
    node: dict[str, object] = json.loads(text)
    return node
