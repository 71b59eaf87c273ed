"""A real Salt master with one minion on this machine, each with a directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import environments, servers
from bench.measure import Unavailable

_START_SECONDS = 120
_MASTER = """
root_dir: {folder}
interface: 127.0.0.1
publish_port: {publish_port}
ret_port: {return_port}
auto_accept: true
user: {user}
"""
_MINION = """
root_dir: {folder}
master: 127.0.0.1
publish_port: {publish_port}
master_port: {return_port}
id: bench
user: {user}
"""


@dataclass
class Salt:
    """The minion's process, and a client that pings it."""

    minion_pid: int
    client: subprocess.Popen[str]

    def pings(self, count: int) -> list[float]:
        """Returns how many seconds each of so many test.ping took, one after the other."""
        assert self.client.stdin
        assert self.client.stdout
        self.client.stdin.write(f"{count}\n")
        self.client.stdin.flush()
        line = self.client.stdout.readline()
        if not line:
            raise Unavailable("Salt's client ended; see what it said above")
        seconds: list[float] = json.loads(line)
        return seconds


@contextlib.contextmanager
def running() -> Iterator[Salt]:
    """Runs master and minion until the block ends. Raises measure.Unavailable."""
    python = environments.python("salt", environments.SALT)
    with tempfile.TemporaryDirectory(prefix="salt-") as folder, contextlib.ExitStack() as stack:
        values = {
            "publish_port": servers.free_port(),
            "return_port": servers.free_port(),
            "user": os.environ.get("USER", "root") if os.geteuid() else "root",
        }
        for name, text in (("master", _MASTER), ("minion", _MINION)):
            own = Path(folder, name)
            own.mkdir()
            (own / name).write_text(text.format(folder=own, **values))
        master_folder, minion_folder = Path(folder, "master"), Path(folder, "minion")
        stack.enter_context(_daemon(python, "master", master_folder))
        minion = stack.enter_context(_daemon(python, "minion", minion_folder))
        client = subprocess.Popen(
            [python, "-m", "bench.salt_client", str(master_folder / "master"), str(_START_SECONDS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."},
        )  # fmt: skip
        stack.callback(client.wait)
        stack.callback(client.kill)
        assert client.stdout
        if client.stdout.readline() != "ready\n":
            raise Unavailable(
                f"the Salt minion answered no ping within {_START_SECONDS} s: "
                f"{Path(folder, 'minion.log').read_text()[-500:]}"
            )
        yield Salt(minion.pid, client)


@contextlib.contextmanager
def _daemon(python: str, name: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with folder.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(python).with_name(f"salt-{name}")), "-c", str(folder), "-l", "error"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        # All its processes, which are a group of their own: the minion takes long over SIGTERM.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
