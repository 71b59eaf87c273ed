"""A fleet over a real store, with a clock that the test moves and agents that speak real frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from novasphere.api.v1 import options_pb2
from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import command_pb2, node_pb2
from novasphere.node.v1 import command_service_pb2 as command_api
from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1 import task_service_pb2 as schedule_api
from novasphere_server.core import task_ids
from novasphere_server.core.commands import command_with_result
from novasphere_server.core.credentials import ADMIN, Credentials
from novasphere_server.core.fleet import Fleet
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.core.principals import Principal
from novasphere_server.loops.dependencies import DependencyLoop
from novasphere_server.loops.due import DueLoop
from novasphere_server.loops.expiry import ExpiryLoop
from novasphere_server.loops.presence import PresenceLoop
from novasphere_server.loops.retention import RetentionLoop
from novasphere_server.loops.scheduler import Scheduler
from novasphere_server.loops.supervisor import Supervisor
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.kinds import NODES, TASKS
from novasphere_server.store.store import Store
from novasphere_server.testing import new_database
from postgresql import PostgresServer
from scheduling import Scheduling

ADMIN_TOKEN = "an-admin-token-0123456789"
JOIN_TOKEN = "a-join-token-0123456789"
PATIENCE = 60.0


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self._us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self._us

    def monotonic(self) -> float:
        return self._us / 1_000_000

    def follow(self, now_us: int) -> None:
        """Stands still whatever the database says."""

    def advance(self, seconds: float) -> None:
        self._us += int(seconds * 1_000_000)


class World:
    """One server process's fleet; restart() is the next process on the same database."""

    def __init__(self, folder: Path, settings: FleetSettings, url: str = "") -> None:
        self.clock = Clock()
        self.settings = settings
        self.url = url or f"sqlite:///{folder / 'novasphere.db'}"
        if not url:
            new_database(folder / "novasphere.db")
        self._agents: list[Agent] = []

    async def start(self) -> None:
        settings = self.settings
        self.store = await Store.open(self.url, clock=self.clock)
        self.credentials = Credentials(
            self.store, self.clock, admin_token=ADMIN_TOKEN, join_token=JOIN_TOKEN
        )
        self.fleet = Fleet(self.store, self.clock, settings, self.credentials)
        self.presence = PresenceLoop(
            self.fleet.presence, self.fleet.links, period=settings.presence_period
        )
        self.expiry = ExpiryLoop(self.fleet.tasks, self.fleet.presence, self.clock, period=1)
        self.due = DueLoop(
            self.fleet.tasks, self.fleet.links, self.clock, is_shared=False, period=settings.due_period
        )
        self.scheduler = Scheduler(self.fleet.schedules, self.fleet.tasks, self.clock)
        self.dependencies = DependencyLoop(self.fleet.dependencies, self.fleet.tasks)
        self.retention = RetentionLoop(
            self.fleet.tasks,
            self.fleet.schedules,
            self.clock,
            terminal_retention=settings.terminal_retention,
            period=60,
        )
        await self.fleet.start()

    async def stop(self) -> None:
        for agent in self._agents:
            await agent.cut()
        await self.store.close()

    async def restart(self, *, down_for: float = 0.0) -> None:
        """Stops without a word to the agents and starts again, as kill -9 would."""
        await self.stop()
        self.clock.advance(down_for)
        await self.start()

    # -- what clients do

    async def run(self, node_id: str = "n1", text: str = "true", **fields: Any) -> str:
        """Creates a command and returns its id."""
        request = command_api.CreateCommandRequest(node_id=node_id, command_text=text, **fields)
        return (await self.fleet.commands.create(ADMIN, request)).command_id

    async def submit(self, *tasks: schedule_api.NewTask, **config: Any) -> list[str]:
        """Creates tasks, or one of a config, and returns their ids."""
        wanted = tasks or [schedule_api.NewTask(config=task_pb2.TaskConfig(**config))]
        return list((await self.fleet.schedule_tasks.create_all(ADMIN, wanted)).ids)

    async def task(self, task_id: str) -> task_pb2.StoredTask:
        found = await self.store.get(TASKS, task_ids.run_id(task_id))
        assert found is not None, f"{task_id} is gone"
        return found.message()

    async def stored(self, command_id: str) -> command_pb2.CommandWithResult:
        found = await self.store.get(TASKS, command_id)
        assert found is not None, f"{command_id} is gone"
        return command_with_result(found.message())

    async def command(self, command_id: str) -> command_pb2.Command:
        return (await self.stored(command_id)).command

    async def node(self, node_id: str = "n1") -> node_pb2.Node:
        found = await self.store.get(NODES, node_id)
        assert found is not None, f"node {node_id} is gone"
        return found.message()

    async def output(
        self, command_id: str, stream: int = 0, offset: int = 0, *, attempt: int = 0
    ) -> bytes:
        data = b""
        async for events in self.fleet.outputs.stream(
            ADMIN, command_id, stream, offset, False, attempt=attempt
        ):
            data += b"".join(event.data for event in events)
        return data

    def agent(self, name: str = "n1", **profile: Any) -> Agent:
        agent = Agent(self, name, profile)
        self._agents.append(agent)
        return agent

    async def flush(self) -> None:
        """Stores what links heard and the log does not carry."""
        await self.fleet.metrics.flush()
        await self.fleet.presence.flush()

    async def pass_time(self, seconds: float) -> None:
        """Moves the clock and lets the loops take a step."""
        self.clock.advance(seconds)
        await self.presence.step()
        await self.expiry.step()


