"""The agent's side of the launcher process (see `wrapper`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from novasphere_agent.journal import Process

_START_SECONDS = 30.0
# How long it may take to end once its link is closed.
_END_SECONDS = 2.0
_RECEIVE_BYTES = 65536
# Imported, as Python compiles a file that it runs anew: that would cost each wrapper a megabyte.
PROGRAM = "import sys; sys.path.append(sys.argv[1]); import wrapper; wrapper.serve(int(sys.argv[2]))"


class SpawnFailed(Exception):
    """The command was not started, and never will be."""


class LauncherLost(Exception):
    """The launcher went away, or does not answer: the attempt's files tell how far it got."""


class Launcher:
    """Starts wrappers through a small process of its own, which is started when first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._waiting: dict[str, asyncio.Future[Process]] = {}
        self._received = b""
        self._lock = asyncio.Lock()

    async def start(self, directory: Path) -> Process:
        """Starts the attempt of that directory; returns its wrapper."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Process] = loop.create_future()
        self._waiting[str(directory)] = answer
        timer = loop.call_later(_START_SECONDS, _fail, answer)
        try:
            async with self._lock:
                if self._socket is None:
                    await self._open()
                assert self._socket is not None  # noqa: S101 - told to the type checker
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    await loop.sock_sendall(self._socket, json.dumps(str(directory)).encode() + b"\n")
            return await answer
        finally:
            timer.cancel()
            self._waiting.pop(str(directory), None)

    async def prepare(self) -> None:
        """Starts the launcher ahead of the first attempt."""
        async with self._lock:
            if self._socket is None:
                await self._open()

    async def close(self) -> None:
        """Ends the launcher; attempts go on."""
        async with self._lock:
            self._hang_up()
            await self._reap(_END_SECONDS)

    async def _open(self) -> None:
        if os.name != "posix":
            raise SpawnFailed("this system has no way to run commands that outlive the agent")
        await self._reap(0.0)
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        try:
            self._process = await loop.run_in_executor(None, _run_launcher, theirs.fileno())
        except OSError as error:
            ours.close()
            raise SpawnFailed(f"the launcher: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._received = b""
        loop.add_reader(ours.fileno(), self._receive)

    def _receive(self) -> None:
        assert self._socket is not None  # noqa: S101 - only called while it is open
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            answer = self._waiting.get(message.pop("directory"))
            if answer is None or answer.done():
                continue
            if "error" in message:
                answer.set_exception(SpawnFailed(message["error"]))
            else:
                answer.set_result(Process(**message))

    def _hang_up(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        for answer in self._waiting.values():
            _fail(answer)

    async def _reap(self, patience: float) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            await asyncio.get_running_loop().run_in_executor(None, _end, process, patience)


def interpreter() -> str:
    """Returns the Python that runs the agent."""
    return sys.executable or shutil.which("python3") or "python3"


def _fail(answer: asyncio.Future[Process]) -> None:
    if not answer.done():
        answer.set_exception(LauncherLost())


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()  # it may be stopped, or hang
        process.wait()


def _run_launcher(descriptor: int) -> subprocess.Popen[bytes]:
    folder = Path(__file__).parent
    return subprocess.Popen(
        [interpreter(), "-I", "-S", "-c", PROGRAM, str(folder), str(descriptor)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("NOVASPHERE_")},
    )
