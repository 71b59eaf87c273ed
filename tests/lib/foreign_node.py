"""A node written from the published protocol alone: JSON frames over one WebSocket, nothing of ours."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

PATIENCE = 60.0


class ForeignNode:
    """One node. Keeps every frame that it was sent."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, node_id: str) -> None:
        self.session = session
        self.url = url
        self.token = token
        self.node_id = node_id
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    # -- the connection

    async def connect(self, *, headers: dict[str, str] | None = None, **query: str) -> None:
        """Connects as the protocol says, and forgets what an earlier connection brought."""
        await self.cut()
        self.frames, self.close_code = [], None
        parameters = {"token": self.token, "node_id": self.node_id} | query
        url = self.url.replace("http://", "ws://", 1) + "/ws/node"
        socket = await self.session.ws_connect(
            url, params={k: v for k, v in parameters.items() if v}, headers=headers, max_msg_size=0
        )
        self._socket = socket
        self._reader = asyncio.create_task(self._read(socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = json.loads(message.data)
            assert set(frame) == {"type", "id", "timestamp", "data"}, frame
            datetime.strptime(frame["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            self.frames.append(frame)
            self._news.set()
        self.close_code = socket.close_code
        self._news.set()

    @property
    def is_connected(self) -> bool:
        return self._socket is not None and not self._socket.closed

    async def close(self) -> None:
        """Ends the connection with a goodbye."""
        if self._socket is not None:
            await self._socket.close()
        await self._end_reader()

    async def cut(self) -> None:
        """Ends the connection as a cable would."""
        if self._socket is not None and not self._socket.closed:
            transport = self._socket._response.connection.transport  # type: ignore[union-attr]
            transport.abort()
        await self._end_reader()

    async def _end_reader(self) -> None:
        if self._reader is not None:
            await asyncio.wait([self._reader])
            self._reader = None

    # -- frames

    async def send(self, kind: str, data: dict[str, Any], frame_id: str | None = None) -> str:
        """Sends a frame and returns its id."""
        frame_id = frame_id or str(uuid.uuid4())
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await self.send_raw(json.dumps({"type": kind, "id": frame_id, "timestamp": stamp, "data": data}))
        return frame_id

    async def send_raw(self, message: str | bytes) -> None:
        assert self._socket is not None
        if isinstance(message, bytes):
            await self._socket.send_bytes(message)
        else:
            await self._socket.send_str(message)

    async def until(self, is_true: Callable[[], Any]) -> Any:
        """Waits until something holds of what came."""
        async with asyncio.timeout(PATIENCE):
            while not (found := is_true()):
                self._news.clear()
                await self._news.wait()
            return found

    async def frame(self, kind: str, frame_id: str | None = None) -> dict[str, Any]:
        """Waits for a frame, takes it from those that came, and returns it."""

        def find() -> dict[str, Any] | None:
            for frame in self.frames:
                if frame["type"] == kind and frame_id in (None, frame["id"]):
                    return frame
            assert self.close_code is None, f"closed with {self.close_code}, no {kind}: {self.frames}"
            return None

        found: dict[str, Any] = await self.until(find)
        self.frames.remove(found)
        return found

    async def ask(self, kind: str, data: dict[str, Any], answer: str) -> dict[str, Any]:
        """Sends a frame and returns the data of its answer."""
        frame = await self.frame(answer, await self.send(kind, data))
        return dict(frame["data"])

    async def refused(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Sends a frame and returns what the error frame says of it."""
        return await self.ask(kind, data, "error")

    async def closed(self) -> int:
        """Waits for the end of the connection and returns its close code."""
        await self.until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    # -- what a node does

    async def register(self, **fields: Any) -> dict[str, Any]:
        data = {
            "node_id": self.node_id,
            "hostname": f"host-of-{self.node_id}",
            "ip_address": "192.168.1.100",
            "os_info": "Ubuntu 22.04 LTS",
        }
        return await self.ask("node_register", data | fields, "register_response")

    async def join(self, **fields: Any) -> dict[str, Any]:
        """Connects and registers."""
        await self.connect()
        await self.frame("welcome")
        return await self.register(**fields)

    async def beat(self, **metrics: float) -> dict[str, Any]:
        data: dict[str, Any] = {"node_id": self.node_id, "status": "online"}
        if metrics:
            data["metrics"] = metrics
        return await self.ask("heartbeat", data, "heartbeat_ack")

    async def command(self) -> dict[str, Any]:
        """Waits for a command and returns its frame."""
        return await self.frame("execute_command")

    async def started(self, frame: dict[str, Any]) -> None:
        await self.send("command_started", {"command_id": frame["data"]["command_id"]}, frame["id"])

    async def result(self, frame: dict[str, Any], exit_code: int = 0, **fields: Any) -> None:
        data = {
            "command_id": frame["data"]["command_id"],
            "exit_code": exit_code,
            "stdout": "",
            "stderr": "",
            "execution_time_ms": 125,
        }
        await self.send("command_result", data | fields, frame["id"])

    async def execute(self, frame: dict[str, Any]) -> None:
        """Runs a command for real and reports it."""
        await self.started(frame)
        process = await asyncio.create_subprocess_shell(
            frame["data"]["command_text"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await process.communicate()
        assert process.returncode is not None
        await self.result(frame, process.returncode, stdout=stdout.decode(), stderr=stderr.decode())