class Agent:
    """The other end of a link. Keeps what a real agent keeps on its disk."""

    def __init__(self, world: World, name: str, profile: dict[str, Any]) -> None:
        self.world = world
        self.name = name
        self.profile = {"hostname": f"host-of-{name}", "system": "linux", "machine": "x86_64"} | profile
        self.boot_id = "boot-1"
        self.node_uid = ""
        self.credential = ""
        self.session_token = ""
        self.incarnation = 0
        self._pump: asyncio.Task[None] | None = None
        self._forget_stream()

    def _forget_stream(self) -> None:
        self.sent = 0
        self.frames: list[link.ConnectResponse] = []
        self.failure: BaseException | None = None
        self.has_ended = False
        self.reads = asyncio.Event()  # cleared: takes nothing more, as behind a full pipe
        self.reads.set()
        self._news = asyncio.Event()
        self._requests: asyncio.Queue[link.ConnectRequest | None] = asyncio.Queue()

    def clone(self) -> Agent:
        """A machine whose disk is a copy of this one's."""
        twin = self.world.agent(self.name)
        for field in ("node_uid", "credential", "session_token", "boot_id", "incarnation", "profile"):
            setattr(twin, field, getattr(self, field))
        return twin

    def move(self, to: World) -> Agent:
        """Returns this agent as it calls another server. Its link here stays as it is."""
        moved = self.clone()
        moved.world = to
        return moved

    # -- the stream

    async def connect(
        self,
        *,
        attempts: Iterable[link.AttemptState] = (),
        free_slots: int = 4,
        principal: Principal | None = None,
        is_confirmed: bool = True,
    ) -> link.Welcome:
        """Says Hello and returns the Welcome; raises what the server answered instead."""
        await self.cut()
        self._forget_stream()
        if principal is None:
            principal = await self.world.credentials.authenticate(self.credential or JOIN_TOKEN)
        self.incarnation += 1
        hello = link.Hello(
            node_id=self.name,
            node_uid=self.node_uid,
            session_token=self.session_token,
            boot_id=self.boot_id,
            incarnation=self.incarnation,
            attempts=attempts,
            profile=link.Profile(**self.profile),
            capacity=4,
            protocol=1,
        )
        self.send(hello=hello, free_slots=free_slots)
        self._pump = asyncio.create_task(self._drain(principal))
        await self.until(lambda: self.frames or self.has_ended)
        if not self.frames:
            assert self.failure is not None
            raise self.failure
        welcome = self.frames[0].welcome
        if is_confirmed:
            self.keep(welcome)
            self.send(free_slots=free_slots)
        return welcome

    def keep(self, welcome: link.Welcome) -> None:
        """Writes what a Welcome brought to the disk."""
        self.node_uid = welcome.node_uid
        self.credential = welcome.credential or self.credential
        self.session_token = welcome.session_token

    async def _drain(self, principal: Principal) -> None:
        stream = self.world.fleet.links.connect(self._outgoing(), principal, "10.0.0.7")
        try:
            async for frame in stream:
                self.frames.append(frame)
                self._news.set()
                await self.reads.wait()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.failure = error
        finally:
            await stream.aclose()
            self.has_ended = True
            self._news.set()

    async def _outgoing(self) -> AsyncIterator[link.ConnectRequest]:
        while (frame := await self._requests.get()) is not None:
            yield frame

    def send(self, *, free_slots: int = 4, acked: int | None = None, **content: Any) -> int:
        """Sends a frame and returns its number."""
        self.sent += 1
        if acked is None:
            acked = self.frames[-1].sequence if self.frames else 0
        self._requests.put_nowait(
            link.ConnectRequest(
                sequence=self.sent, acked_sequence=acked, free_slots=free_slots, **content
            )
        )
        return self.sent

    def beat(self, *, free_slots: int = 4, **heartbeat: Any) -> int:
        return self.send(heartbeat=link.Heartbeat(**heartbeat), free_slots=free_slots)

    async def until(self, is_true: Callable[[], Any]) -> Any:
        """Waits until something holds of what came."""
        async with asyncio.timeout(PATIENCE):
            while not (found := is_true()):
                self._news.clear()
                await self._news.wait()
            return found

    async def cut(self) -> None:
        """Breaks the link, as a cable would."""
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None

    async def end(self) -> None:
        """Ends the agent's side of the stream and waits for the server's."""
        self._requests.put_nowait(None)
        await self.until(lambda: self.has_ended)

    async def settle(self, *, free_slots: int = 4) -> None:
        """Waits until the server has dealt with everything sent so far.

        A report that is stale for certain is answered in any case, after all that came before it.
        """
        run_id = f"probe-{self.sent}"
        probe = link.AttemptReport(run_id=run_id, attempt=1, phase=link.ATTEMPT_PHASE_EXITED)
        self.send(reports=[probe], free_slots=free_slots)
        await self.until(lambda: any(ack.run_id == run_id for ack in self.report_acks))

    # -- what came

    @property
    def dispatches(self) -> list[link.Dispatch]:
        return [dispatch for frame in self.frames for dispatch in frame.dispatches]

    @property
    def cancels(self) -> list[link.CancelAttempt]:
        return [cancel for frame in self.frames for cancel in frame.cancels]

    @property
    def report_acks(self) -> list[link.ReportAck]:
        return [ack for frame in self.frames for ack in frame.report_acks]

    @property
    def output_acks(self) -> list[link.OutputAck]:
        return [ack for frame in self.frames for ack in frame.output_acks]

    @property
    def closing(self) -> str:
        return self.frames[-1].closing.reason if self.frames else ""

    async def dispatched(self, count: int = 1) -> list[link.Dispatch]:
        """Waits for dispatches."""
        await self.until(lambda: len(self.dispatches) >= count)
        return self.dispatches

    async def start(self, dispatch: link.Dispatch) -> None:
        """Reports an attempt as running, and waits until that is stored."""
        self.send(reports=[report(dispatch, link.ATTEMPT_PHASE_RUNNING)])
        await self.settle()

    async def finish(self, dispatch: link.Dispatch, **outcome: Any) -> link.ReportAck:
        """Reports the end of an attempt and returns the acknowledgement."""
        phase = outcome.pop("phase", link.ATTEMPT_PHASE_EXITED)
        before = len(self.report_acks)
        self.send(reports=[report(dispatch, phase, **outcome)])
        await self.until(lambda: len(self.report_acks) > before)
        return self.report_acks[-1]

    async def print(self, dispatch: link.Dispatch, data: bytes, offset: int, stream: int = 1) -> int:
        """Sends output and returns up to where it is acknowledged."""
        before = len(self.output_acks)
        self.send(output=[chunk(dispatch, data, offset, stream)])
        await self.until(lambda: len(self.output_acks) > before or self.has_ended)
        if self.failure is not None:
            raise self.failure
        return self.output_acks[-1].offset


