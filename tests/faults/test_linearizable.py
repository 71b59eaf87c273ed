"""Compare-and-set by ETag is linearizable, over REST and gRPC mixed, while servers are killed.

Each register is an API key, whose name is written. Clients read it, and rename it if it is still at a
version that they know. Of one server plain reads are the newest. Of two on one database each follows the
other, so clients tell each other the last revision that they heard of and read with `min_revision`.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from linearizability import Operation, order_of
from novasphere.api.v1 import key_service_pb2, key_service_pb2_grpc
from pairs import Pair
from processes import TOKEN, ControlPlane

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"
SECONDS = 90 if LONG else 6
CLIENTS = 8
REGISTERS = 3  # at a time
OPERATIONS = 8 * CLIENTS  # of one register


class Version(NamedTuple):
    """What a register holds. The revision is 0 where a change that nobody saw answered set it."""

    name: str
    revision: int


@dataclass(frozen=True)
class Read:
    pass


@dataclass(frozen=True)
class RenameIf:
    """Renames if the register is at this revision, to a name that is given once. Answered with the new
    version or, where the register was at another, with the revision of that.
    """

    revision: int
    name: str


def step(version: Version, operation: Operation) -> Iterable[Version]:
    """What one operation may leave of a register."""
    question, answer = operation.question, operation.answer
    if isinstance(question, Read):
        is_told = version.name == answer.name and version.revision in (0, answer.revision)
        return [answer] if is_told else []
    # Whoever names a revision has heard of it, so it is known by then.
    is_wanted = version.revision == question.revision
    if not operation.is_answered:
        return [Version(question.name, 0)] if is_wanted else []
    if isinstance(answer, int):
        is_told = version.revision in (0, answer) and answer != question.revision
        return [version._replace(revision=answer)] if is_told else []
    is_newer = answer.name == question.name and answer.revision > version.revision
    return [answer] if is_wanted and is_newer else []


class Unanswered(Exception):
    """Nobody knows whether it happened."""


class Transport(ABC):
    """How a client asks one server."""

    @abstractmethod
    async def read(self, key_id: str, min_revision: int) -> Version: ...

    @abstractmethod
    async def rename_if(self, key_id: str, revision: int, name: str) -> Version | int: ...


class Rest(Transport):
    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def read(self, key_id: str, min_revision: int) -> Version:
        query = f"?min_revision={min_revision}" if min_revision else ""
        version = await self._say("GET", f"/api/v1/keys/{key_id}{query}")
        assert isinstance(version, Version)
        return version

    async def rename_if(self, key_id: str, revision: int, name: str) -> Version | int:
        headers = {"If-Match": f'"{revision}"'}
        return await self._say("PATCH", f"/api/v1/keys/{key_id}", {"name": name}, **headers)

    async def _say(self, method: str, path: str, body: Any = None, **headers: str) -> Version | int:
        headers["Authorization"] = f"Bearer {TOKEN}"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
                http.request(method, self.plane.url + path, json=body, headers=headers) as answer,
            ):
                text = await answer.text()
                if answer.status == 412:
                    return int((await answer.json(content_type=None))["metadata"]["current"])
                if answer.status == 503:
                    raise Unanswered
                assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
                key = await answer.json()
                assert int(answer.headers["ETag"].strip('W/"').partition(".")[0]) == key["revision"]
                return Version(key["name"], key["revision"])
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise Unanswered from None


class Grpc(Transport):
    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def read(self, key_id: str, min_revision: int) -> Version:
        request = key_service_pb2.GetKeyRequest(key_id=key_id)
        return await self._say("GetKey", request, min_revision)

    async def rename_if(self, key_id: str, revision: int, name: str) -> Version | int:
        request = key_service_pb2.UpdateKeyRequest(key_id=key_id, etag=str(revision), name=name)
        request.update_mask.paths.append("name")
        try:
            return await self._say("UpdateKey", request)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            details = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
            info = error_details_pb2.ErrorInfo()
            status_pb2.Status.FromString(details).details[0].Unpack(info)
            return int(info.metadata["current"])

    async def _say(self, method: str, request: Any, min_revision: int = 0) -> Version:
        metadata = [("authorization", f"Bearer {TOKEN}")]
        if min_revision:
            metadata.append(("novasphere-min-revision", str(min_revision)))
        async with grpc.aio.insecure_channel(self.plane.address) as channel:
            stub = key_service_pb2_grpc.KeyServiceStub(channel)
            try:
                key = (await getattr(stub, method)(request, timeout=5, metadata=metadata)).key
            except grpc.aio.AioRpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise Unanswered from None
                raise
        return Version(key.name, key.revision)


@dataclass
class Register:
    key_id: str
    initial: Version
    last_heard: int  # of its revisions, by any client
    history: list[Operation] = field(default_factory=list)


class Table:
    """The registers that clients fight over. A used one makes room for a new one."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.all: list[Register] = []
        self.open: list[Register] = []

    async def deal(self) -> None:
        while True:
            self.open = [r for r in self.open if len(r.history) < OPERATIONS]
            while len(self.open) < REGISTERS:
                try:
                    self.open.append(await self._new())
                except (AssertionError, TimeoutError, aiohttp.ClientError, OSError):
                    break  # killed meanwhile: whatever was made of it, nobody uses it
                self.all.append(self.open[-1])
            await asyncio.sleep(0.01)

    async def _new(self) -> Register:
        made = await self.plane.rest("POST", "/api/v1/keys", {"name": "new"}, status=201)
        key = await self.plane.rest("GET", f"/api/v1/keys/{made['key_id']}")
        return Register(key["key_id"], Version(key["name"], key["revision"]), key["revision"])


