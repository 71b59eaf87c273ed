"""Task queues that we are measured against, with what they need: Redis, workers, and a client of each."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import environments, servers
from bench.measure import Unavailable

_CELERY = ("celery==5.7.0", "redis==8.1.0", "packaging==26.3")  # which it forgets to ask for
_DRAMATIQ = ("dramatiq[redis]==2.2.1", "redis==8.1.0")
_PROCRASTINATE = ("procrastinate==3.10.0", "psycopg[binary]==3.3.9")


@dataclass(frozen=True)
class Queue:
    """A queue whose workers run, and the client that gives them work."""

    name: str
    worker_pid: int
    _client: subprocess.Popen[str]

    def seconds(self, how: str, count: int) -> float:
        """Returns how long so many tasks took, from the first submit until every result was seen."""
        return self._ask(how, count)[0]

    def trips(self, count: int) -> list[float]:
        """Returns how many seconds each of so many tasks took, one after the other."""
        return self._ask("trips", count)

    def _ask(self, how: str, count: int) -> list[float]:
        assert self._client.stdin
        assert self._client.stdout
        self._client.stdin.write(f"{how} {count}\n")
        self._client.stdin.flush()
        line = self._client.stdout.readline()
        if not line:
            raise Unavailable(f"the client of {self.name} ended; see what it said above")
        answer: list[float] = json.loads(line)
        return answer


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Runs a Redis that writes nothing to disk; yields its address. Raises measure.Unavailable."""
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("no Redis here: on Debian, apt-get install redis-server")
    port = servers.free_port()
    with tempfile.TemporaryDirectory() as folder, servers.running(
        program, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "",
        "--appendonly", "no", port=port,
    ):  # fmt: skip
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def celery(redis_url: str) -> Iterator[Queue]:
    """Runs Celery as it starts by itself, with a process for each of two cores."""
    python = environments.python("celery", _CELERY)
    worker = ("-m", "celery", "-A", "bench.celery_peer", "worker", "--concurrency", "2", "-l", "error")
    with _queue("celery", python, worker, redis_url) as queue:
        yield queue


@contextlib.contextmanager
def dramatiq(redis_url: str) -> Iterator[Queue]:
    """Runs dramatiq with eight threads of one process."""
    python = environments.python("dramatiq", _DRAMATIQ)
    worker = ("-m", "dramatiq", "bench.dramatiq_peer", "--processes", "1", "--threads", "8")
    with _queue("dramatiq", python, worker, redis_url) as queue:
        yield queue


@contextlib.contextmanager
def procrastinate(database_url: str) -> Iterator[Queue]:
    """Runs procrastinate with ten tasks at a time."""
    python = environments.python("procrastinate", _PROCRASTINATE)
    ours = ("-m", "procrastinate", "--app", "bench.procrastinate_peer.app")
    schema = subprocess.run(
        [python, *ours, "schema", "--apply"],
        env=_environment(database_url), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if schema.returncode:
        raise Unavailable(f"procrastinate made no tables: {schema.stderr[-500:]}")
    worker = (*ours, "worker", "--concurrency", "10")
    with _queue("procrastinate", python, worker, database_url) as queue:
        yield queue


def _environment(url: str) -> dict[str, str]:
    # Without ours: it holds packages that are not the peer's.
    return {**os.environ, "PYTHONPATH": str(Path.cwd()), "PEER_URL": url}


@contextlib.contextmanager
def _queue(name: str, python: str, worker: tuple[str, ...], url: str) -> Iterator[Queue]:
    environment = _environment(url)
    with tempfile.TemporaryFile() as log, contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            [python, *worker], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        stack.callback(process.wait)
        # All its processes, which are a group of their own.
        stack.callback(os.killpg, process.pid, signal.SIGKILL)
        client = subprocess.Popen(
            [python, "-m", f"bench.{name}_peer"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(client.wait)
        stack.callback(client.kill)
        assert client.stdout
        if client.stdout.readline() != "ready\n":
            log.seek(0)
            raise Unavailable(f"{name} did not answer: {log.read().decode()[-500:]}")
        yield Queue(name, process.pid, client)