def report(dispatch: link.Dispatch, phase: int, **outcome: Any) -> link.AttemptReport:
    fields: dict[str, Any] = {
        "run_id": dispatch.run_id,
        "attempt": dispatch.attempt,
        "fencing_token": dispatch.fencing_token,
        "phase": phase,
    }
    return link.AttemptReport(**(fields | outcome))


def chunk(dispatch: link.Dispatch, data: bytes, offset: int, stream: int = 1) -> link.OutputChunk:
    return link.OutputChunk(
        run_id=dispatch.run_id,
        attempt=dispatch.attempt,
        fencing_token=dispatch.fencing_token,
        stream=stream,
        offset=offset,
        data=data,
    )


def state_of(dispatch: link.Dispatch, phase: int, **changes: Any) -> link.AttemptState:
    fields: dict[str, Any] = {
        "run_id": dispatch.run_id,
        "attempt": dispatch.attempt,
        "fencing_token": dispatch.fencing_token,
        "phase": phase,
    }
    return link.AttemptState(**(fields | changes))


class Frames:
    """The pieces of frames, for tests to put together."""

    report = staticmethod(report)
    chunk = staticmethod(chunk)
    state_of = staticmethod(state_of)


@pytest.fixture
def frames() -> type[Frames]:
    return Frames