names = map(str, itertools.count())


async def play(table: Table, transport: Transport, *, follows: bool) -> None:
    """Reads registers and renames them at the version that it knows, which may be the last but one.

    `follows` says that the transport's server follows others: it is to wait for what was heard elsewhere.
    """
    loop = asyncio.get_running_loop()
    known: defaultdict[str, list[int]] = defaultdict(list)

    async def ask(register: Register, question: Read | RenameIf) -> None:
        begun, answer, ended = loop.time(), None, math.inf
        key_id = register.key_id
        try:
            if isinstance(question, Read):
                answer = await transport.read(key_id, register.last_heard if follows else 0)
            else:
                answer = await transport.rename_if(key_id, question.revision, question.name)
            ended = loop.time()
            heard = answer if isinstance(answer, int) else answer.revision
            known[key_id].append(heard)
            register.last_heard = max(register.last_heard, heard)
        except Unanswered:
            await asyncio.sleep(0.02)
        finally:
            # A change that the end of the test cut off may have been made, and read by others. A read that
            # was not answered says nothing and did nothing.
            if ended < math.inf or isinstance(question, RenameIf):
                register.history.append(Operation(begun, ended, question, answer))

    while True:
        if not table.open:
            await asyncio.sleep(0.01)
            continue
        register = random.choice(table.open)
        seen = known[register.key_id]
        if seen and random.random() < 0.5:
            await ask(register, RenameIf(random.choice(seen[-2:]), next(names)))
        else:
            await ask(register, Read())


def renamed(table: Table) -> tuple[int, int]:
    """Returns how many changes were made, and how many came too late."""
    operations = [
        o for register in table.all for o in register.history if isinstance(o.question, RenameIf)
    ]
    answers = [operation.answer for operation in operations if operation.is_answered]
    done = sum(isinstance(answer, Version) for answer in answers)
    return done, len(answers) - done


def has_enough(table: Table, kills: int) -> bool:
    """Whether it shows anything: clients on a slow machine take longer to come into each other's way."""
    done, too_late = renamed(table)
    return kills >= 2 and done > CLIENTS and too_late > 0


async def fight(
    plane: ControlPlane, servers: Sequence[ControlPlane], kill: Callable[[], Awaitable[None]]
) -> None:
    """Has clients fight over registers through all of the servers, and judges what they saw."""
    table = Table(plane)
    kinds = [kind(server) for server in servers for kind in (Rest, Grpc)]
    transports = itertools.islice(itertools.cycle(kinds), CLIENTS)
    players = [
        asyncio.create_task(play(table, transport, follows=len(servers) > 1)) for transport in transports
    ]
    players.append(asyncio.create_task(table.deal()))
    kills = 0
    try:
        deadline = asyncio.get_running_loop().time() + SECONDS
        while (now := asyncio.get_running_loop().time()) < deadline or not has_enough(table, kills):
            assert now < deadline + 120, "too little was done"
            await asyncio.sleep(random.uniform(0.5, 4))
            await kill()
            kills += 1
            for player in players:
                if player.done():
                    player.result()
    finally:
        for player in players:
            player.cancel()
        outcomes = await asyncio.gather(*players, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert not failures, failures
    operations = [operation for register in table.all for operation in register.history]
    unknown = sum(not operation.is_answered for operation in operations)
    done, too_late = renamed(table)
    print(
        f"\n{kills} kills, {len(table.all)} registers, {len(operations)} operations, of these {done} "
        f"changes, {too_late} that came too late, {unknown} never answered"
    )
    for register in table.all:
        order = order_of(register.history, register.initial, step)
        assert order is not None, "not linearizable:\n" + "\n".join(map(str, register.history))


async def test_compare_and_set_by_etag_is_linearizable(plane: ControlPlane) -> None:
    await fight(plane, [plane], plane.restart)


async def test_compare_and_set_through_two_servers_is_linearizable(pair: Pair) -> None:
    await fight(pair, pair.servers, pair.kill_either)
