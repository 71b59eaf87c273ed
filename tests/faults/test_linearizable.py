"""Compare-and-set by ETag is linearizable, over REST and gRPC mixed, while the server is killed.

Each register is a command that waits for a node that is away: `PENDING` at one version, `CANCELLED` at
the next. Clients read it and cancel it if it is still at a version that they know.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import grpc
import pytest
from linearizability import Operation, order_of
from novasphere.node.v1 import command_pb2, command_service_pb2, command_service_pb2_grpc
from processes import TOKEN, ControlPlane, control_plane

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 90 if LONG else 10
CLIENTS = 8
REGISTERS = 3  # at a time


class Version(NamedTuple):
    """What a register holds. The revision is 0 where a cancellation that nobody saw answered set it."""

    state: str
    revision: int


@dataclass(frozen=True)
class Read:
    pass


@dataclass(frozen=True)
class CancelIf:
    """Cancels if the register is at this revision. Answered with the new version, or None: it was not."""

    revision: int


def step(version: Version, operation: Operation) -> Iterable[Version]:
    """What one operation may leave of a register."""
    is_at_some = version == Version("CANCELLED", 0)
    if isinstance(operation.question, Read):
        told: Version = operation.answer
        is_same = version == told or (is_at_some and told.state == "CANCELLED")
        return [told] if is_same else []
    is_wanted = version.revision == operation.question.revision
    if not operation.is_answered:
        return [Version("CANCELLED", 0)] if is_wanted and version.state == "PENDING" else [version]
    if operation.answer is None:
        return [] if is_wanted else [version]
    if is_at_some:  # that it was named means that it was this one
        return [operation.answer] if operation.answer.revision == operation.question.revision else []
    if not is_wanted:
        return []
    was_cancelled = version.state == "CANCELLED"  # once more is no change
    return [operation.answer] if (operation.answer == version) == was_cancelled else []


class Unanswered(Exception):
    """Nobody knows whether it happened."""


class Transport(ABC):
    """How a client asks."""

    @abstractmethod
    async def read(self, command_id: str) -> Version: ...

    @abstractmethod
    async def cancel_if(self, command_id: str, revision: int) -> Version | None: ...


class Rest(Transport):
    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def read(self, command_id: str) -> Version:
        _, version = await self._say("GET", f"/api/v1/commands/{command_id}", {})
        assert version is not None
        return version

    async def cancel_if(self, command_id: str, revision: int) -> Version | None:
        headers = {"If-Match": f'"{revision}"'}
        status, version = await self._say("POST", f"/api/v1/commands/{command_id}:cancel", headers)
        assert (status == 412) == (version is None)
        return version

    async def _say(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, Version | None]:
        headers = headers | {"Authorization": f"Bearer {TOKEN}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.request(method, self.plane.url + path, headers=headers) as answer,
            ):
                text = await answer.text()
                if answer.status == 412:
                    return 412, None
                if answer.status == 503:
                    raise Unanswered
                assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
                command = await answer.json()
                if method == "GET":
                    command = command["data"]["command"]
                return 200, Version(command["state"], int(answer.headers["ETag"].strip('"')))
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise Unanswered from None


class Grpc(Transport):
    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def read(self, command_id: str) -> Version:
        return await self._say(
            "GetCommand", command_service_pb2.GetCommandRequest(command_id=command_id)
        )

    async def cancel_if(self, command_id: str, revision: int) -> Version | None:
        request = command_service_pb2.CancelCommandRequest(command_id=command_id, etag=str(revision))
        try:
            return await self._say("CancelCommand", request)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            return None

    async def _say(self, method: str, request: Any) -> Version:
        metadata = [("authorization", f"Bearer {TOKEN}")]
        async with grpc.aio.insecure_channel(self.plane.address) as channel:
            stub = command_service_pb2_grpc.CommandServiceStub(channel)
            try:
                answer = await getattr(stub, method)(request, timeout=5, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise Unanswered from None
                raise
        state = command_pb2.CommandState.Name(answer.command.state).removeprefix("COMMAND_STATE_")
        return Version(state, answer.command.revision)


@dataclass
class Register:
    command_id: str
    revision: int
    history: list[Operation] = field(default_factory=list)


class Table:
    """The registers that clients fight over. A used one makes room for a new one."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.all: list[Register] = []
        self.open: list[Register] = []

    async def deal(self) -> None:
        while True:
            self.open = [r for r in self.open if len(r.history) < 4 * CLIENTS]
            while len(self.open) < REGISTERS:
                try:
                    self.open.append(await self._new())
                except (AssertionError, TimeoutError, aiohttp.ClientError, OSError):
                    break  # killed meanwhile: whatever was made of it, nobody uses it
                self.all.append(self.open[-1])
            await asyncio.sleep(0.01)

    async def _new(self) -> Register:
        made = await self.plane.rest("POST", "/api/v1/nodes/node-001/commands", {"command_text": "true"})
        command_id = made["data"]["command_id"]
        found = await self.plane.rest("GET", f"/api/v1/commands/{command_id}")
        return Register(command_id, found["data"]["command"]["revision"])


async def play(table: Table, transport: Transport) -> None:
    """Reads registers and cancels them at the version that it read, which may be the last but one."""
    loop = asyncio.get_running_loop()
    known: defaultdict[str, list[int]] = defaultdict(list)

    async def ask(register: Register, question: Read | CancelIf) -> None:
        begun, answer, ended = loop.time(), None, math.inf
        try:
            if isinstance(question, Read):
                answer = await transport.read(register.command_id)
                known[register.command_id].append(answer.revision)
            else:
                answer = await transport.cancel_if(register.command_id, question.revision)
            ended = loop.time()
        except Unanswered:
            if isinstance(question, Read):
                return  # it says nothing and did nothing
            await asyncio.sleep(0.02)
        register.history.append(Operation(begun, ended, question, answer))

    while True:
        if not table.open:
            await asyncio.sleep(0.01)
            continue
        register = random.choice(table.open)
        seen = known[register.command_id]
        if seen and random.random() < 0.5:
            await ask(register, CancelIf(random.choice(seen[-2:])))
        else:
            await ask(register, Read())


async def test_compare_and_set_by_etag_is_linearizable(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as plane:
        await plane.add_agent("node-001")
        await plane.agents["node-001"].kill()
        table = Table(plane)
        transports = [Rest(plane), Grpc(plane)] * (CLIENTS // 2)
        players = [asyncio.create_task(play(table, transport)) for transport in transports]
        players.append(asyncio.create_task(table.deal()))
        kills = 0
        try:
            deadline = asyncio.get_running_loop().time() + SECONDS
            while asyncio.get_running_loop().time() < deadline or kills < 2:
                await asyncio.sleep(random.uniform(0.5, 4))
                await plane.restart()
                kills += 1
                for player in players:
                    if player.done():
                        player.result()
        finally:
            for player in players:
                player.cancel()
            await asyncio.gather(*players, return_exceptions=True)
    histories = [register.history for register in table.all]
    unknown = sum(not operation.is_answered for history in histories for operation in history)
    print(
        f"\n{kills} kills, {len(histories)} registers, {sum(map(len, histories))} operations, "
        f"{unknown} of them never answered"
    )
    for register in table.all:
        order = order_of(register.history, Version("PENDING", register.revision), step)
        assert order is not None, "not linearizable:\n" + "\n".join(map(str, register.history))
    swaps = [o for h in histories for o in h if isinstance(o.question, CancelIf)]
    assert any(o.answer for o in swaps)
    assert any(o.answer is None and o.is_answered for o in swaps)