@pytest.fixture
def settings() -> FleetSettings:
    return FleetSettings()


@pytest.fixture
async def pair(
    tmp_path: Path, settings: FleetSettings, postgres: PostgresServer
) -> AsyncIterator[tuple[World, World]]:
    """Two servers on one database, which sets their clocks."""
    url = postgres.new_database()
    here, there = (World(tmp_path, settings, url) for _ in range(2))
    there.clock = here.clock
    supervisor = Supervisor()
    for world in (here, there):
        await world.start()
        for name, run in world.store.loops().items():
            supervisor.start(name, run)
    yield here, there
    await supervisor.stop()
    await here.stop()
    await there.stop()


@pytest.fixture
async def world_at(settings: FleetSettings) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """Starts worlds, each on the database in a folder or at a URL, and stops them at the end."""
    worlds: list[World] = []

    async def start(folder: Path, url: str = "") -> World:
        world = World(folder, settings, url)
        await world.start()
        worlds.append(world)
        return world

    yield start
    for world in worlds:
        await world.stop()


@pytest.fixture
async def world(tmp_path: Path, world_at: Callable[..., Awaitable[World]]) -> World:
    return await world_at(tmp_path)


@pytest.fixture
async def bench(world: World) -> AsyncIterator[Scheduling]:
    """Its ledger is without fault, whatever the test did."""
    found = Scheduling(world)
    yield found
    assert await found.check() == []


@pytest.fixture
def tenant() -> Principal:
    """A caller who is bound to one namespace."""
    scopes = frozenset({options_pb2.SCOPE_READ, options_pb2.SCOPE_WRITE})
    return Principal(ADMIN.kind, "key:tenant", scopes, frozenset({"tenant"}))


@pytest.fixture
def claim() -> Callable[[str], Idempotency]:
    """A client's claim that a request is one that it sent before."""
    return lambda key: Idempotency(principal="admin", key=key, fingerprint=b"same")
